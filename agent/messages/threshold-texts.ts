interface Threshold {
  readonly warn?: string;
  readonly fail?: string;
}

/**
 * What a check warns of and fails for, in Chinese; the English words stand with the check, for programs read them (docs/diagnose.schema.json).
 * The same as in docs/operations/diagnose.zh-CN.md.
 */
export const thresholdTexts = {
  "os.supported": { warn: "不是 Debian ≥ 11、Ubuntu ≥ 20.04、UOS 20、麒麟 V10", fail: "systemd < 240" },
  "node.version": { warn: "90 天内停止维护或不是已知长期支持版", fail: "< 24" },
  "pkg.integrity": { warn: "安装包的配置文件被改", fail: "程序文件被改或缺失" },
  "svc.enabled": { fail: "单元被禁用" },
  "svc.running": { warn: "运行不足 60 秒", fail: "没有运行" },
  "svc.restarts": { warn: "24 小时内 1 至 4 次", fail: "≥ 5 次" },
  "mem.free": { warn: "< 15%", fail: "< 5%" },
  "disk.free": { warn: "< 10% 或 < 200 MB", fail: "< 20 MB 或 inode < 1%" },
  "disk.write_latency": { warn: "落盘 95% ≥ 100 毫秒", fail: "≥ 1 秒" },
  "disk.readonly": { fail: "数据目录所在挂载是只读" },
  "time.synced": { warn: "未同步不足 1 小时，或与微信支付一致", fail: "未同步 ≥ 1 小时" },
  "time.offset": { warn: "相差 ≥ 10 秒", fail: "≥ 120 秒（微信支付上限 300 秒）" },
  "time.rtc": { warn: "无硬件时钟也无新的时钟文件", fail: "本机时间早于程序日期或微信支付最近一次签名的时间" },
  "time.zone": { warn: "不是 UTC+8" },
  "cfg.valid": { warn: "有提示，或尚未生效", fail: "缺失、无法读取或有误（文件:行号）" },
  "cfg.perms": { warn: "任何人可读", fail: "他人可写或属主不对" },
  "cfg.mode": { warn: "direct，商户私钥在本终端" },
  "key.file": { fail: "服务无法读取、他人可读、是链接、已损坏，或所在目录他人可写" },
  "key.match": { fail: "私钥、证书、序列号不匹配" },
  "cert.expiry": { warn: "≤ 30 天", fail: "≤ 7 天、已过期或尚未生效" },
  "cred.tpm": { warn: "未绑定 TPM" },
  "cfg.identity": { fail: "没有设备SN，或与硬件不一致" },
  "ser.present": { warn: "用会变的名称找到", fail: "不存在" },
  "ser.unique": { fail: "有多个" },
  "ser.perm": { fail: "不能读写" },
  "ser.busy": { warn: "ModemManager 或 brltty 可能抢占", fail: "被其他程序打开" },
  "ser.usb_resets": { warn: "24 小时内 1 至 5 次", fail: "> 5 次" },
  "ser.handshake": { warn: "≥ 1 秒", fail: "5 秒内无应答" },
  "ser.protocol": { warn: "次版本较旧", fail: "主版本不同" },
  "ser.crc": { warn: "≥ 0.01%", fail: "≥ 1%" },
  "ser.device_data": { warn: "≥ 3 秒", fail: "没有或无效" },
  "net.link": { warn: "Wi-Fi < 40%", fail: "没有地址或没有路由" },
  "net.gateway": { warn: "≥ 50 毫秒、丢包或无应答" },
  "net.dns": { warn: "某个服务器失败或 ≥ 300 毫秒", fail: "都无法解析" },
  "net.ipv6": { warn: "仅部分地址如此", fail: "域名只有 IPv4 地址而本终端只有 IPv6，或相反" },
  "net.dns_sane": { fail: "支付域名解析到内网、本机或 198.18/15 地址" },
  "net.captive": { fail: "网页登录或 HTML" },
  "net.proxy": { warn: "已设置但未使用", fail: "407、被拒绝或无法建立隧道" },
  "net.tls": { fail: "被拦截、名称不符或无效" },
  "pay.reach": { warn: "仅备用可达", fail: "都没有应答，或 429、5xx" },
  "pay.auth": {
    warn: "自检接口应答 404，网关可以不转发",
    fail: "401、403、服务自身的请求得到 404，或应答签名不符",
  },
  "pay.authinfo": { warn: "更新已逾期", fail: "没有或已过期，或没有服务在更新它" },
  "store.read": { warn: "使用上一份，或一周内恢复过；备份损坏", fail: "目录不可用、数据损坏或密钥丢失" },
  "store.write": { warn: "> 1 秒", fail: "被拒绝（errno），或服务写入失败" },
  "api.socket": { warn: "权限比配置宽", fail: "缺失、组不对或权限不足" },
  "api.selftest": { warn: "≥ 50 毫秒", fail: "≥ 500 毫秒或无应答" },
  "api.client": { warn: "从未读取，或有请求被拒绝", fail: "请求全部被拒绝" },
  "api.exposed": { fail: "有这样的监听" },
  "tel.broker": { warn: "服务 5 分钟以上未能连接 MQTT 服务器" },
} as const satisfies Readonly<Record<string, Threshold>>;
