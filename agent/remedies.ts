import { failureRules } from "./failures.ts";
import type { Bilingual } from "./language.ts";
import type { WarningCode } from "./warnings.ts";

/** What the technician does about a failure, by the id of the check that looks for it (reference 7.3). */
const remedies = {
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
  "cfg.valid": {
    zh: "请执行 facepay-agent config check，并按提示修改配置。",
    en: "Run facepay-agent config check and mend what it lists.",
  },
  "cfg.perms": {
    zh: "配置文件权限过宽，请执行 chmod 0640 并把属主改为 root。",
    en: "The configuration is too open; chmod 0640 it and give it to root.",
  },
  "cfg.mode": {
    zh: "当前为商户私钥直连，建议改用网关模式。",
    en: "The merchant's key is on this terminal; move to gateway mode.",
  },
  "cfg.identity": {
    zh: "设备SN与硬件不一致或缺失，请重新登记设备。",
    en: "The device id is missing or differs from the hardware; register the device again.",
  },
  "key.file": {
    zh: "密钥文件不可用或权限不安全，请执行 chmod 0400 并核对属主。",
    en: "A key file is unusable or unsafe; chmod 0400 it and fix its owner.",
  },
  "key.match": {
    zh: "证书、序列号与私钥不匹配，请重新下发。",
    en: "Certificate, serial number and key do not fit; deploy them again together.",
  },
  "cert.expiry": {
    zh: "终端证书无效或即将到期，请联系总部更换。",
    en: "The client certificate is not accepted; request a new one.",
  },
  "cred.tpm": {
    zh: "密钥未绑定硬件，有 TPM 的设备建议改用 systemd-creds 加密。",
    en: "The keys are not bound to the hardware; where there is a TPM, encrypt them with systemd-creds.",
  },
  "ser.present": { zh: "未找到硬件桥，请重新插拔 USB 线。", en: "Bridge not found; re-plug its USB cable." },
  "ser.unique": {
    zh: "发现多个相同设备，请在配置中指定 by-id 路径。",
    en: "Several devices match; set the by-id path in the configuration.",
  },
  "ser.perm": {
    zh: "无权限访问串口，请核对用户组后重新插拔。",
    en: "No permission for the serial device; check the user's groups and re-plug.",
  },
  "ser.busy": {
    zh: "串口被占用，请停止占用它的程序（如 ModemManager、brltty）。",
    en: "The port is in use; stop the other program (such as ModemManager or brltty).",
  },
  "ser.usb_resets": {
    zh: "硬件桥断开，请检查线缆和接口，避免使用集线器。",
    en: "The bridge was lost; check cable and port, avoid hubs.",
  },
  "ser.handshake": {
    zh: "硬件桥无响应，请断电 10 秒后重试。",
    en: "The bridge does not answer; power-cycle it for 10 s.",
  },
  "ser.protocol": {
    zh: "硬件桥版本或应答不符，请升级其固件。",
    en: "The bridge speaks another version; update its firmware.",
  },
  "ser.crc": {
    zh: "数据有干扰，请更换线缆并远离强电。",
    en: "Line noise; change the cable and keep it away from mains.",
  },
  "ser.device_data": {
    zh: "刷脸 SDK 未返回数据，请检查摄像头或模组连接。",
    en: "The face SDK gives no data; check the camera module.",
  },
  "net.link": { zh: "网络未连接，请检查网线、Wi-Fi 或 SIM 卡。", en: "No network; check cable, Wi-Fi or SIM." },
  "net.dns": {
    zh: "域名解析失败，请将 DNS 设为 223.5.5.5 或 119.29.29.29。",
    en: "Names are not resolved; set DNS to 223.5.5.5 or 119.29.29.29.",
  },
  "net.gateway": { zh: "路由器无响应，请重启路由器。", en: "The router is silent; restart it." },
  "net.dns_sane": {
    zh: "域名被劫持，请更换 DNS 或联系网络管理员。",
    en: "The DNS answer looks hijacked; change DNS or call the network administrator.",
  },
  "net.captive": {
    zh: "网络需要网页登录或被拦截，请改用专用网络。",
    en: "A login page or filter answers instead; use a dedicated line.",
  },
  "net.proxy": {
    zh: "网络代理出错，请核对配置中的 proxy 和 proxy_auth_file。",
    en: "The proxy refuses; check proxy and proxy_auth_file.",
  },
  "net.tls": {
    zh: "HTTPS 被拦截或证书无效，请将微信支付域名加入白名单。",
    en: "HTTPS is intercepted or the certificate is invalid; whitelist the payment hosts.",
  },
  "pay.reach": {
    zh: "支付服务不可达或繁忙，请放行 443 端口出站，稍候自动重试。",
    en: "The payment host cannot be reached or is busy; allow outbound TCP 443. Retries go on.",
  },
  "pay.auth": {
    zh: "商户鉴权失败，请联系总部核对商户号、证书与权限。",
    en: "Merchant authentication failed; ask headquarters to check id, certificate and permission.",
  },
  "pay.authinfo": {
    zh: "微信支付返回的凭证不可用，正在重试；持续出现请联系支持。",
    en: "WeChat Pay's answer is unusable; retries go on. If it lasts, call support.",
  },
  "store.read": {
    zh: "无法使用数据目录，请核对其属主和权限。",
    en: "The state directory cannot be used; check its owner and mode.",
  },
  "store.write": {
    zh: "无法写入数据，请检查磁盘空间与只读状态。",
    en: "Cannot write; check free space and read-only state.",
  },
  "api.socket": {
    zh: "本地接口缺失或不可用，请核对路径与用户组，停止占用它的程序，并重启服务。",
    en: "The local socket is missing or wrong; check path and group, stop what uses it, restart the service.",
  },
  "api.selftest": { zh: "本地接口异常，请重启服务。", en: "The local API does not answer well; restart the service." },
  "api.client": {
    zh: "请确认收银程序已启动，并把其用户加入 facepay-cashier 组。",
    en: "See that the cashier app runs, and add its user to the group facepay-cashier.",
  },
  "api.exposed": {
    zh: "接口暴露到网络，请停止转发它的程序。",
    en: "The local API is reachable over the network; stop the program that forwards it.",
  },
} as const satisfies Readonly<Record<string, Bilingual>>;

