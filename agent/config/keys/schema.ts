import { driverKeys, initKeys } from "./driver-keys.ts";
import {
  choice,
  type Form,
  fileMode,
  filePath,
  fraction,
  integer,
  required,
  text,
  withDefault,
  yesNo,
} from "./fields.ts";
import { keyTable, type Section, type SomeValuesOf, type ValuesOf } from "./key-table.ts";
import { wechatpayKeys } from "./wechatpay-keys.ts";

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
/** Specification 3: what a bridge may report. */
export const deviceId: Form = {
  pattern: /^[\x20-\x7e]{1,32}$/,
  zh: "1 到 32 个可打印 ASCII 字符",
  en: "1 to 32 printable ASCII characters",
};
const group: Form = {
  pattern: /^[0-9A-Za-z_][0-9A-Za-z_.-]{0,63}\$?$/,
  zh: "组名或组编号",
  en: "the name or number of a group",
};

/** Specification 2: every key there is, its type, range and default. Checks, `config schema` and `config show` come from here. */
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
        "设备号，在刷脸模组没有报告时使用；与刷脸模组报告的不同则报错",
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
  driver: driverKeys,
  "driver.init": initKeys,
  wechatpay: wechatpayKeys,
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
        "加密密钥；不写则用 $CREDENTIALS_DIRECTORY/store-key，再没有则在状态旁生成",
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
        "供 node_exporter 读取的文件，每 60 秒重写",
        "a file for a node exporter, rewritten every 60 s",
        '"/run/facepay-agent/facepay.prom"',
      ),
      runtime: withDefault(
        yesNo("在管理套接字上另给出 Node 运行时指标 nodejs_*", "nodejs_* besides, on the admin socket", "false"),
        false,
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
