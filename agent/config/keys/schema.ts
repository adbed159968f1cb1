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
import { telemetryKeys } from "./telemetry-keys.ts";
import { wechatpayKeys } from "./wechatpay-keys.ts";

/** Where the sockets are when neither the configuration nor systemd says: the packaged socket units' paths. */
export const packagedSockets = { api: "/run/facepay-agent/api.sock", admin: "/run/facepay-agent/admin.sock" } as const;

export const merchantNumber: Form = {
  pattern: /^[0-9]{1,32}$/,
  expects: { id: "form.merchant_number" },
};
export const appId: Form = {
  pattern: /^[0-9A-Za-z_-]{1,32}$/,
  expects: { id: "form.app_id" },
};
export const organizationId: Form = {
  pattern: /^[\x21-\x7e]{1,64}$/,
  expects: { id: "form.organization_id" },
};
/** Specification 3: what a bridge may report. */
export const deviceId: Form = {
  pattern: /^[\x20-\x7e]{1,32}$/,
  expects: { id: "form.device_id" },
};
const group: Form = {
  pattern: /^[0-9A-Za-z_][0-9A-Za-z_.-]{0,63}\$?$/,
  expects: { id: "form.group" },
};

/** Specification 2: every key there is, its type, range and default. Checks, `config schema` and `config show` come from here. */
export const schema = {
  identity: {
    about: { id: "section.identity" },
    fields: {
      sp_mchid: required(text({ id: "key.identity.sp_mchid" }, '"1900000100"', merchantNumber)),
      sp_appid: required(text({ id: "key.identity.sp_appid" }, '"wx2421b1c4370ec43b"', appId)),
      sub_mchid: required(text({ id: "key.identity.sub_mchid" }, '"1900000109"', merchantNumber)),
      organization_id: required(
        text({ id: "key.identity.organization_id" }, '"O004ABC8FZ2023031514461460894a"', organizationId),
      ),
      sub_appid: text({ id: "key.identity.sub_appid" }, '"wxd678efh567hg6787"', appId),
      device_id: text({ id: "key.identity.device_id" }, '"LTA0P18937F130532000001"', deviceId),
      device_id_file: filePath({ id: "key.identity.device_id_file" }, '"/sys/class/dmi/id/product_serial"'),
    },
  },
  driver: driverKeys,
  "driver.init": initKeys,
  wechatpay: wechatpayKeys,
  refresh: {
    about: { id: "section.refresh" },
    fields: {
      lifetime_s: withDefault(integer({ id: "key.refresh.lifetime_s" }, "3600", 5, 86_400), 3_600),
      refresh_at: withDefault(fraction({ id: "key.refresh.refresh_at" }, "0.5"), 0.5),
      refresh_at_unsteady: withDefault(fraction({ id: "key.refresh.refresh_at_unsteady" }, "0.25"), 0.25),
      demand: withDefault(choice({ id: "key.refresh.demand" }, '"learn"', ["learn", "off"]), "learn"),
      stale_s: withDefault(integer({ id: "key.refresh.stale_s" }, "82800", 0, 86_400), 82_800),
    },
  },
  store: {
    about: { id: "section.store" },
    fields: {
      directory: withDefault(
        filePath({ id: "key.store.directory" }, '"/var/lib/facepay-agent"'),
        "/var/lib/facepay-agent",
      ),
      key_file: filePath({ id: "key.store.key_file" }, '"/etc/facepay-agent/store-key"'),
    },
  },
  api: {
    about: { id: "section.api" },
    fields: {
      socket: filePath({ id: "key.api.socket" }, `"${packagedSockets.api}"`),
      socket_group: text({ id: "key.api.socket_group" }, '"facepay-cashier"', group),
      socket_mode: withDefault(fileMode({ id: "key.api.socket_mode" }, '"0660"'), 0o660, "0660"),
      admin_socket: filePath({ id: "key.api.admin_socket" }, `"${packagedSockets.admin}"`),
      admin_socket_group: text({ id: "key.api.admin_socket_group" }, '"facepay-tech"', group),
      admin_socket_mode: withDefault(fileMode({ id: "key.api.admin_socket_mode" }, '"0660"'), 0o660, "0660"),
    },
  },
  file_copy: {
    about: { id: "section.file_copy" },
    fields: {
      path: filePath({ id: "key.file_copy.path" }, '"/run/facepay-agent/authinfo.json"'),
      mode: withDefault(fileMode({ id: "key.file_copy.mode" }, '"0640"'), 0o640, "0640"),
      group: text({ id: "key.file_copy.group" }, '"facepay-cashier"', group),
    },
  },
  metrics: {
    about: { id: "section.metrics" },
    fields: {
      textfile: filePath({ id: "key.metrics.textfile" }, '"/run/facepay-agent/facepay.prom"'),
      runtime: withDefault(yesNo({ id: "key.metrics.runtime" }, "false"), false),
    },
  },
  telemetry: telemetryKeys,
  log: {
    about: { id: "section.log" },
    fields: {
      level: withDefault(choice({ id: "key.log.level" }, '"info"', ["debug", "info", "warn", "error"]), "info"),
    },
  },
} as const satisfies Record<string, Section>;

/** What the files say after the check of each key, defaults filled in: `values.driver.baud_rate`. */
export type Values = ValuesOf<typeof schema>;
/** The same while some keys may be missing or refused. */
export type SomeValues = SomeValuesOf<typeof schema>;

export const agentKeys = keyTable(schema);
export const { sections, knownKeys, fieldOf } = agentKeys;