/** The remedy that a check carries. */
export function checkRemedy(id: keyof typeof remedies): Bilingual {
  return remedies[id];
}

/** What to do about a failure code; undefined for a code of another version. */
export function remedyFor(code: string): Bilingual | undefined {
  const rules: Readonly<Record<string, { readonly remedy: string }>> = failureRules;
  const id = rules[code]?.remedy;
  const byId: Readonly<Record<string, Bilingual>> = remedies;
  return id === undefined ? undefined : byId[id];
}

/** What a standing warning means, for people. */
export const warningTexts: Readonly<Record<WarningCode, Bilingual>> = {
  DIRECT_MODE: {
    zh: "商户私钥存放在本终端上（微信支付不建议），建议改用网关模式",
    en: "the merchant's private key is on this terminal (WeChat Pay advises against it); use gateway mode",
  },
  CONFIG_REMEMBERED: {
    zh: "配置文件有误，正在使用上一次有效的配置，请执行 facepay-agent config check",
    en: "the configuration is invalid, the last valid one is in use; run facepay-agent config check",
  },
  CONFIG_RELOAD_REFUSED: {
    zh: "新配置未被采用，请执行 facepay-agent config check",
    en: "the new configuration was not taken; run facepay-agent config check",
  },
  CONFIG_WARNING: { zh: "配置有提示，请执行 facepay-agent config check", en: "see facepay-agent config check" },
  SECRETS_REFUSED: {
    zh: "更换后的密钥或证书文件无效，仍在使用原来的",
    en: "changed key or certificate files are invalid; the former ones are in use",
  },
  CLIENT_CERT_EXPIRING: { zh: "终端证书即将到期，请联系总部更换", en: "the client certificate expires soon" },
  BRIDGE_DOWN: { zh: "硬件桥未就绪", en: "the bridge is not ready" },
  REFRESH_FAILING: { zh: "凭证更新持续失败，正在重试", en: "refreshing fails; retries go on" },
  AUTHINFO_NOT_PERSISTED: {
    zh: "凭证尚未写入磁盘，断电后会丢失",
    en: "the authinfo is not on disk yet and would not survive a power cut",
  },
  STATE_RECOVERED: {
    zh: "本地数据曾损坏并已恢复；如反复出现请更换存储",
    en: "kept data was damaged and recovered; if it recurs, replace the storage",
  },
  STATE_OF_OTHER_IDENTITY: {
    zh: "本地数据属于其他商户或门店，未被使用",
    en: "kept data belongs to another merchant or shop and is not used",
  },
  CLOCK_UNCONFIRMED: { zh: "开机后时间尚未得到确认", en: "nothing has confirmed the clock since boot" },
  CLOCK_SKEWED: { zh: "本机时间与微信支付相差过大", en: "this clock differs from WeChat Pay's" },
  NETWORK_UNSTEADY: {
    zh: "网络不稳定，24 小时内提前更新凭证",
    en: "the network is unsteady; refreshing earlier for 24 h",
  },
  FILE_COPY_FAILED: { zh: "凭证文件副本写入失败", en: "the copy of the authinfo for file readers cannot be written" },
  METRICS_TEXTFILE_FAILED: { zh: "监控文件写入失败，不影响收款", en: "the metrics file cannot be written" },
};
