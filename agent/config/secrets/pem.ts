import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import type { AnyMessage } from "../../messages/message.ts";
import type { Fault } from "../problem.ts";

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

const LEAST_BITS = 2048;
const LEAST_CURVE_BITS = 256;
/** The strong curves that TLS has signatures for (RFC 8446 4.2.3, RFC 8734). With a key of another one no certificate is sent at all. */
const TLS_CURVES = ["prime256v1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"];
const DAY_MS = 86_400_000;
const WARN_DAYS = 30;

const NEW_PAIR: AnyMessage = { id: "pem.new_pair" };

/** The merchant's RSA key out of a PEM text. `file` is only for the messages, which never quote the text. */
export function parseMerchantKey(pem: string, file: string): Parsed<KeyObject> {
  const parsed = parsePrivateKey(pem, file, "apiclient_key.pem");
  if (!parsed.ok) return parsed;
  const weakness = notStrongRsa(parsed.value);
  if (weakness === undefined) return parsed;
  // WeChat Pay never has this key: it is made where the certificate is applied for (WeChat Pay APIv3: certificates).
  return isRsa(parsed.value)
    ? unfit(file, weakness, { id: "pem.new_merchant_key" })
    : unfit(file, weakness, { id: "pem.name_merchant_key" });
}

/** The key that goes with a TLS certificate, of a terminal or of a gateway. OpenSSL takes no weaker one, and says so only when it is used. */
export function parseTlsKey(pem: string, file: string, usual: string): Parsed<KeyObject> {
  const parsed = parsePrivateKey(pem, file, usual);
  const weakness = parsed.ok ? notStrong(parsed.value) : undefined;
  return weakness === undefined ? parsed : unfit(file, weakness, NEW_PAIR);
}

/** What is too weak about the key in a TLS certificate. */
export function judgeCertificateKey(certificate: X509Certificate, file: string): Fault | undefined {
  const why = notStrong(certificate.publicKey);
  return why && { what: { id: "pem.unfit_certificate", params: { file, why } }, instead: NEW_PAIR };
}

/** Any unencrypted private key out of a PEM text. `usual`: how the right file is usually called. */
function parsePrivateKey(pem: string, file: string, usual: string): Parsed<KeyObject> {
  const labels = labelsOf(pem);
  if (/ENCRYPTED/.test(pem)) {
    return fault({ id: "pem.encrypted", params: { file } }, { id: "pem.decrypt", params: { file } });
  }
  if (!labels.some((label) => label.endsWith("PRIVATE KEY")))
    return notThis(labels, file, { id: "pem.a_private_key" }, usual);
  try {
    return { ok: true, value: createPrivateKey(blockOf(pem, "PRIVATE KEY")) };
  } catch {
    return damaged(file);
  }
}

/** WeChat Pay's public key out of a PEM text. */
export function parseWechatPayKey(pem: string, file: string): Parsed<KeyObject> {
  const labels = labelsOf(pem);
  // createPublicKey would take a certificate or even a private key without a word.
  if (!labels.some((label) => label.endsWith("PUBLIC KEY"))) {
    return notThis(labels, file, { id: "pem.wechatpays_public_key" }, "pub_key.pem");
  }
  try {
    const key = createPublicKey(blockOf(pem, "PUBLIC KEY"));
    const weakness = notStrongRsa(key);
    if (weakness === undefined) return { ok: true, value: key };
    return unfit(file, weakness, { id: "pem.download_public_key" });
  } catch {
    return damaged(file);
  }
}

/**
 * What is wrong with a public key that is the other half of one of our own: then no answer would ever verify. `ours`: by the key that
 * names the file.
 */
export function judgeOrigin(
  publicKey: KeyObject,
  ours: ReadonlyMap<string, KeyObject>,
  file: string,
): Fault | undefined {
  // Not by KeyObject.equals: with keys of two kinds Node 24 leaves an error in OpenSSL's queue, and the next key read fails of it.
  const octets = (key: KeyObject) => key.export({ type: "spki", format: "der" });
  const shown = octets(publicKey);
  const [own] = [...ours].find(([, key]) => octets(createPublicKey(key)).equals(shown)) ?? [];
  if (own === undefined) return undefined;
  const why: AnyMessage = { id: "pem.own_public_half", params: { own } };
  return { what: { id: "pem.unfit", params: { file, why } }, instead: { id: "pem.download_both" } };
}

