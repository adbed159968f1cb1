import { baseUrls, choice, type Form, filePath, integer, required, text, withDefault, yesNo } from "./fields.ts";
import type { Section } from "./key-table.ts";
import { readSerialNumber } from "./serial-number.ts";

const proxyUrl: Form = {
  pattern: /^\S+$/,
  published: /^http:\/\/[^/?#\s@]+:\d{1,5}\/?$/,
  expects: { id: "form.proxy_url" },
};
const publicKeyId: Form = {
  pattern: /^PUB_KEY_ID_[0-9A-Za-z_-]{1,80}$/,
  expects: { id: "form.public_key_id" },
};
const serialNo: Form = {
  pattern: /^[0-9A-Fa-f]{40}$/,
  read: readSerialNumber,
  expects: { id: "form.serial_no" },
};

export const wechatpayKeys = {
  about: { id: "section.wechatpay" },
  fields: {
    mode: required(choice({ id: "key.wechatpay.mode" }, '"gateway"', ["gateway", "direct"])),
    base_urls: baseUrls({ id: "key.wechatpay.base_urls" }, '["https://gateway.example.com/facepay"]'),
    ca_file: filePath({ id: "key.wechatpay.ca_file" }, '"/etc/facepay-agent/ca.pem"'),
    proxy: text({ id: "key.wechatpay.proxy" }, '"http://proxy.example.com:3128"', proxyUrl),
    proxy_auth_file: filePath({ id: "key.wechatpay.proxy_auth_file" }, '"/etc/facepay-agent/proxy-auth"'),
    attempt_timeout_ms: withDefault(integer({ id: "key.wechatpay.attempt_timeout_ms" }, "10000", 50, 120_000), 10_000),
    connect_timeout_ms: withDefault(integer({ id: "key.wechatpay.connect_timeout_ms" }, "6000", 50, 120_000), 6_000),
    public_key_id: required(
      text({ id: "key.wechatpay.public_key_id" }, '"PUB_KEY_ID_0000000000000024101100397200000006"', publicKeyId),
    ),
    public_key_file: required(filePath({ id: "key.wechatpay.public_key_file" }, '"/etc/facepay-agent/pub_key.pem"')),
    accept_key_on_device: yesNo({ id: "key.wechatpay.accept_key_on_device" }, "true"),
    merchant_serial_no: text(
      { id: "key.wechatpay.merchant_serial_no" },
      '"5157F09EFDC096DE15EBE81A47057A7232F1B8E1"',
      serialNo,
    ),
    merchant_private_key_file: filePath(
      { id: "key.wechatpay.merchant_private_key_file" },
      '"/etc/facepay-agent/apiclient_key.pem"',
    ),
    client_cert_file: filePath({ id: "key.wechatpay.client_cert_file" }, '"/etc/facepay-agent/client.pem"'),
    client_key_file: filePath({ id: "key.wechatpay.client_key_file" }, '"/etc/facepay-agent/client.key"'),
    bearer_token_file: filePath({ id: "key.wechatpay.bearer_token_file" }, '"/etc/facepay-agent/token"'),
  },
} as const satisfies Section;
