import { timingSafeEqual } from "node:crypto";
import { parseJsonObject } from "../api/http/body.ts";
import type { Bilingual } from "../common/language.ts";
import { appId, deviceId, merchantNumber, organizationId } from "../config/keys/schema.ts";
import { nearest } from "../config/nearest.ts";
import type { Problem } from "../config/problem.ts";

/** One terminal: what it may ask for, and how it shows who it is. Whatever is named here has to be shown. */
export interface Device {
  readonly deviceId: string;
  readonly subMchid: string;
  readonly subAppid?: string;
  readonly organizationId: string;
  /** SHA-256 fingerprints in lower-case hexadecimal. */
  readonly certificates: readonly string[];
  readonly commonName?: string;
  /** SHA-256 of bearer tokens. */
  readonly tokens: readonly Buffer[];
}

/** The terminals that may come in. */
export class Register {
  readonly #devices = new Map<string, Device>();
  readonly #byCertificate = new Map<string, Device>();
  readonly #byCommonName = new Map<string, Device>();
  readonly #byToken = new Map<string, Device>();

  /** The text of what another terminal has already, if any; the terminal is not added then. */
  add(device: Device): string | undefined {
    const keys = device.tokens.map((token) => token.toString("hex"));
    const { commonName } = device;
    if (this.#devices.has(device.deviceId)) return "device_id";
    if (device.certificates.some((print) => this.#byCertificate.has(print))) return "certificate_sha256";
    if (commonName !== undefined && this.#byCommonName.has(commonName)) return "certificate_cn";
    if (keys.some((key) => this.#byToken.has(key))) return "token_sha256";
    this.#devices.set(device.deviceId, device);
    for (const print of device.certificates) this.#byCertificate.set(print, device);
    if (commonName !== undefined) this.#byCommonName.set(commonName, device);
    for (const key of keys) this.#byToken.set(key, device);
    return undefined;
  }

  get size(): number {
    return this.#devices.size;
  }

  has(id: string): boolean {
    return this.#devices.has(id);
  }

  byCertificate(fingerprint: string, commonName: string | undefined): Device | undefined {
    const named = commonName === undefined ? undefined : this.#byCommonName.get(commonName);
    return this.#byCertificate.get(fingerprint) ?? named;
  }

  /** By its SHA-256. What an attacker may choose is hashed, so the look-up tells nothing; the comparison takes the same time. */
  byToken(sha256: Buffer): Device | undefined {
    const device = this.#byToken.get(sha256.toString("hex"));
    return device?.tokens.some((token) => timingSafeEqual(token, sha256)) ? device : undefined;
  }
}

export type RegisterResult =
  | { readonly ok: true; readonly register: Register }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A script that writes a wrong file writes ten thousand wrong lines. */
const MOST_PROBLEMS = 20;
const SHA256 = /^[0-9a-f]{64}$/;
/** RFC 5280 allows 64 characters. */
const COMMON_NAME = /^[\x20-\x7e]{1,64}$/;
const FIELDS = [
  "device_id",
  "sub_mchid",
  "sub_appid",
  "organization_id",
  "certificate_sha256",
  "certificate_cn",
  "token_sha256",
  "note",
] as const;

/**
 * Reads a register: JSON Lines, one terminal each, empty lines and lines that begin with # left out. A register with any
 * problem is refused as a whole: half a register would lock terminals out.
 * @param withCertificates whether terminals can show certificates at all
 */
export function parseRegister(text: string, file: string, withCertificates: boolean): RegisterResult {
  const register = new Register();
  const problems: Problem[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const bare = line.trim();
    if (bare === "" || bare.startsWith("#")) continue;
    if (problems.length >= MOST_PROBLEMS) break;
    const origin = `${file}:${index + 1}`;
    const report = (key: string, what: Bilingual, instead: Bilingual) => problems.push({ key, origin, what, instead });
    const fields = parseJsonObject(Buffer.from(bare));
    if (fields.kind !== "object") {
      report("", { zh: "不是 JSON 对象", en: "is no JSON object" }, EXAMPLE);
      continue;
    }
    const device = readDevice(fields.value, withCertificates, report);
    const taken = device === undefined ? undefined : register.add(device);
    if (taken !== undefined) {
      report(
        taken,
        { zh: "与前面某一行相同", en: "is the same as on an earlier line" },
        { zh: "每台终端只写一行，凭据不能共用", en: "one line for each terminal, and no credential for two" },
      );
    }
  }
  if (problems.length === 0 && register.size === 0) {
    const what = { zh: "没有任何终端", en: "holds no terminal" };
    problems.push({ key: "", origin: file, what, instead: EXAMPLE });
  }
  return problems.length === 0 ? { ok: true, register } : { ok: false, problems };
}

const LINE =
  '{"device_id":"LTA0P18937F130532000001","sub_mchid":"1900000109","organization_id":"O004ABC8FZ2023031514461460894a","certificate_cn":"LTA0P18937F130532000001"}';
const EXAMPLE: Bilingual = { zh: `例如写 ${LINE}`, en: `write for example ${LINE}` };

type Report = (key: string, what: Bilingual, instead: Bilingual) => void;

function readDevice(
  fields: Readonly<Record<string, unknown>>,
  withCertificates: boolean,
  reportIt: Report,
): Device | undefined {
  let sound = true;
  const report: Report = (...words) => {
    sound = false;
    reportIt(...words);
  };
  for (const name of Object.keys(fields)) {
    if (FIELDS.some((known) => known === name)) continue;
    const meant = nearest(name, FIELDS) ?? "";
    report(
      name,
      { zh: "没有这个字段", en: "is no field of the register" },
      { zh: `最接近的是 ${meant}；请改正或删除`, en: `the nearest is ${meant}; correct it or take it out` },
    );
  }
  const text = (name: string, form: Bilingual & { readonly pattern: RegExp }, needed: boolean) => {
    const value = fields[name];
    if (value === undefined && !needed) return undefined;
    if (typeof value === "string" && form.pattern.test(value)) return value;
    const missing = { zh: "缺少", en: "is missing" };
    const unfit = { zh: "格式不对", en: "does not fit" };
    report(name, value === undefined ? missing : unfit, { zh: `应为${form.zh}`, en: `it must be ${form.en}` });
    return undefined;
  };
  const digests = (name: string) => {
    const values = [fields[name] ?? []].flat();
    const plain = values.map((value) => (typeof value === "string" ? value.replaceAll(":", "").toLowerCase() : ""));
    if (plain.every((value) => SHA256.test(value)) && plain.length <= 8) return plain;
    report(
      name,
      { zh: "格式不对", en: "does not fit" },
      { zh: "应为 SHA-256（64 位十六进制），或其列表", en: "it must be a SHA-256 in hexadecimal, or a list of them" },
    );
    return [];
  };
  const id = text("device_id", deviceId, true);
  const subMchid = text("sub_mchid", merchantNumber, true);
  const subAppid = text("sub_appid", appId, false);
  const organization = text("organization_id", organizationId, true);
  const commonName = text("certificate_cn", { pattern: COMMON_NAME, ...COMMON_NAME_WORDS }, false);
  const certificates = digests("certificate_sha256");
  const tokens = digests("token_sha256").map((hex) => Buffer.from(hex, "hex"));
  const certificate = commonName !== undefined || certificates.length > 0;
  if (commonName !== undefined && certificates.length > 0) {
    report(
      "certificate_cn",
      { zh: "与 certificate_sha256 同时给出", en: "is given together with certificate_sha256" },
      { zh: "请只保留一个", en: "keep one of them" },
    );
  }
  if (sound && !certificate && tokens.length === 0) {
    report("certificate_cn", { zh: "缺少，也没有令牌", en: "is missing, and so is a token" }, EXAMPLE);
  }
  if (sound && certificate && !withCertificates) {
    report(
      certificates.length > 0 ? "certificate_sha256" : "certificate_cn",
      { zh: "需要证书，但配置中没有 devices.ca_file", en: "asks for a certificate, but devices.ca_file is not set" },
      { zh: "请在 [devices] 下写 ca_file", en: "write ca_file under [devices]" },
    );
  }
  if (!sound || id === undefined || subMchid === undefined || organization === undefined) return undefined;
  return {
    deviceId: id,
    subMchid,
    ...(subAppid === undefined ? {} : { subAppid }),
    organizationId: organization,
    certificates,
    ...(commonName === undefined ? {} : { commonName }),
    tokens,
  };
}

const COMMON_NAME_WORDS = { zh: "证书的 CN，1 到 64 个可打印 ASCII 字符", en: "the CN of a certificate" };
