import type { Bilingual } from "../common/language.ts";
import type { WarningCode } from "../common/warnings.ts";

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
  SECRETS_UNUSABLE: {
    zh: "密钥或证书文件无法使用，暂停更新凭证，请执行 facepay-agent config check；处理后服务会自动继续",
    en: "a key or certificate file cannot be used, so nothing is renewed; run facepay-agent config check. The agent goes on by itself once it is fixed",
  },
  CLIENT_CERT_EXPIRING: { zh: "终端证书即将到期，请联系总部更换", en: "the client certificate expires soon" },
  BRIDGE_DOWN: { zh: "刷脸模组未就绪", en: "the bridge is not ready" },
  REFRESH_FAILING: { zh: "凭证更新持续失败，正在重试", en: "refreshing fails; retries go on" },
  AUTHINFO_NOT_PERSISTED: {
    zh: "凭证尚未写入磁盘，断电后会丢失",
    en: "the authinfo is not on disk yet and would not survive a power cut",
  },
  STATE_RECOVERED: {
    zh: "本地数据曾损坏并已恢复；如反复出现请更换存储",
    en: "kept data was damaged and recovered; if it recurs, replace the storage",
  },
  STATE_COPY_DAMAGED: {
    zh: "本地数据的备用一份曾损坏，下次写入时自动补上；如反复出现请更换存储",
    en: "the older copy of kept data was damaged; the next write makes it again. If it recurs, replace the storage",
  },
  STATE_OF_OTHER_IDENTITY: {
    zh: "本地数据属于其他商户或门店，未被使用",
    en: "kept data belongs to another merchant or shop and is not used",
  },
  CLOCK_UNCONFIRMED: { zh: "开机后时间尚未得到确认", en: "nothing has confirmed the clock since boot" },
  CLOCK_BEHIND: {
    zh: "本机时间有误：早于微信支付确认过的时间，凭证已用时长无法确定。请执行 timedatectl set-ntp true 校准；每次断电后都如此时，请更换时钟电池",
    en: "this clock is wrong: it reads a time before one that WeChat Pay has signed, so the age of the authinfo is unknown. Run timedatectl set-ntp true; if it recurs after each power cut, replace the clock battery",
  },
  CLOCK_SKEWED: { zh: "本机时间与微信支付相差过大", en: "this clock differs from WeChat Pay's" },
  NETWORK_UNSTEADY: {
    zh: "网络不稳定，24 小时内提前更新凭证",
    en: "the network is unsteady; refreshing earlier for 24 h",
  },
  STARTS_UNSTEADY: {
    zh: "服务反复启动或重新加载，且每次都没有可用的凭证，已限制额外获取；请查看 facepay-agent diagnose 与 journalctl -u facepay-agent，并检查供电",
    en: "the service keeps starting or reloading without a usable authinfo, so renewals are limited; see facepay-agent diagnose and journalctl -u facepay-agent, and check the power supply",
  },
  REJECTIONS_LIMITED: {
    zh: "刷脸 SDK 一再拒绝凭证，已限制额外更新；请核对商户号、应用号和设备是否匹配，并检查收银程序使用的是否是最新凭证",
    en: "the face SDK keeps refusing the authinfo, so renewals are limited; check that merchant, app id and device belong together, and that the cashier app uses the newest authinfo",
  },
  DEVICE_UNSTEADY: {
    zh: "刷脸模组上报的设备 SN 反复变化，已限制额外更新；请检查是否有两台设备轮流接入，并修复或升级刷脸模组程序",
    en: "the bridge keeps naming another device_id, so renewals are limited; check whether two devices take turns on the line, and repair or update the bridge's program",
  },
  NETWORK_CARD_UNSTEADY: {
    zh: "SDK 所在板卡反复切换网卡（net_id），已限制额外更新；请固定使用一个网络，检查网线和 Wi-Fi，并升级刷脸模组程序",
    en: "the SDK's board keeps changing its network card (net_id), so renewals are limited; keep it on one network, check its cable and Wi-Fi, and update the bridge's program",
  },
  BRIDGE_UNSTEADY: {
    zh: "刷脸模组反复断开或重启，已限制额外更新；请检查线缆、供电和刷脸模组程序",
    en: "the bridge keeps dropping the line or starting anew, so renewals are limited; check cable, power supply and the bridge's program",
  },
  KEYS_UNSTEADY: {
    zh: "密钥或证书文件反复变化，已限制额外更新；请检查是哪个程序在改写这些文件",
    en: "key or certificate files keep changing, so renewals are limited; find out which program rewrites them",
  },
  CLOCK_UNSTEADY: {
    zh: "本机时间被反复修改，已限制额外更新；请只保留一个对时服务，并检查时钟电池",
    en: "this terminal's clock keeps being set, so renewals are limited; leave one time service in charge and check the clock's battery",
  },
  LINK_UNSTEADY: {
    zh: "本机网络接口反复通断或更换地址，已限制额外更新；请检查网线、Wi-Fi 或 SIM 卡",
    en: "this terminal's network interface keeps going up and down or changing its address, so renewals are limited; check cable, Wi-Fi or SIM",
  },
  FILE_COPY_FAILED: { zh: "凭证文件副本写入失败", en: "the copy of the authinfo for file readers cannot be written" },
  METRICS_TEXTFILE_FAILED: { zh: "监控文件写入失败，不影响收款", en: "the metrics file cannot be written" },
  TELEMETRY_DOWN: {
    zh: "无法向 MQTT 服务器上报状态，收款不受影响；请核对 [telemetry]",
    en: "nothing is reported to the MQTT broker; payments go on; check [telemetry]",
  },
  API_SOCKET_REPLACED: {
    zh: "套接字文件被删除或被替换，收银程序已连不上，请重启服务",
    en: "a socket file has been removed or replaced, so that apps no longer reach the agent: restart the service",
  },
  API_CROWDED: {
    zh: "本机有程序打开的连接过多，已关闭其中空闲的连接。请用 ss -xp 找出该程序并修正",
    en: "a program on this terminal opens too many connections; idle ones are being closed. Find it with ss -xp and correct it",
  },
};
