import { plainUsbId } from "./addresses.ts";
import type { Config } from "./config.ts";
import type { Values } from "./keys/schema.ts";
import { parseBroker } from "./keys/telemetry-keys.ts";
import type { ProxyChoice } from "./proxy.ts";

/** WeChat Pay's main domain and its documented backup (WeChat Pay APIv3: backup domain). */
export const DIRECT_BASE_URLS = ["https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com"];

/** The configuration from values that have passed every check. `deviceId`: from `device_id`, or the file's content. */
export function assemble(values: Values, proxy: ProxyChoice, deviceId: string | undefined): Config {
  const { identity, store, file_copy, metrics, log } = values;
  return deepFreeze({
    identity: {
      spMchid: identity.sp_mchid,
      spAppid: identity.sp_appid,
      subMchid: identity.sub_mchid,
      organizationId: identity.organization_id,
      ...present("subAppid", identity.sub_appid),
      ...present("deviceId", deviceId),
    },
    driver: driver(values),
    wechatpay: wechatpay(values, proxy),
    refresh: {
      lifetimeS: values.refresh.lifetime_s,
      refreshAt: values.refresh.refresh_at,
      refreshAtUnsteady: values.refresh.refresh_at_unsteady,
      demand: values.refresh.demand,
      staleS: values.refresh.stale_s,
    },
    store: { directory: store.directory, ...present("keyFile", store.key_file) },
    api: assembleApi(values),
    ...(file_copy.path === undefined
      ? {}
      : { fileCopy: { path: file_copy.path, mode: file_copy.mode, ...present("group", file_copy.group) } }),
    metrics: { ...present("textfile", metrics.textfile), runtime: metrics.runtime },
    ...present("telemetry", telemetry(values)),
    log: { level: log.level },
  });
}

function driver({ driver, "driver.init": init }: Values): Config["driver"] {
  const { vendor_id, product_id, serial_number } = driver;
  const { passwd_file, ...parameters } = init;
  const byUsbId = driver.type === "serial" && vendor_id !== undefined && product_id !== undefined;
  return {
    type: driver.type,
    ...present("path", driver.path),
    ...(byUsbId
      ? {
          match: {
            vendorId: plainUsbId(vendor_id),
            productId: plainUsbId(product_id),
            ...present("serialNumber", serial_number),
          },
        }
      : {}),
    baudRate: driver.baud_rate,
    dataBits: driver.data_bits,
    parity: driver.parity,
    stopBits: driver.stop_bits,
    rtscts: driver.rtscts,
    callTimeoutMs: driver.call_timeout_ms,
    initTimeoutMs: driver.init_timeout_ms,
    init: parameters,
    ...present("initPasswdFile", passwd_file),
  };
}

function wechatpay({ wechatpay }: Values, { proxy, noProxy }: ProxyChoice): Config["wechatpay"] {
  return {
    mode: wechatpay.mode,
    baseUrls: wechatpay.base_urls ?? DIRECT_BASE_URLS,
    ...present("caFile", wechatpay.ca_file),
    ...present("proxy", proxy),
    ...present("proxyAuthFile", wechatpay.proxy_auth_file),
    noProxy,
    attemptTimeoutMs: wechatpay.attempt_timeout_ms,
    connectTimeoutMs: wechatpay.connect_timeout_ms,
    publicKeyId: wechatpay.public_key_id,
    publicKeyFile: wechatpay.public_key_file,
    ...present("merchantSerialNo", wechatpay.merchant_serial_no),
    ...present("merchantPrivateKeyFile", wechatpay.merchant_private_key_file),
    ...present("clientCertFile", wechatpay.client_cert_file),
    ...present("clientKeyFile", wechatpay.client_key_file),
    ...present("bearerTokenFile", wechatpay.bearer_token_file),
  };
}

function telemetry({ telemetry }: Values): Config["telemetry"] {
  const broker = telemetry.broker === undefined ? undefined : parseBroker(telemetry.broker);
  if (broker === undefined) return undefined;
  return {
    broker,
    ...present("username", telemetry.username),
    topicPrefix: telemetry.topic_prefix,
    intervalS: telemetry.interval_s,
    keepaliveS: telemetry.keepalive_s,
    commands: telemetry.commands,
  };
}

/** The sockets alone, for a terminal that is not provisioned yet. */
export function assembleApi({ api }: Pick<Values, "api">): Config["api"] {
  return {
    ...present("socket", api.socket),
    ...present("socketGroup", api.socket_group),
    socketMode: api.socket_mode,
    ...present("adminSocket", api.admin_socket),
    ...present("adminSocketGroup", api.admin_socket_group),
    adminSocketMode: api.admin_socket_mode,
  };
}

/** An optional property is absent, never undefined (`exactOptionalPropertyTypes`). */
function present<Key extends string, T>(key: Key, value: T | undefined): { [K in Key]?: T } {
  if (value === undefined) return {};
  const property: { [K in Key]?: T } = {};
  property[key] = value;
  return property;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
