import { type Form, filePath, integer, required, text, withDefault } from "../config/keys/fields.ts";
import { keyTable, type Section, type SomeValuesOf, type ValuesOf } from "../config/keys/key-table.ts";
import { schema as agentSchema } from "../config/keys/schema.ts";

const ofAgent = agentSchema.wechatpay.fields;

const address: Form = {
  pattern: /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)$/,
  zh: '本机的 IP 地址，例如 "0.0.0.0"',
  en: 'an IP address of this machine, such as "0.0.0.0"',
};
const basePath: Form = {
  pattern: /^(?:\/[0-9A-Za-z._~-]+)+$/,
  zh: "以 / 开头、不以 / 结尾的路径",
  en: "a path that begins with / and does not end with it",
};

/** Every key of the gateway's file: the same kind of table as the agent's. */
const schema = {
  identity: {
    about: { zh: "以哪个服务商的名义请求", en: "The service provider in whose name is asked" },
    fields: {
      sp_mchid: agentSchema.identity.fields.sp_mchid,
      sp_appid: agentSchema.identity.fields.sp_appid,
    },
  },
  listen: {
    about: { zh: "终端从这里进来（HTTPS）", en: "Where terminals come in (HTTPS)" },
    fields: {
      host: withDefault(text("监听地址", "address to listen on", '"0.0.0.0"', address), "0.0.0.0"),
      port: withDefault(integer("端口", "port", "8443", 1, 65_535), 8_443),
      base_path: text(
        "路径前缀；终端的 base_urls 以它结尾",
        "prefix of every path; the terminals' base_urls end with it",
        '"/facepay"',
        basePath,
      ),
      cert_file: required(
        filePath("服务器证书，后接其证书链", "the server's certificate, its chain behind it", '"server.pem"'),
      ),
      key_file: required(filePath("服务器证书的私钥", "the server certificate's key", '"server.key"')),
    },
  },
  devices: {
    about: { zh: "哪些终端可以进来", en: "Which terminals may come in" },
    fields: {
      register_file: required(
        filePath("设备登记表：每行一台终端", "the register: one terminal a line", '"devices.jsonl"'),
      ),
      ca_file: filePath(
        "签发终端证书的 CA；不写则只认令牌",
        "the authorities that issue the terminals' certificates; without it only tokens count",
        '"terminal-ca.pem"',
      ),
      crl_file: filePath(
        "吊销列表（PEM），ca_file 中每个 CA 各一份",
        "revocation lists, PEM: one by each of these authorities",
        '"terminal-ca.crl"',
      ),
    },
  },
  wechatpay: {
    about: { zh: "通向微信支付的路径", en: "The way to WeChat Pay" },
    fields: {
      base_urls: {
        ...ofAgent.base_urls,
        about: { zh: "默认微信支付主备域名", en: "WeChat Pay's two domains by default" },
        example: '["https://api.mch.weixin.qq.com"]',
      },
      ca_file: ofAgent.ca_file,
      proxy: ofAgent.proxy,
      proxy_auth_file: ofAgent.proxy_auth_file,
      // Two attempts have to fit into one of a terminal's, which is 10 s unless its configuration says otherwise.
      attempt_timeout_ms: withDefault(
        integer(
          "对一个地址的一次尝试的总时限（毫秒）；两次之和应小于终端的时限",
          "one attempt on one base URL, ms; two of them should fit into one of a terminal's",
          "4500",
          50,
          60_000,
        ),
        4_500,
      ),
      connect_timeout_ms: withDefault(
        integer("建立连接的时限（毫秒）", "deadline of the connection, ms", "3000", 50, 60_000),
        3_000,
      ),
      public_key_id: ofAgent.public_key_id,
      public_key_file: ofAgent.public_key_file,
      merchant_serial_no: required({
        ...ofAgent.merchant_serial_no,
        about: { zh: "商户 API 证书序列号", en: "serial number of the merchant API certificate" },
      }),
      merchant_private_key_file: required({
        ...ofAgent.merchant_private_key_file,
        about: { zh: "商户 API 私钥（apiclient_key.pem）", en: "merchant API key (apiclient_key.pem)" },
      }),
    },
  },
  fleet: {
    about: { zh: "对所有终端的调节", en: "What holds for all terminals" },
    fields: {
      refresh_seconds: integer(
        "成功后多少秒再更新；不写则由终端自己决定",
        "seconds from a success to the next refresh; the terminals decide when it is absent",
        "1500",
        600,
        3_000,
      ),
    },
  },
  limits: {
    about: { zh: "上限", en: "Limits" },
    fields: {
      requests_per_hour: withDefault(
        integer("每台终端每小时的请求数", "requests of one terminal in an hour", "240", 4, 3_600_000),
        240,
      ),
      burst: withDefault(
        integer("每台终端可连续发出的请求数", "requests at once of one terminal", "20", 1, 100_000),
        20,
      ),
      connections: withDefault(
        integer("同时打开的连接数", "connections open at the same time", "2000", 8, 100_000),
        2_000,
      ),
      in_flight: withDefault(
        integer("同时转发的请求数", "requests being forwarded at the same time", "200", 1, 10_000),
        200,
      ),
    },
  },
  health: {
    about: { zh: "健康检查与指标（HTTP，无加密）", en: "Health and metrics (plain HTTP)" },
    fields: {
      host: withDefault(text("监听地址", "address to listen on", '"127.0.0.1"', address), "127.0.0.1"),
      port: withDefault(integer("端口", "port", "8444", 1, 65_535), 8_444),
    },
  },
  log: agentSchema.log,
} as const satisfies Record<string, Section>;

export type Values = ValuesOf<typeof schema>;
export type SomeValues = SomeValuesOf<typeof schema>;

export const gatewayKeys = keyTable(schema);
