import { type Form, filePath, integer, required, text, withDefault, yesNo } from "../config/keys/fields.ts";
import { keyTable, type Section, type SomeValuesOf, type ValuesOf } from "../config/keys/key-table.ts";
import { schema as agentSchema } from "../config/keys/schema.ts";

const ofAgent = agentSchema.wechatpay.fields;

const address: Form = {
  pattern: /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)$/,
  expects: { id: "form.address" },
};
const basePath: Form = {
  pattern: /^(?:\/[0-9A-Za-z._~-]+)+$/,
  expects: { id: "form.base_path" },
};

/** Every key of the gateway's file: the same kind of table as the agent's. */
const schema = {
  identity: {
    about: { id: "gateway_section.identity" },
    fields: {
      sp_mchid: agentSchema.identity.fields.sp_mchid,
      sp_appid: agentSchema.identity.fields.sp_appid,
    },
  },
  listen: {
    about: { id: "gateway_section.listen" },
    fields: {
      host: withDefault(text({ id: "gateway_key.listen.host" }, '"0.0.0.0"', address), "0.0.0.0"),
      port: withDefault(integer({ id: "gateway_key.listen.port" }, "8443", 1, 65_535), 8_443),
      base_path: text({ id: "gateway_key.listen.base_path" }, '"/facepay"', basePath),
      cert_file: required(filePath({ id: "gateway_key.listen.cert_file" }, '"server.pem"')),
      key_file: required(filePath({ id: "gateway_key.listen.key_file" }, '"server.key"')),
    },
  },
  devices: {
    about: { id: "gateway_section.devices" },
    fields: {
      register_file: required(filePath({ id: "gateway_key.devices.register_file" }, '"devices.jsonl"')),
      ca_file: filePath({ id: "gateway_key.devices.ca_file" }, '"terminal-ca.pem"'),
      crl_file: filePath({ id: "gateway_key.devices.crl_file" }, '"terminal-ca.crl"'),
    },
  },
  wechatpay: {
    about: { id: "gateway_section.wechatpay" },
    fields: {
      base_urls: {
        ...ofAgent.base_urls,
        about: { id: "gateway_key.wechatpay.base_urls" },
        example: '["https://api.mch.weixin.qq.com"]',
      },
      ca_file: ofAgent.ca_file,
      proxy: ofAgent.proxy,
      proxy_auth_file: ofAgent.proxy_auth_file,
      // Two attempts have to fit into one of a terminal's, which is 10 s unless its configuration says otherwise.
      attempt_timeout_ms: withDefault(
        integer({ id: "gateway_key.wechatpay.attempt_timeout_ms" }, "4500", 50, 60_000),
        4_500,
      ),
      connect_timeout_ms: withDefault(
        integer({ id: "gateway_key.wechatpay.connect_timeout_ms" }, "3000", 50, 60_000),
        3_000,
      ),
      public_key_id: ofAgent.public_key_id,
      public_key_file: ofAgent.public_key_file,
      merchant_serial_no: required({
        ...ofAgent.merchant_serial_no,
        about: { id: "gateway_key.wechatpay.merchant_serial_no" },
      }),
      merchant_private_key_file: required({
        ...ofAgent.merchant_private_key_file,
        about: { id: "gateway_key.wechatpay.merchant_private_key_file" },
      }),
    },
  },
  fleet: {
    about: { id: "gateway_section.fleet" },
    fields: {
      refresh_seconds: integer({ id: "gateway_key.fleet.refresh_seconds" }, "1500", 600, 3_000),
    },
  },
  limits: {
    about: { id: "gateway_section.limits" },
    fields: {
      requests_per_hour: withDefault(integer({ id: "gateway_key.limits.requests_per_hour" }, "240", 4, 3_600_000), 240),
      burst: withDefault(integer({ id: "gateway_key.limits.burst" }, "20", 1, 100_000), 20),
      connections: withDefault(integer({ id: "gateway_key.limits.connections" }, "2000", 8, 100_000), 2_000),
      in_flight: withDefault(integer({ id: "gateway_key.limits.in_flight" }, "200", 1, 10_000), 200),
    },
  },
  health: {
    about: { id: "gateway_section.health" },
    fields: {
      host: withDefault(text({ id: "gateway_key.health.host" }, '"127.0.0.1"', address), "127.0.0.1"),
      port: withDefault(integer({ id: "gateway_key.health.port" }, "8444", 1, 65_535), 8_444),
      per_device: withDefault(yesNo({ id: "gateway_key.health.per_device" }, "false"), false),
    },
  },
  log: agentSchema.log,
} as const satisfies Record<string, Section>;

export type Values = ValuesOf<typeof schema>;
export type SomeValues = SomeValuesOf<typeof schema>;

export const gatewayKeys = keyTable(schema);
