import { configurationRemedies } from "./configuration-remedies.ts";
import { networkRemedies } from "./network-remedies.ts";
import type { Remedy } from "./remedy.ts";
import type { RemedyRule } from "./remedy-rule.ts";
import { terminalRemedies } from "./terminal-remedies.ts";

const wrongPort: Remedy = {
  zh: "该端口不是 HTTPS 服务：请核对 base_urls 的端口：{urls}。",
  en: "That port does not speak TLS: check the port in base_urls: {urls}.",
  edits: true,
};

/**
 * What to do when no answer came, or one that is not believed: more exactly than the check that looks for the failure can say,
 * which holds where no rule fits.
 */
export const wayRules: readonly RemedyRule[] = [
  // A 401 for a wrong clock is one of the clock, whatever its words.
  { code: /^CLOCK_WRONG$/, remedy: terminalRemedies["time.offset"] },
  {
    code: /^PAY_DNS$/,
    reason: /^(ENOTFOUND|ENODATA)$/,
    hosts: "own",
    remedy: {
      zh: "DNS 中没有 {hosts}：请核对配置中的域名，或联系网络管理员。",
      en: "DNS knows no {hosts}: check the name in the configuration, or call the network administrator.",
      edits: true,
    },
  },
  {
    code: /^PAY_IP_VERSION$/,
    param: ["missing", "IPv6"],
    remedy: {
      zh: "{hosts} 只有 IPv6 地址：请在路由器上启用 IPv6，或请该域名的管理员添加 IPv4 地址。",
      en: "{hosts} has IPv6 addresses only: turn IPv6 on in the router, or have whoever runs the name add an IPv4 address.",
    },
  },
  {
    code: /^PAY_CONNECT_REFUSED$/,
    remedy: {
      zh: "连接被拒绝：请核对 base_urls 的地址和端口（{urls}），并确认防火墙允许访问 TCP {ports} 端口。",
      en: "The connection is refused: check address and port of base_urls ({urls}), and allow outbound TCP {ports} in the firewall.",
      edits: true,
    },
  },
  {
    code: /^PAY_CONNECT_TIMEOUT$/,
    reason: /^TLS_SILENT$/,
    remedy: {
      zh: "请检查中间的代理或安全设备，并核对 base_urls 的端口：{urls}。",
      en: "Look for a proxy or middlebox in between, or a wrong port in base_urls: {urls}.",
      edits: true,
    },
  },
  // The connection has come about: no firewall on the way keeps it.
  {
    code: /^PAY_CONNECTION_LOST$/,
    mode: "gateway",
    remedy: {
      zh: "商户网关中断了连接，会自动重试；持续出现请总部查看网关日志，并核对它是否认可本终端的证书。",
      en: "The gateway breaks the connection off; retries go on. If it lasts, have headquarters read its log, and check that it accepts this terminal's certificate.",
    },
  },
  {
    code: /^PAY_CONNECTION_LOST$/,
    remedy: {
      zh: "连接被中断，会自动重试；持续出现请检查中间的代理、防火墙或不稳定的网络。",
      en: "The connection is broken off; retries go on. If it lasts, look for a proxy, a firewall or a bad line in between.",
    },
  },
  {
    code: /^PAY_TIMEOUT$/,
    mode: "gateway",
    remedy: {
      zh: "商户网关没有及时应答，会自动重试；持续出现请总部检查网关，并检查本店网速。",
      en: "The gateway does not answer in time; retries go on. If it lasts, have headquarters check it, and the shop's line.",
    },
  },
  {
    code: /^PAY_TIMEOUT$/,
    remedy: {
      zh: "没有及时收到应答，会自动重试；持续出现请检查本店网速和中间的代理。",
      en: "No answer comes in time; retries go on. If it lasts, check the shop's line and any proxy in between.",
    },
  },
  // RFC 6585: the network itself asks for a login.
  { code: /^PAY_CAPTIVE_PORTAL$/, status: 511, remedy: networkRemedies["net.captive"] },
  { code: /^PAY_CAPTIVE_PORTAL$/, param: ["port", 80], remedy: networkRemedies["net.captive"] },
  // Behind a certificate of the gateway's own it is rather its web server than the shop's network that shows a page.
  {
    code: /^PAY_(CAPTIVE_PORTAL|REDIRECTED)$/,
    mode: "gateway",
    hosts: "own",
    remedy: {
      zh: "应答的是网页，不是支付接口：请核对 base_urls 中的路径：{urls}；若本店网络要求网页登录，请改用专用网络。",
      en: "A web page answers in place of the payment interface: check the path in base_urls: {urls}; if the shop's network wants a login, use a dedicated line.",
      edits: true,
    },
  },
  {
    code: /^PAY_ANSWER_NOT_HTTP$/,
    remedy: { ...wrongPort, en: "What answers there is not HTTP: check the port in base_urls: {urls}." },
  },
  // What OpenSSL makes of plain HTTP and of any other protocol: no record of TLS begins like that.
  {
    code: /^PAY_TLS_FAILED$/,
    reason: /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_TOO_LARGE|HTTP_REQUEST|UNEXPECTED_MESSAGE/,
    remedy: wrongPort,
  },
  {
    code: /^PAY_TLS_FAILED$/,
    reason: /^UNSPECIFIED$/,
    hosts: "own",
    remedy: {
      zh: "服务器证书不合格，可能是密钥太弱：请联系 {hosts} 的管理员，用 RSA 2048 位以上或 EC P-256 的密钥换发证书。",
      en: "The server's certificate is not fit for TLS, perhaps its key is too weak: ask whoever runs {hosts} to replace it, with a key of RSA 2048 bits or more, or of EC P-256.",
    },
  },
  // With an authority of one's own another certificate is somebody else's, or the gateway has got a new authority.
  {
    code: /^PAY_TLS_UNTRUSTED$/,
    param: ["variant", "ca_file"],
    remedy: {
      zh: "证书不是商户网关的，连接可能被网页登录或 HTTPS 检测拦截：请改用专用网络或将 {hosts} 加入白名单；网关更换过 CA 的，请向总部索取新的 ca_file。不要信任网络给出的证书。",
      en: "This is not the gateway's certificate: a login page or HTTPS inspection may intercept the connection. Use a dedicated line, or exempt {hosts}; if the gateway has a new authority, get the new ca_file from headquarters. Never trust a certificate that the network shows.",
      edits: true,
    },
  },
  {
    code: /^PAY_TLS_UNTRUSTED$/,
    hosts: "own",
    remedy: {
      zh: "连接可能被网页登录或 HTTPS 检测拦截：请改用专用网络或将 {hosts} 加入白名单；自建 CA 的网关，请向总部索取根证书并写入 ca_file。不要信任网络给出的证书。",
      en: "A login page or HTTPS inspection may intercept the connection: use a dedicated line, or exempt {hosts}. If the gateway has an authority of its own, get its root from headquarters for ca_file. Never trust a certificate that the network shows.",
      edits: true,
    },
  },
  {
    code: /^PAY_TLS_NAME$/,
    hosts: "own",
    remedy: {
      zh: "证书不属于该域名：请核对 base_urls 的域名：{hosts}；若是自建网关，请为该域名换发证书。",
      en: "The certificate is not for this host: check the name in base_urls ({hosts}), or have your gateway's certificate issued for it.",
      edits: true,
    },
  },
  {
    code: /^PAY_TLS_EXPIRED$/,
    hosts: "own",
    remedy: {
      zh: "请联系 {hosts} 的管理员更换服务器证书。",
      en: "Ask whoever runs {hosts} to renew its certificate.",
    },
  },
  // OpenSSL could not use the two files at all.
  { code: /^PAY_CLIENT_CERTIFICATE$/, reason: /^ERR_OSSL_/, remedy: configurationRemedies["key.match"] },
  { code: /^PAY_CLIENT_CERTIFICATE$/, remedy: configurationRemedies["cert.expiry"] },
  {
    code: /^PAY_PROXY_AUTH$/,
    remedy: {
      zh: "代理用户名或密码不对：请核对 proxy_auth_file 中的 user:password。",
      en: "The proxy wants other credentials: check user:password in proxy_auth_file.",
    },
  },
  {
    code: /^PAY_PROXY$/,
    status: "none",
    remedy: {
      zh: "代理没有应答：请核对代理的地址和端口，并确认它在运行。",
      en: "The proxy does not answer: check its address and port, and that it is running.",
    },
  },
  {
    code: /^PAY_PROXY$/,
    remedy: {
      zh: "请在代理上允许通过 CONNECT 方法访问微信支付或商户网关的 {ports} 端口。",
      en: "Allow the method CONNECT to the payment hosts, port {ports}, on the proxy.",
    },
  },
  {
    code: /^PAY_UNSIGNED$/,
    remedy: {
      zh: "网关或代理去掉了 Wechatpay-* 应答头：请让其原样转发应答头和正文。",
      en: "A gateway or proxy drops the Wechatpay-* headers: have it forward headers and body unchanged.",
    },
  },
  {
    code: /^PAY_SIGNATURE_SERIAL$/,
    remedy: {
      zh: "public_key_id 与微信支付使用的公钥不符：请总部重新下发公钥 ID 和公钥文件。",
      en: "This public_key_id is not the key in use: have headquarters deploy id and key file again.",
    },
  },
  {
    code: /^PAY_SIGNATURE_INVALID$/,
    remedy: {
      zh: "public_key_file 不是 public_key_id 的公钥：请总部重新下发；若经过代理，请确认其不改写应答。",
      en: "This public_key_file is not the key of public_key_id: deploy it again; if there is a proxy, it must not rewrite answers.",
    },
  },
  {
    code: /^PAY_SIGNATURE_MALFORMED$/,
    remedy: {
      zh: "网关或代理重复添加或改写了 Wechatpay-* 应答头：请让其原样转发，每个头只出现一次。",
      en: "A gateway or proxy adds or rewrites Wechatpay-* headers: have it forward each of them once, unchanged.",
    },
  },
  {
    code: /^PAY_SIGNATURE_REPLAYED$/,
    remedy: {
      zh: "网络中有程序重发旧应答：请让网关或代理不要缓存应答。",
      en: "Something in between sends an old answer again: a gateway or proxy must not cache answers.",
    },
  },
];
