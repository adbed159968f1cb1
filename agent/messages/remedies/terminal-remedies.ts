import type { Bilingual } from "../../common/language.ts";

/** What the technician does about a failure of the machine, the service, the disk and the clock, by the id of the check that looks for it (docs/operations/diagnose.md). */
export const terminalRemedies = {
  "os.supported": { zh: "请更换受支持的系统或联系运维。", en: "Use a supported OS image or contact operations." },
  "node.version": { zh: "请重新安装随包提供的 Node。", en: "Reinstall the package; it ships the right Node." },
  "pkg.integrity": {
    zh: "程序文件被改动，请重装：\n  apt install --reinstall facepay-agent",
    en: "Program files changed; reinstall the package:\n  apt install --reinstall facepay-agent",
  },
  "svc.enabled": {
    zh: "请启用并启动服务：\n  systemctl enable --now facepay-agent.socket facepay-agent",
    en: "Enable and start the service:\n  systemctl enable --now facepay-agent.socket facepay-agent",
  },
  "svc.running": {
    zh: "请重启服务，并查看第一条错误：\n  systemctl restart facepay-agent\n  journalctl -u facepay-agent -n 50",
    en: "Restart the service, and read the first error:\n  systemctl restart facepay-agent\n  journalctl -u facepay-agent -n 50",
  },
  "svc.restarts": {
    zh: "服务反复重启，请导出诊断包并联系支持：\n  facepay-agent diagnose --bundle facepay-bundle.tar.gz",
    en: "The service keeps restarting; export a bundle and call support:\n  facepay-agent diagnose --bundle facepay-bundle.tar.gz",
  },
  "mem.free": { zh: "内存不足，请关闭其他程序或重启设备。", en: "Memory is short; close other programs or reboot." },
  "disk.free": {
    zh: "磁盘快满，请清理日志：\n  journalctl --vacuum-size=100M",
    en: "The disk is nearly full; free space:\n  journalctl --vacuum-size=100M",
  },
  // Of disk.free, where it is files that are too many: a journal that is cut frees none.
  "disk.inodes": {
    zh: "文件数过多：此命令列出文件最多的目录，请删除其中不需要的文件。\n  du --inodes -xS / | sort -n | tail -n 20",
    en: "Too many files: this lists the directories that hold most; delete what is not needed there.\n  du --inodes -xS / | sort -n | tail -n 20",
  },
  "disk.write_latency": {
    zh: "存储变慢或损坏，请更换存储卡或硬盘。",
    en: "Storage is slow or failing; replace the card or disk.",
  },
  "disk.readonly": {
    zh: "文件系统只读，请断电重启；再次出现请更换存储。",
    en: "The file system is read-only; power-cycle, and if it recurs replace the storage.",
  },
  "time.synced": { zh: "时间未同步，请检查网络并允许 UDP 123。", en: "Clock not synchronised; allow NTP (UDP 123)." },
  "time.offset": {
    zh: "本机时间偏差过大，请校准：\n  timedatectl set-ntp true",
    en: "This machine's clock is wrong; set it:\n  timedatectl set-ntp true",
  },
  "time.rtc": {
    zh: "无时钟电池或已耗尽，请更换纽扣电池或保持联网启动。",
    en: "No working clock battery; replace it, or boot with network.",
  },
  "time.zone": {
    zh: "时区仅影响显示，可改正：\n  timedatectl set-timezone Asia/Shanghai",
    en: "The time zone only affects what is shown; to correct it:\n  timedatectl set-timezone Asia/Shanghai",
  },
} as const satisfies Readonly<Record<string, Bilingual>>;