/** The first certificate of a PEM text (the others are its chain). */
export function parseCertificate(pem: string, file: string, usual: string): Parsed<X509Certificate> {
  const labels = labelsOf(pem);
  if (labels.some((label) => label.endsWith("PRIVATE KEY"))) {
    return fault({ id: "pem.holds_private_key", params: { file } }, { id: "pem.certificates_only" });
  }
  if (!labels.includes("CERTIFICATE")) return notThis(labels, file, { id: "pem.a_certificate" }, usual);
  try {
    return { ok: true, value: new X509Certificate(blockOf(pem, "CERTIFICATE")) };
  } catch {
    return damaged(file);
  }
}

/** What there is to say of a certificate at `wallMs`: it has expired, soon will, or is not valid yet. A warning in each case. */
export function judgeValidity(
  certificate: X509Certificate,
  file: string,
  wallMs: number,
  remedy: AnyMessage = { id: "pem.ask_gateway" },
): Fault | undefined {
  const ends = Date.parse(certificate.validTo);
  const begins = Date.parse(certificate.validFrom);
  if (wallMs >= ends) {
    const day = isoDay(ends);
    // No reason to stay down: the kept authinfo is still served, and it may be this clock that is wrong.
    return {
      what: { id: "pem.expired", params: { file, day } },
      instead: { id: "pem.renew_and_check_clock", params: { remedy } },
    };
  }
  if (wallMs < begins) {
    return {
      what: { id: "pem.not_yet_valid", params: { file } },
      instead: { id: "pem.check_clock" },
    };
  }
  const days = Math.floor((ends - wallMs) / DAY_MS);
  if (days > WARN_DAYS) return undefined;
  return {
    what: { id: "pem.expires_soon", params: { file, days } },
    instead: remedy,
  };
}

function isRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === "rsa";
}

/** Why this is no RSA key that signs or verifies for WeChat Pay. */
function notStrongRsa(key: KeyObject): AnyMessage | undefined {
  if (isRsa(key)) return tooShort(key);
  const kind = key.asymmetricKeyType?.toUpperCase() ?? "?";
  return { id: "pem.not_rsa", params: { kind } };
}

/** Why TLS takes no such key: RSA of 2048 bits, and a curve of 256, are the least. */
function notStrong(key: KeyObject): AnyMessage | undefined {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  if (kind === "rsa" || kind === "rsa-pss") return tooShort(key);
  if (kind === "ec") {
    const curve = details?.namedCurve ?? "?";
    if (TLS_CURVES.includes(curve)) return undefined;
    const bits = Number(/\d{3}/.exec(curve)?.[0] ?? 0);
    return { id: bits < LEAST_CURVE_BITS ? "pem.weak_curve" : "pem.curve_not_for_tls", params: { curve } };
  }
  if (kind === "ed25519" || kind === "ed448") return undefined;
  return { id: "pem.kind_not_for_tls", params: { kind: kind ?? "?" } };
}

function tooShort({ asymmetricKeyDetails: details }: KeyObject): AnyMessage | undefined {
  const bits = details?.modulusLength ?? 0;
  if (bits >= LEAST_BITS) return undefined;
  return { id: "pem.too_short", params: { bits, least: LEAST_BITS } };
}

function labelsOf(pem: string): string[] {
  return [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map((match) => match[1] ?? "");
}

/** The first block whose label ends so, as a text of its own: a file may hold parameters or a chain beside it. */
function blockOf(pem: string, label: string): string {
  return new RegExp(`-----BEGIN (?:[A-Z0-9]+ )*${label}-----[^-]*-----END [A-Z0-9 ]+-----`).exec(pem)?.[0] ?? pem;
}

function notThis(labels: readonly string[], file: string, wanted: AnyMessage, usual: string): Parsed<never> {
  const [label] = labels;
  return fault(
    { id: "pem.wrong_kind", params: { file, found: kindOf(label), wanted } },
    { id: "pem.name_right_file", params: { usual } },
  );
}

function kindOf(label: string | undefined): AnyMessage {
  if (label === undefined) return { id: "pem.is_no_pem" };
  if (label === "CERTIFICATE") return { id: "pem.is_certificate" };
  if (label.endsWith("PRIVATE KEY")) return { id: "pem.is_private_key" };
  return { id: label.endsWith("PUBLIC KEY") ? "pem.is_public_key" : "pem.is_something_else" };
}

function unfit(file: string, why: AnyMessage, instead: AnyMessage): Parsed<never> {
  return fault({ id: "pem.unfit", params: { file, why } }, instead);
}

function damaged(file: string): Parsed<never> {
  return fault({ id: "pem.damaged", params: { file } }, { id: "file.put_again" });
}

function fault(what: AnyMessage, instead: AnyMessage): Parsed<never> {
  return { ok: false, fault: { what, instead } };
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
