import type { Bilingual } from "../../common/language.ts";

/** What the technician does about a failure of the machine, the service, the disk and the clock, by the id of the check that looks for it (docs/operations/diagnose.md). */
export const terminalRemedies = {
  "os.supported": { zh: "请更换受支持的系统或联系运维。", en: "Use a supported OS image or contact operations." },
  "node.version": { zh: "请重新安装随包提供的 Node。", en: "Reinstall the package; it ships the right Node." },
  "pkg.integrity": {
    zh: "程序文件被改动，请重装：apt install --reinstall facepay-agent。",
    en: "Program files changed; run apt install --reinstall facepay-agent.",
  },
  "svc.enabled": {
    zh: "请执行 systemctl enable --now facepay-agent.socket facepay-agent。",
    en: "Run systemctl enable --now facepay-agent.socket facepay-agent.",
  },
  "svc.running": {
    zh: "请重启服务：systemctl restart facepay-agent，并查看第一条错误。",
    en: "Restart the service: systemctl restart facepay-agent, and read the first error.",
  },
  "svc.restarts": {
    zh: "服务反复重启，请导出诊断包并联系支持：facepay-agent diagnose --bundle 文件.tar.gz。",
    en: "The service keeps restarting; export a bundle with facepay-agent diagnose --bundle FILE.tar.gz and call support.",
  },
  "mem.free": { zh: "内存不足，请关闭其他程序或重启设备。", en: "Memory is short; close other programs or reboot." },
  "disk.free": {
    zh: "磁盘快满，请清理日志：journalctl --vacuum-size=100M。",
    en: "The disk is nearly full; free space: journalctl --vacuum-size=100M.",
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
    zh: "本机时间偏差过大，请执行 timedatectl set-ntp true。",
    en: "This machine's clock is wrong; run timedatectl set-ntp true.",
  },
  "time.rtc": {
    zh: "无时钟电池或已耗尽，请更换纽扣电池或保持联网启动。",
    en: "No working clock battery; replace it, or boot with network.",
  },
  "time.zone": {
    zh: "时区仅影响显示，可执行 timedatectl set-timezone Asia/Shanghai。",
    en: "Display only; timedatectl set-timezone Asia/Shanghai puts it right.",
  },
} as const satisfies Readonly<Record<string, Bilingual>>;
