import type { KeyObject, X509Certificate } from "node:crypto";
import type { WechatPaySecrets } from "../wechatpay/secrets.ts";
import { type Fault, readGuarded } from "./guarded-file.ts";
import type { AbsentConfig, LoadedConfig, LoadOptions, LoadResult } from "./load.ts";
import type { NamedFiles, SecretKey } from "./named-files.ts";
import {
  judgeValidity,
  type Parsed,
  parseCertificate,
  parseMerchantKey,
  parsePrivateKey,
  parseWechatPayKey,
} from "./pem.ts";
import type { Problem } from "./problem.ts";
import type { Environment } from "./settings.ts";

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

export interface Surroundings {
  /** For $CREDENTIALS_DIRECTORY. */
  readonly env: Environment;
  /** Unix milliseconds, for the validity of certificates. */
  readonly wallMs: number;
  /** Our own user id unless told. */
  readonly uid?: number;
}

const MOST = 16 * 1024;
const MOST_CA = 1024 * 1024;
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
    };

/**
 * Configuration and secrets together, so that a technician sees every problem of both at once: the files that an invalid
 * configuration names are looked at as well.
 */
export async function loadAll(options: LoadOptions & Surroundings): Promise<Checkup> {
  const { loadConfig } = await import("./load.ts");
  return await withSecrets(await loadConfig(options), options);
}

/** The same for a configuration that is read already, such as the remembered one. */
export async function withSecrets(loaded: LoadResult, surroundings: Surroundings): Promise<Checkup> {
  if (loaded.kind === "absent") return loaded;
  const read = await loadSecrets(loaded.named, surroundings, loaded.origins);
  const warnings = [...loaded.warnings, ...read.warnings];
  if (loaded.kind === "ok" && read.secrets !== undefined)
    return { kind: "ok", loaded, secrets: read.secrets, warnings };
  const problems = [...(loaded.kind === "invalid" ? loaded.problems : []), ...read.problems];
  const storeDirectory = loaded.kind === "invalid" ? loaded.storeDirectory : loaded.config.store.directory;
  return { kind: "invalid", problems, warnings, storeDirectory };
}

/**
 * Reads and checks the files that a configuration names. All problems at once; never throws.
 * @param origins where each key stands, for the messages
 */
