import {
  baseUrls,
  choice,
  type Form,
  fileMode,
  filePath,
  fraction,
  integer,
  passedOn,
  required,
  text,
  withDefault,
  yesNo,
} from "./fields.ts";
import { keyTable, type Section, type SomeValuesOf, type ValuesOf } from "./key-table.ts";

/** Where the sockets are when neither the configuration nor systemd says: the packaged socket units' paths. */
export const packagedSockets = { api: "/run/facepay-agent/api.sock", admin: "/run/facepay-agent/admin.sock" } as const;

export const merchantNumber: Form = {
  pattern: /^[0-9]{1,32}$/,
  zh: "带引号的商户号（纯数字）",
  en: "a merchant number: digits, in quotes",
};
export const appId: Form = {
  pattern: /^[0-9A-Za-z_-]{1,32}$/,
  zh: "1 到 32 个字母或数字，例如 wx 开头的 appid",
  en: "1 to 32 letters and digits, such as wx...",
};
export const organizationId: Form = {
  pattern: /^[\x21-\x7e]{1,64}$/,
  zh: "1 到 64 个可见 ASCII 字符",
  en: "1 to 64 visible ASCII characters",
};
/** Contract 3: what a bridge may report. */
export const deviceId: Form = {
  pattern: /^[\x20-\x7e]{1,32}$/,
  zh: "1 到 32 个可打印 ASCII 字符",
  en: "1 to 32 printable ASCII characters",
};
const usbId: Form = {
  pattern: /^(0[xX])?[0-9A-Fa-f]{4}$/,
  zh: "带引号的 4 位十六进制数",
  en: "four hexadecimal digits in quotes",
};
const usbSerial: Form = {
  pattern: /^[\x20-\x7e]{1,126}$/,
  zh: "1 到 126 个可打印 ASCII 字符",
  en: "1 to 126 printable ASCII characters",
};
export const proxyUrl: Form = { pattern: /^\S+$/, zh: "http://host:port", en: "http://host:port" };
const publicKeyId: Form = {
  pattern: /^PUB_KEY_ID_[0-9A-Za-z_-]{1,80}$/,
  zh: "PUB_KEY_ID_ 开头的公钥 id",
  en: "an id that begins with PUB_KEY_ID_",
};
export const serialNo: Form = {
  pattern: /^[0-9A-Fa-f]{8,64}$/,
  zh: "8 到 64 位十六进制数",
  en: "8 to 64 hexadecimal digits",
};
const group: Form = {
  pattern: /^[0-9A-Za-z_][0-9A-Za-z_.-]{0,63}\$?$/,
  zh: "组名或组编号",
  en: "the name or number of a group",
};

