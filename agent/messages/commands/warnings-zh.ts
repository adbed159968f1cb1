import type { SameTexts } from "../same-texts.ts";
import type { warningsEn } from "./warnings-en.ts";

export const warningsZh: SameTexts<typeof warningsEn> = {
  "warning.DIRECT_MODE": "商户私钥存放在本终端上（微信支付不建议），建议改用网关模式",
  "warning.CONFIG_REMEMBERED": "配置文件有误，正在使用上一次有效的配置。请查看问题：\n  facepay-agent config check",
  "warning.CONFIG_RELOAD_REFUSED": "新配置未被采用，仍在使用原来的配置。请查看问题：\n  facepay-agent config check",
  "warning.CONFIG_WARNING": "配置有效，但有警告。请查看：\n  facepay-agent config check",
  "warning.SECRETS_REFUSED": "更换后的密钥或证书文件无效，仍在使用原来的",
  "warning.SECRETS_UNUSABLE":
    "密钥或证书文件无法使用，已暂停更新凭证；处理后服务会自动继续。请查看问题：\n  facepay-agent config check",
  "warning.CLIENT_CERT_EXPIRING": "终端证书即将到期，请联系总部更换",
  "warning.BRIDGE_DOWN": "刷脸模组未就绪",
  "warning.REFRESH_FAILING": "凭证更新持续失败，正在重试",
  "warning.AUTHINFO_NOT_PERSISTED": "凭证尚未写入磁盘，断电后会丢失",
  "warning.STATE_RECOVERED": "本地数据曾损坏并已恢复；如反复出现请更换存储",
  "warning.STATE_COPY_DAMAGED": "本地数据的备份曾损坏，下次写入时自动补上；如反复出现请更换存储",
  "warning.STATE_OF_OTHER_IDENTITY": "本地数据属于其他商户或门店，未被使用",
  "warning.CLOCK_UNCONFIRMED": "开机后时间尚未得到确认",
  "warning.CLOCK_BEHIND":
    "本机时间有误：早于微信支付确认过的时间，凭证已用时长无法确定。每次断电后都如此时，请更换时钟电池。请校准时间：\n  timedatectl set-ntp true",
  "warning.CLOCK_SKEWED": "本机时间与微信支付相差过大",
  "warning.NETWORK_UNSTEADY": "网络曾不稳定，24 小时内会比平时更早更新凭证",
  "warning.STARTS_UNSTEADY":
    "服务反复启动或重新加载，且每次都没有可用的凭证，已限制额外获取。请检查供电，并查看原因：\n  facepay-agent diagnose\n  journalctl -u facepay-agent",
  "warning.REJECTIONS_LIMITED":
    "刷脸 SDK 一再拒绝凭证，已限制额外更新；请核对商户号、应用号和设备是否匹配，并检查收银程序使用的是否是最新凭证",
  "warning.DEVICE_UNSTEADY":
    "刷脸模组上报的设备SN反复变化，已限制额外更新；请检查是否有两台设备轮流接入，并修复或升级刷脸模组程序",
  "warning.NETWORK_CARD_UNSTEADY":
    "SDK 所在主板反复切换网卡（net_id），已限制额外更新；请固定使用一个网络，检查网线和 Wi-Fi，并升级刷脸模组程序",
  "warning.BRIDGE_UNSTEADY": "刷脸模组反复断开或重启，已限制额外更新；请检查线缆、供电和刷脸模组程序",
  "warning.KEYS_UNSTEADY": "密钥或证书文件反复变化，已限制额外更新；请检查是哪个程序在改写这些文件",
  "warning.CLOCK_UNSTEADY": "本机时间被反复修改，已限制额外更新；请只保留一个对时服务，并检查时钟电池",
  "warning.LINK_UNSTEADY": "本机网络接口反复通断或更换地址，已限制额外更新；请检查网线、Wi-Fi 或 SIM 卡",
  "warning.FILE_COPY_FAILED": "供文件读取的凭证副本写入失败",
  "warning.METRICS_TEXTFILE_FAILED": "监控文件写入失败，不影响收款",
  "warning.TELEMETRY_DOWN": "无法向 MQTT 服务器上报状态，收款不受影响；请核对 [telemetry]",
  "warning.API_SOCKET_REPLACED":
    "套接字文件被删除或被替换，收银程序已连不上。请重启服务：\n  systemctl restart facepay-agent",
  "warning.API_CROWDED": "本机有程序打开的连接过多，已关闭其中空闲的连接。请找出该程序并修正：\n  ss -xp",
};
