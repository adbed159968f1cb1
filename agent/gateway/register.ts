import { timingSafeEqual } from "node:crypto";
import { parseJsonObject } from "../api/http/body.ts";
import type { Form } from "../config/keys/fields.ts";
import { appId, deviceId, merchantNumber, organizationId } from "../config/keys/schema.ts";
import { nearest } from "../config/nearest.ts";
import type { Problem } from "../config/problem.ts";
import type { AnyMessage } from "../messages/message.ts";

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
    const report = (key: string, what: AnyMessage, instead: AnyMessage) =>
      problems.push({ key, origin, what, instead });
    const fields = parseJsonObject(Buffer.from(bare));
    if (fields.kind !== "object") {
      report("", { id: "register.not_json" }, EXAMPLE);
      continue;
    }
    const device = readDevice(fields.value, withCertificates, report);
    const taken = device === undefined ? undefined : register.add(device);
    if (taken !== undefined) {
      report(taken, { id: "register.same_as_earlier" }, { id: "register.one_line_each" });
    }
  }
  if (problems.length === 0 && register.size === 0) {
    problems.push({ key: "", origin: file, what: { id: "register.no_terminal" }, instead: EXAMPLE });
  }
  return problems.length === 0 ? { ok: true, register } : { ok: false, problems };
}

const LINE =
  '{"device_id":"LTA0P18937F130532000001","sub_mchid":"1900000109","organization_id":"O004ABC8FZ2023031514461460894a","certificate_cn":"LTA0P18937F130532000001"}';
const EXAMPLE: AnyMessage = { id: "register.example", params: { line: LINE } };

type Report = (key: string, what: AnyMessage, instead: AnyMessage) => void;

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
    const meant = nearest(name, FIELDS);
    report(
      name,
      { id: "register.unknown_field" },
      meant === undefined
        ? { id: "register.remove_field" }
        : { id: "register.nearest_field", params: { nearest: meant } },
    );
  }
  const text = (name: string, form: Form, needed: boolean) => {
    const value = fields[name];
    if (value === undefined && !needed) return undefined;
    if (typeof value === "string" && form.pattern.test(value)) return value;
    const { expects } = form;
    report(
      name,
      { id: value === undefined ? "register.missing" : "register.unfit" },
      { id: "register.must_be", params: { expects } },
    );
    return undefined;
  };
  const digests = (name: string) => {
    const values = [fields[name] ?? []].flat();
    const plain = values.map((value) => (typeof value === "string" ? value.replaceAll(":", "").toLowerCase() : ""));
    if (plain.every((value) => SHA256.test(value)) && plain.length <= 8) return plain;
    report(name, { id: "register.unfit" }, { id: "register.must_be_sha256" });
    return [];
  };
  const id = text("device_id", deviceId, true);
  const subMchid = text("sub_mchid", merchantNumber, true);
  const subAppid = text("sub_appid", appId, false);
  const organization = text("organization_id", organizationId, true);
  const commonName = text("certificate_cn", { pattern: COMMON_NAME, expects: { id: "register.common_name" } }, false);
  const certificates = digests("certificate_sha256");
  const tokens = digests("token_sha256").map((hex) => Buffer.from(hex, "hex"));
  const certificate = commonName !== undefined || certificates.length > 0;
  if (commonName !== undefined && certificates.length > 0) {
    report("certificate_cn", { id: "register.given_with_sha256" }, { id: "register.keep_one" });
  }
  if (sound && !certificate && tokens.length === 0) {
    report("certificate_cn", { id: "register.no_credential" }, EXAMPLE);
  }
  if (sound && certificate && !withCertificates) {
    report(
      certificates.length > 0 ? "certificate_sha256" : "certificate_cn",
      { id: "register.certificate_without_ca" },
      { id: "register.write_ca" },
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
