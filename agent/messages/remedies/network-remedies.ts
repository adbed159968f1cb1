import type { Bilingual } from "../../common/language.ts";

/** What the technician does about a failure of the way to WeChat Pay, by the id of the check that looks for it (docs/operations/diagnose.md). */
export const networkRemedies = {
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
  "net.ipv6": {
    zh: "请在路由器上同时启用 IPv4（或 NAT64），或改用提供 IPv4 的网络。",
    en: "Turn IPv4 (or NAT64) on in the router as well, or use a network that has it.",
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
  "net.mtu": {
    zh: "网络丢弃大数据包：请把路由器 WAN 口的 MTU 改为 1400（常见于 PPPoE 拨号和 VPN），或启用 MSS 钳制（MSS clamping）。",
    en: "The network drops large packets: set the MTU of the router's WAN side to 1400 (common with PPPoE and VPN), or clamp the MSS there.",
  },
  "pay.reach": {
    zh: "支付服务不可达或繁忙，请确认防火墙允许访问 TCP {ports} 端口，稍候会自动重试。",
    en: "The payment host cannot be reached or is busy; allow outbound TCP {ports}. It is retried.",
  },
  "pay.auth": {
    zh: "商户鉴权失败，请联系总部核对商户号、证书与权限。",
    en: "Merchant authentication failed; ask headquarters to check id, certificate and permission.",
  },
  "pay.authinfo": {
    zh: "微信支付返回的凭证不可用，正在重试；持续出现请联系支持。",
    en: "WeChat Pay's answer is unusable; retries go on. If it lasts, call support.",
  },
} as const satisfies Readonly<Record<string, Bilingual>>;