/** Contract 2: every key there is, its type, range and default. Checks, `config schema` and `config show` come from here. */
export const schema = {
  identity: {
    about: { zh: "谁以谁的名义向微信支付请求", en: "Who asks WeChat Pay for whom" },
    fields: {
      sp_mchid: required(
        text("服务商商户号", "the service provider's merchant number", '"1900000100"', merchantNumber),
      ),
      sp_appid: required(text("服务商 appid", "the service provider's appid", '"wx2421b1c4370ec43b"', appId)),
      sub_mchid: required(text("子商户号", "the sub-merchant's number", '"1900000109"', merchantNumber)),
      organization_id: required(
        text(
          "微信侧分配的机构 id",
          "the organisation id that WeChat Pay assigned",
          '"O004ABC8FZ2023031514461460894a"',
          organizationId,
        ),
      ),
      sub_appid: text(
        "子商户 appid；不写则请求中没有该字段",
        "the sub-merchant's appid; left out of the request when absent",
        '"wxd678efh567hg6787"',
        appId,
      ),
      device_id: text(
        "设备号，在硬件桥没有报告时使用；与硬件桥报告的不同则报错",
        "used when the bridge reports no device id; a bridge that reports another one is an error",
        '"LTA0P18937F130532000001"',
        deviceId,
      ),
      device_id_file: filePath(
        "存有设备号的文件，代替 device_id",
        "a file that holds the device id, instead of device_id",
        '"/sys/class/dmi/id/product_serial"',
      ),
    },
  },
  driver: {
    about: { zh: "通向刷脸 SDK 的硬件桥", en: "The bridge to the face SDK" },
    fields: {
      type: withDefault(
        choice("连接方式", "how the bridge is reached", '"serial"', ["serial", "socket", "simulator"]),
        "serial",
      ),
      path: filePath(
        "串口设备，或硬件桥的 unix 套接字",
        "the serial device, or the bridge's unix socket",
        '"/dev/serial/by-id/usb-..."',
      ),
      vendor_id: text("代替 path：USB 厂商号", "instead of path: USB vendor id", '"1a86"', usbId),
      product_id: text("代替 path：USB 产品号", "instead of path: USB product id", '"7523"', usbId),
      serial_number: text(
        "USB 序列号，区分相同的转接器",
        "USB serial number, tells equal adapters apart",
        '"A50285BI"',
        usbSerial,
      ),
      baud_rate: withDefault(integer("波特率", "baud rate", "115200", 1_200, 4_000_000), 115_200),
      data_bits: withDefault(choice("数据位", "data bits", "8", [7, 8]), 8),
      parity: withDefault(choice("校验", "parity", '"none"', ["none", "even", "odd"]), "none"),
      stop_bits: withDefault(choice("停止位", "stop bits", "1", [1, 2]), 1),
      rtscts: withDefault(yesNo("硬件流控", "hardware flow control", "false"), false),
      call_timeout_ms: withDefault(
        integer("一次 SDK 调用的时限（毫秒）", "deadline of one SDK call, ms", "10000", 50, 120_000),
        10_000,
      ),
      init_timeout_ms: withDefault(
        integer("initWxpayface 的时限（毫秒）", "deadline of initWxpayface, ms", "15000", 50, 120_000),
        15_000,
      ),
    },
  },
  "driver.init": {
    about: {
      zh: "initWxpayface 的附加参数，原样传递；其它键同样允许",
      en: "Extra parameters of initWxpayface, passed unchanged; other keys are allowed as well",
    },
    open: true,
    fields: {
      ip: passedOn("代理地址", "address of the SDK's proxy", '"10.0.0.2"'),
      proxy_type: passedOn("0 无，1 HTTP 隧道，2 Socks5，3 HTTP", "0 none, 1 HTTP tunnel, 2 Socks5, 3 HTTP", "1"),
      passwd_file: filePath("存有 passwd 的文件", "the file that holds passwd", '"/etc/facepay-agent/sdk-passwd"'),
    },
  },
  wechatpay: {
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
  },
  refresh: {
    about: { zh: "何时更新 authinfo", en: "When the authinfo is renewed" },
    fields: {
      lifetime_s: withDefault(
        integer(
          "应答中没有 expires_in 时的有效期（秒）",
          "used when the answer carries no expires_in, s",
          "3600",
          5,
          86_400,
        ),
        3_600,
      ),
      refresh_at: withDefault(
        fraction(
          "首次更新的最晚时刻，占有效期的比例",
          "latest instant of the first refresh attempt, as a fraction of the lifetime",
          "0.5",
        ),
        0.5,
      ),
      refresh_at_unsteady: withDefault(
        fraction(
          "同上，用于网络出现不稳迹象后的 24 小时",
          "the same for 24 h after any sign of an unsteady network",
          "0.25",
        ),
        0.25,
      ),
      stale_s: withDefault(
        integer(
          "假定过期后，调用方明确要求时仍可取得旧 authinfo 的时长（秒）",
          "how long past an assumed expiry a caller that asks for it may have the old authinfo, s",
          "82800",
          0,
          86_400,
        ),
        82_800,
      ),
    },
  },
  store: {
    about: { zh: "断电后仍保留的状态", en: "State that survives a power cut" },
    fields: {
      directory: withDefault(
        filePath(
          "状态目录；不写则用 $STATE_DIRECTORY",
          "state directory; else $STATE_DIRECTORY",
          '"/var/lib/facepay-agent"',
        ),
        "/var/lib/facepay-agent",
      ),
      key_file: filePath(
        "封存密钥；不写则用 $CREDENTIALS_DIRECTORY/store-key，再没有则在状态旁生成",
        "key of the seal; else $CREDENTIALS_DIRECTORY/store-key, else one is made beside the state",
        '"/etc/facepay-agent/store-key"',
      ),
    },
  },
  api: {
    about: { zh: "本地套接字", en: "The local sockets" },
    fields: {
      socket: filePath(
        "供收银应用；不写则用 systemd 的 “api”",
        'for the cashier app; else systemd\'s "api"',
        `"${packagedSockets.api}"`,
      ),
      socket_group: text(
        "套接字的组；设置失败即报错",
        "group of the socket; failing to set it is an error",
        '"facepay-cashier"',
        group,
      ),
      socket_mode: withDefault(fileMode("套接字的权限", "permissions of the socket", '"0660"'), 0o660, "0660"),
      admin_socket: filePath(
        "供技术员与监控；不写则用 systemd 的 “admin”",
        'for technician and monitoring; else systemd\'s "admin"',
        `"${packagedSockets.admin}"`,
      ),
      admin_socket_group: text("管理套接字的组", "group of the admin socket", '"facepay-tech"', group),
      admin_socket_mode: withDefault(
        fileMode("管理套接字的权限", "permissions of the admin socket", '"0660"'),
        0o660,
        "0660",
      ),
    },
  },
  file_copy: {
    about: { zh: "给只能读文件的应用的副本（可选）", en: "A copy for apps that can only read files (optional)" },
    fields: {
      path: filePath("副本的路径", "path of the copy", '"/run/facepay-agent/authinfo.json"'),
      mode: withDefault(fileMode("副本的权限", "permissions of the copy", '"0640"'), 0o640, "0640"),
      group: text("副本的组", "group of the copy", '"facepay-cashier"', group),
    },
  },
  metrics: {
    about: { zh: "指标", en: "Metrics" },
    fields: {
      textfile: filePath(
        "供 node exporter 的文件，每 60 秒重写",
        "a file for a node exporter, rewritten every 60 s",
        '"/run/facepay-agent/facepay.prom"',
      ),
    },
  },
  log: {
    about: { zh: "日志", en: "The log" },
    fields: {
      level: withDefault(choice("日志级别", "log level", '"info"', ["debug", "info", "warn", "error"]), "info"),
    },
  },
} as const satisfies Record<string, Section>;

/** What the files say after the check of each key, defaults filled in: `values.driver.baud_rate`. */
export type Values = ValuesOf<typeof schema>;
/** The same while some keys may be missing or refused. */
export type SomeValues = SomeValuesOf<typeof schema>;

export const agentKeys = keyTable(schema);
export const { sections, knownKeys, fieldOf } = agentKeys;