export async function loadSecrets(
  files: NamedFiles,
  surroundings: Surroundings,
  origins: ReadonlyMap<string, string> = new Map(),
): Promise<SecretsResult> {
  const reading = new Reading(files, surroundings, origins);
  const clientCert = reading.certificates("wechatpay.client_cert_file", "client.pem", MOST);
  const clientKey = reading.pem("wechatpay.client_key_file", (text, file) => parsePrivateKey(text, file, "client.key"));
  if (clientCert !== undefined && clientKey !== undefined) reading.pair(clientCert.first, clientKey.value);
  const ca = reading.certificates("wechatpay.ca_file", "ca.pem", MOST_CA);
  const publicKey = reading.pem("wechatpay.public_key_file", parseWechatPayKey, false);
  const merchantKey = reading.pem("wechatpay.merchant_private_key_file", parseMerchantKey);
  const bearerToken = reading.line("wechatpay.bearer_token_file", bearerFault);
  const proxyAuth = reading.line("wechatpay.proxy_auth_file", proxyAuthFault);
  const initPasswd = reading.line("driver.init.passwd_file", () => undefined);
  reading.storeKey();
  const { problems, warnings } = reading;
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

/** One pass over the named files. Each method answers undefined for a file that is not named or has a problem. */
class Reading {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #files: NamedFiles;
  readonly #surroundings: Surroundings;
  readonly #origins: ReadonlyMap<string, string>;

  constructor(files: NamedFiles, surroundings: Surroundings, origins: ReadonlyMap<string, string>) {
    this.#origins = origins;
    this.#files = files;
    this.#surroundings = surroundings;
  }

  pem(
    key: SecretKey,
    parse: (text: string, file: string) => Parsed<KeyObject>,
    secret = true,
  ): { readonly text: string; readonly value: KeyObject } | undefined {
    const read = this.#read(key, secret, MOST);
    if (read === undefined) return undefined;
    const parsed = parse(read.text, read.file);
    if (parsed.ok) return { text: read.text, value: parsed.value };
    this.#problem(key, parsed.fault);
    return undefined;
  }

  certificates(
    key: SecretKey,
    usual: string,
    most: number,
  ): { readonly text: string; readonly first: X509Certificate } | undefined {
    const read = this.#read(key, false, most);
    if (read === undefined) return undefined;
    const parsed = parseCertificate(read.text, read.file, usual);
    if (!parsed.ok) {
      this.#problem(key, parsed.fault);
      return undefined;
    }
    const warning = judgeValidity(parsed.value, read.file, this.#surroundings.wallMs);
    if (warning !== undefined) this.warnings.push({ ...this.#at(key, warning), check: "cert.expiry" });
    return { text: read.text, first: parsed.value };
  }

  pair(certificate: X509Certificate, key: KeyObject): void {
    if (certificate.checkPrivateKey(key)) return;
    const file = this.#files.get("wechatpay.client_cert_file") ?? "";
    const problem = this.#at("wechatpay.client_key_file", {
      what: { zh: `与证书 ${file} 不匹配`, en: `names a key that does not belong to the certificate ${file}` },
      instead: { zh: "请同时重新下发证书和私钥", en: "deploy certificate and key again, both together" },
    });
    this.problems.push({ ...problem, check: "key.match" });
  }

  /** A secret on a line of its own. */
  line(key: SecretKey, judge: (line: string) => Fault | undefined): string | undefined {
    const read = this.#read(key, true, MOST);
    if (read === undefined) return undefined;
    const line = read.text.replace(/[\r\n]+$/, "");
    const fault = /\p{Cc}/u.test(line) ? notOneLine(read.file) : judge(line);
    if (fault === undefined) return line;
    this.#problem(key, fault);
    return undefined;
  }

  /** Only looked at: the store reads it itself. */
  storeKey(): void {
    const read = this.#read("store.key_file", true, MOST);
    if (read === undefined || read.size >= SHORTEST_STORE_KEY) return;
    this.#problem("store.key_file", {
      what: { zh: `${read.file} 太短`, en: `names ${read.file}, which is too short for a key` },
      instead: {
        zh: `请生成：(umask 077; head -c 32 /dev/urandom > ${read.file})`,
        en: `make one: (umask 077; head -c 32 /dev/urandom > ${read.file})`,
      },
    });
  }

  #read(
    key: SecretKey,
    secret: boolean,
    most: number,
  ): { readonly file: string; readonly text: string; readonly size: number } | undefined {
    const file = this.#files.get(key);
    if (file === undefined) return undefined;
    const { env, uid = process.geteuid?.() } = this.#surroundings;
    const read = readGuarded(file, { secret, most, uid, credentialsDirectory: env.CREDENTIALS_DIRECTORY });
    if (read.ok) return { file, text: read.bytes.toString("utf8").replace(/^\ufeff/, ""), size: read.bytes.length };
    for (const fault of read.faults) this.#problem(key, fault);
    return undefined;
  }

  #problem(key: SecretKey, fault: Fault): void {
    this.problems.push(this.#at(key, fault));
  }

  #at(key: SecretKey, fault: Fault): Problem {
    return { key, origin: this.#origins.get(key) ?? this.#files.get(key) ?? "", ...fault };
  }
}

/** RFC 6750 2.1 allows less, but a gateway may give what it likes as long as a header can carry it. */
function bearerFault(token: string): Fault | undefined {
  if (/^[\x21-\x7e]+$/.test(token)) return undefined;
  return {
    what: {
      zh: "令牌中有空格或非 ASCII 字符",
      en: "names a file whose token holds a space or a character outside ASCII",
    },
    instead: {
      zh: "文件中只写令牌本身，不要写 Bearer",
      en: "write the token alone into the file, without the word Bearer",
    },
  };
}

function proxyAuthFault(line: string): Fault | undefined {
  if (line.indexOf(":") > 0) return undefined;
  return {
    what: { zh: "文件内容不是 user:password", en: "names a file that does not hold user:password" },
    instead: { zh: "文件中写一行 user:password", en: "write user:password into it, on one line" },
  };
}

function notOneLine(file: string): Fault {
  return {
    what: {
      zh: `${file} 不止一行，或含有控制字符`,
      en: `names ${file}, which holds more than one line or control characters`,
    },
    instead: { zh: "文件中只写一行", en: "write one line into it" },
  };
}
