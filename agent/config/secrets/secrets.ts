import { type AbsentConfig, type LoadedConfig, type LoadOptions, type LoadResult, loadConfig } from "../load.ts";
import type { Fault, Problem } from "../problem.ts";
import type { WechatPaySecrets } from "./client-secrets.ts";
import type { NamedFiles, SecretKey } from "./named-files.ts";
import { parseMerchantKey, parseTlsKey, parseWechatPayKey } from "./pem.ts";
import { type FileContext, MOST, MOST_CA, Reading } from "./secret-file-loader.ts";
import { telemetryWarnings } from "./telemetry-secrets.ts";
import { distrustProblems, oncePerPlace } from "./trust-problems.ts";

/** What the files named in the configuration hold, parsed once. Never logged, never shown. */
export interface Secrets extends WechatPaySecrets {
  /** `passwd` of initWxpayface. */
  readonly initPasswd?: string;
}

export interface SecretsResult {
  /** Absent when there is any problem. */
  readonly secrets?: Secrets;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** What the key of the seal must at least hold (agent/store/store-key.ts). */
const SHORTEST_STORE_KEY = 16;

export type Checkup =
  | {
      readonly kind: "ok";
      readonly loaded: LoadedConfig;
      readonly secrets: Secrets;
      /** Of the configuration and of the files it names. */
      readonly warnings: readonly Problem[];
    }
  | AbsentConfig
  | {
      readonly kind: "invalid";
      readonly problems: readonly Problem[];
      readonly warnings: readonly Problem[];
      readonly storeDirectory: string;
      /** The configuration, where nothing but the files that it names is refused. */
      readonly loaded?: LoadedConfig;
    };

/**
 * Configuration and secrets together, so that a technician sees every problem of both at once: the files that an invalid
 * configuration names are looked at as well.
 */
export async function loadAll(options: LoadOptions & FileContext): Promise<Checkup> {
  return await withSecrets(await loadConfig(options), options);
}

/** The same for a configuration that is read already, such as the remembered one. */
export async function withSecrets(loaded: LoadResult, surroundings: FileContext): Promise<Checkup> {
  if (loaded.kind === "absent") return loaded;
  const read = await loadSecrets(loaded.named, surroundings, loaded.origins);
  const warnings = [...loaded.warnings, ...read.warnings];
  const distrusted = distrustProblems(loaded.deciding, surroundings);
  if (loaded.kind === "ok" && read.secrets !== undefined && distrusted.length === 0)
    return { kind: "ok", loaded, secrets: read.secrets, warnings };
  const problems = oncePerPlace([
    ...distrusted,
    ...(loaded.kind === "invalid" ? loaded.problems : []),
    ...read.problems,
  ]);
  const storeDirectory = loaded.kind === "invalid" ? loaded.storeDirectory : loaded.config.store.directory;
  return { kind: "invalid", problems, warnings, storeDirectory, ...(loaded.kind === "ok" ? { loaded } : {}) };
}

/**
 * Reads and checks the files that a configuration names. All problems at once; never throws.
 * @param origins where each key stands, for the messages
 */
export async function loadSecrets(
  files: NamedFiles,
  surroundings: FileContext,
  origins: ReadonlyMap<string, string> = new Map(),
): Promise<SecretsResult> {
  const reading = new Reading(files, surroundings, origins);
  const clientCert = reading.certificates("wechatpay.client_cert_file", "client.pem", MOST);
  const clientKey = reading.pem("wechatpay.client_key_file", (text, file) => parseTlsKey(text, file, "client.key"));
  reading.pair(["wechatpay.client_cert_file", clientCert?.first], ["wechatpay.client_key_file", clientKey?.value]);
  const ca = reading.certificates("wechatpay.ca_file", "ca.pem", MOST_CA);
  const publicKey = reading.pem("wechatpay.public_key_file", parseWechatPayKey, false);
  const merchantKey = reading.pem("wechatpay.merchant_private_key_file", parseMerchantKey);
  reading.foreign("wechatpay.public_key_file", publicKey?.value, [
    ["wechatpay.merchant_private_key_file", merchantKey?.value],
    ["wechatpay.client_key_file", clientKey?.value],
  ]);
  const bearerToken = reading.line("wechatpay.bearer_token_file", bearerFault);
  const proxyAuth = reading.line("wechatpay.proxy_auth_file", proxyAuthFault);
  const initPasswd = reading.line("driver.init.passwd_file", () => undefined);
  judgeStoreKey(reading);
  const { problems } = reading;
  const warnings = [...reading.warnings, ...telemetryWarnings(files, surroundings, origins)];
  if (problems.length > 0 || publicKey === undefined) return { problems, warnings };
  const secrets: Secrets = {
    publicKey: publicKey.value,
    ...(merchantKey === undefined ? {} : { merchantPrivateKey: merchantKey.value }),
    ...(ca === undefined ? {} : { ca: ca.text }),
    ...(clientCert === undefined ? {} : { clientCert: clientCert.text }),
    ...(clientKey === undefined ? {} : { clientKey: clientKey.text }),
    ...(bearerToken === undefined ? {} : { bearerToken }),
    ...(proxyAuth === undefined ? {} : { proxyAuth }),
    ...(initPasswd === undefined ? {} : { initPasswd }),
  };
  return { secrets, problems, warnings };
}

/** Only looked at: the store reads it itself. */
function judgeStoreKey(reading: Reading<SecretKey>): void {
  const read = reading.read("store.key_file", true, MOST);
  if (read === undefined || read.size >= SHORTEST_STORE_KEY) return;
  reading.problem("store.key_file", {
    what: { id: "secret.store_key_short", params: { file: read.file } },
    instead: { id: "secret.make_store_key", params: { file: read.file } },
  });
}

/** RFC 6750 2.1 allows less, but a gateway may give what it likes as long as a header can carry it. */
function bearerFault(token: string): Fault | undefined {
  if (/^[\x21-\x7e]+$/.test(token)) return undefined;
  return {
    what: { id: "secret.token_characters" },
    instead: { id: "secret.token_alone" },
  };
}

export function proxyAuthFault(line: string): Fault | undefined {
  if (line.indexOf(":") > 0) return undefined;
  return {
    what: { id: "secret.not_user_password" },
    instead: { id: "secret.write_user_password" },
  };
}
