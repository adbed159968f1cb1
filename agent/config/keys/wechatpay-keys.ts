import { baseUrls, choice, type Form, filePath, integer, required, text, withDefault, yesNo } from "./fields.ts";
import type { Section } from "./key-table.ts";
import { readSerialNumber } from "./serial-number.ts";

const proxyUrl: Form = {
  pattern: /^\S+$/,
  published: /^http:\/\/[^/?#\s@]+:\d{1,5}\/?$/,
  zh: "http://host:port",
  en: "http://host:port",
};
const publicKeyId: Form = {
  pattern: /^PUB_KEY_ID_[0-9A-Za-z_-]{1,80}$/,
  zh: "PUB_KEY_ID_ 开头的公钥 id",
  en: "an id that begins with PUB_KEY_ID_",
};
const serialNo: Form = {
  pattern: /^[0-9A-Fa-f]{40}$/,
  read: readSerialNumber,
  zh: "40 位十六进制数",
  en: "40 hexadecimal digits",
};

export const wechatpayKeys = {
  about: { zh: "通向微信支付的路径", en: "The way to WeChat Pay" },
  fields: {
    mode: required(
      choice(
        "gateway：经商户自己的服务器（推荐）；direct：直连微信支付",
        "gateway: through the merchant's own server (advised); direct: straight to WeChat Pay",
        '"gateway"',
        ["gateway", "direct"],
      ),
    ),
    base_urls: baseUrls(
      "gateway：商户服务器，可带基础路径，第一个为主；direct：默认微信支付主备域名",
      "gateway: the merchant's servers, a base path allowed, the first is primary; direct: WeChat Pay's two domains by default",
      '["https://gateway.example.com/facepay"]',
    ),
    ca_file: filePath(
      "额外的根证书；不能用于 weixin.qq.com 的主机",
      "an extra root certificate; refused for hosts of weixin.qq.com",
      '"/etc/facepay-agent/ca.pem"',
    ),
    proxy: text(
      "转发代理；不写则用 HTTPS_PROXY / NO_PROXY",
      "forward proxy; else HTTPS_PROXY / NO_PROXY",
      '"http://proxy.example.com:3128"',
      proxyUrl,
    ),
    proxy_auth_file: filePath(
      "存有代理 user:password 的文件",
      "the file that holds the proxy's user:password",
      '"/etc/facepay-agent/proxy-auth"',
    ),
    attempt_timeout_ms: withDefault(
      integer(
        "对一个地址的一次尝试的总时限（毫秒）",
        "one attempt on one base URL, everything included, ms",
        "10000",
        50,
        120_000,
      ),
      10_000,
    ),
    connect_timeout_ms: withDefault(
      integer("建立连接的时限（毫秒）", "deadline of the connection, ms", "6000", 50, 120_000),
      6_000,
    ),
    public_key_id: required(
      text(
        "微信支付公钥 id；两种模式都用它验证每个应答",
        "id of WeChat Pay's public key, which verifies every answer in both modes",
        '"PUB_KEY_ID_0000000000000024101100397200000006"',
        publicKeyId,
      ),
    ),
    public_key_file: required(
      filePath(
        "微信支付公钥（pub_key.pem）",
        "WeChat Pay's public key (pub_key.pem)",
        '"/etc/facepay-agent/pub_key.pem"',
      ),
    ),
    accept_key_on_device: yesNo(
      "仅 direct，必须为 true：微信支付不建议把商户私钥放在终端上",
      "direct only, must be true: WeChat Pay advises against a merchant key on terminals",
      "true",
    ),
    merchant_serial_no: text(
      "仅 direct：商户 API 证书序列号",
      "direct only: serial number of the merchant API certificate",
      '"5157F09EFDC096DE15EBE81A47057A7232F1B8E1"',
      serialNo,
    ),
    merchant_private_key_file: filePath(
      "仅 direct：商户 API 私钥（apiclient_key.pem）",
      "direct only: merchant API key (apiclient_key.pem)",
      '"/etc/facepay-agent/apiclient_key.pem"',
    ),
    client_cert_file: filePath(
      "仅 gateway：本终端的客户端证书",
      "gateway only: this terminal's client certificate",
      '"/etc/facepay-agent/client.pem"',
    ),
    client_key_file: filePath(
      "仅 gateway：客户端证书的私钥",
      "gateway only: the client certificate's key",
      '"/etc/facepay-agent/client.key"',
    ),
    bearer_token_file: filePath(
      "仅 gateway：存有 bearer 令牌的文件",
      "gateway only: the file that holds the bearer token",
      '"/etc/facepay-agent/token"',
    ),
  },
} as const satisfies Section;
