import path from "node:path";
import type { LogLevel } from "../common/log/log.ts";
import { DIRECT_BASE_URLS } from "../config/assemble.ts";
import type { WechatPayConfig } from "../config/config.ts";
import { readText } from "../config/files/sources.ts";
import { parseToml } from "../config/files/toml.ts";
import { fileLayer } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { chooseProxy } from "../config/proxy.ts";
import { Findings } from "../config/rules/findings.ts";
import { wayRules } from "../config/rules/wechatpay-rules.ts";
import { collect, type Environment, type Settings } from "../config/settings.ts";
import { checkValues } from "../config/values.ts";
import { gatewayKeys, type SomeValues, type Values } from "./schema.ts";

/** The keys that name a file. */
const fileKeys = [
  "listen.cert_file",
  "listen.key_file",
  "devices.register_file",
  "devices.ca_file",
  "devices.crl_file",
  "wechatpay.ca_file",
  "wechatpay.proxy_auth_file",
  "wechatpay.public_key_file",
  "wechatpay.merchant_private_key_file",
] as const;

export type FileKey = (typeof fileKeys)[number];

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** The checked configuration of a gateway. Secrets are only named here. */
export interface GatewayConfig {
  readonly identity: { readonly spMchid: string; readonly spAppid: string };
  readonly listen: Place;
  /** "" or "/facepay". */
  readonly basePath: string;
  readonly health: Place;
  /** A sample for each terminal on the metrics. */
  readonly healthPerDevice: boolean;
  readonly wechatpay: WechatPayConfig;
  readonly refreshSeconds?: number;
  readonly requestsPerHour: number;
  readonly burst: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly logLevel: LogLevel;
  /** Absolute paths by key. */
  readonly files: ReadonlyMap<FileKey, string>;
}

export interface CheckedConfig {
  /** Absent when there is any problem, or no file. */
  readonly config?: GatewayConfig;
  readonly absent: boolean;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Where each key stands. */
  readonly origins: ReadonlyMap<string, string>;
  /** As far as they are named, whatever else is wrong. */
  readonly files: ReadonlyMap<FileKey, string>;
}

/** Reads and checks one TOML file by the machinery of the agent's configuration. All problems at once; never throws. */
export function readConfig(file: string, env: Environment): CheckedConfig {
  const mainFile = path.resolve(file);
  const source = readText(mainFile);
  const nothing = { problems: [], warnings: [], origins: new Map<string, string>(), files: new Map<FileKey, string>() };
  if (source === undefined) return { ...nothing, absent: true };
  if (!("text" in source)) return { ...nothing, absent: false, problems: [source] };
  const parsed = parseToml(source.text, mainFile);
  if (!parsed.ok) return { ...nothing, absent: false, problems: [parsed.problem] };
  const layer = fileLayer(source, parsed.toml);
  const { settings, problems } = collect([layer], {}, layer.directory, gatewayKeys);
  const checked = checkValues<SomeValues>(settings, mainFile, gatewayKeys);
  const { values } = checked;
  const found = rules(values, settings, mainFile);
  const proxy = chooseProxy(values, settings, env);
  const all = [...problems, ...checked.problems, ...checked.missing, ...found.problems, ...proxy.problems];
  const files = namedFiles(values);
  const common = {
    absent: false,
    problems: all,
    warnings: [...found.warnings, ...proxy.warnings],
    origins: new Map([...settings].map(([key, { origin }]) => [key, origin])),
    files,
  };
  if (all.length > 0) return common;
  // Without a problem every required key has passed its check.
  return { ...common, config: assemble(values as Values, proxy, files) };
}

function rules(values: SomeValues, settings: Settings, mainFile: string): Findings<SomeValues> {
  const found = new Findings(values, settings, mainFile);
  wayRules(found, "direct");
  if (found.has("devices.crl_file") && !found.has("devices.ca_file")) {
    found.problem("devices.crl_file", { id: "gateway.crl_without_ca" }, { id: "gateway.write_ca" });
  }
  if (values.listen.port !== undefined && values.listen.port === values.health.port) {
    found.problem("health.port", { id: "gateway.same_port" }, { id: "gateway.another_port" });
  }
  return found;
}

function assemble(
  values: Values,
  proxy: ReturnType<typeof chooseProxy>,
  files: ReadonlyMap<FileKey, string>,
): GatewayConfig {
  const { identity, listen, wechatpay, fleet, limits, health, log } = values;
  return {
    identity: { spMchid: identity.sp_mchid, spAppid: identity.sp_appid },
    listen: { host: listen.host, port: listen.port },
    basePath: listen.base_path ?? "",
    health: { host: health.host, port: health.port },
    healthPerDevice: health.per_device,
    wechatpay: {
      mode: "direct",
      baseUrls: wechatpay.base_urls ?? DIRECT_BASE_URLS,
      ...(proxy.proxy === undefined ? {} : { proxy: proxy.proxy }),
      noProxy: proxy.noProxy,
      attemptTimeoutMs: wechatpay.attempt_timeout_ms,
      connectTimeoutMs: wechatpay.connect_timeout_ms,
      publicKeyId: wechatpay.public_key_id,
      publicKeyFile: wechatpay.public_key_file,
      merchantSerialNo: wechatpay.merchant_serial_no,
    },
    ...(fleet.refresh_seconds === undefined ? {} : { refreshSeconds: fleet.refresh_seconds }),
    requestsPerHour: limits.requests_per_hour,
    burst: limits.burst,
    connections: limits.connections,
    inFlight: limits.in_flight,
    logLevel: log.level,
    files,
  };
}

function namedFiles(values: SomeValues): Map<FileKey, string> {
  const tables: Readonly<Record<string, Readonly<Record<string, unknown>>>> = values;
  const named = new Map<FileKey, string>();
  for (const key of fileKeys) {
    const [section = "", own = ""] = key.split(".");
    const file = tables[section]?.[own];
    if (typeof file === "string") named.set(key, file);
  }
  return named;
}
