import type { SomeValues } from "../keys/schema.ts";

/** The keys that name a file with a secret or a certificate in it. */
export const secretKeys = [
  "wechatpay.public_key_file",
  "wechatpay.merchant_private_key_file",
  "wechatpay.ca_file",
  "wechatpay.client_cert_file",
  "wechatpay.client_key_file",
  "wechatpay.bearer_token_file",
  "wechatpay.proxy_auth_file",
  "driver.init.passwd_file",
  "store.key_file",
  "telemetry.ca_file",
  "telemetry.client_cert_file",
  "telemetry.client_key_file",
  "telemetry.password_file",
] as const;

export type SecretKey = (typeof secretKeys)[number];

/** Absolute paths of the files that are named. */
export type NamedFiles = ReadonlyMap<SecretKey, string>;

export function namedFiles(values: SomeValues): NamedFiles {
  const { wechatpay, store, telemetry } = values;
  const named: readonly (readonly [SecretKey, string | undefined])[] = [
    ["wechatpay.public_key_file", wechatpay.public_key_file],
    ["wechatpay.merchant_private_key_file", wechatpay.merchant_private_key_file],
    ["wechatpay.ca_file", wechatpay.ca_file],
    ["wechatpay.client_cert_file", wechatpay.client_cert_file],
    ["wechatpay.client_key_file", wechatpay.client_key_file],
    ["wechatpay.bearer_token_file", wechatpay.bearer_token_file],
    ["wechatpay.proxy_auth_file", wechatpay.proxy_auth_file],
    ["driver.init.passwd_file", values["driver.init"].passwd_file],
    ["store.key_file", store.key_file],
    ["telemetry.ca_file", telemetry.ca_file],
    ["telemetry.client_cert_file", telemetry.client_cert_file],
    ["telemetry.client_key_file", telemetry.client_key_file],
    ["telemetry.password_file", telemetry.password_file],
  ];
  const found = new Map<SecretKey, string>();
  for (const [key, file] of named) if (file !== undefined) found.set(key, file);
  return found;
}
