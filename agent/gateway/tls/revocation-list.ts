import type { X509Certificate } from "node:crypto";
import type { Parsed } from "../../config/secrets/pem.ts";
import type { AnyMessage } from "../../messages/message.ts";
import { type AuthorityId, authorityId } from "./authorities.ts";

/** One list, whole and genuine. */
export interface RevocationList {
  readonly authority: AuthorityId;
  /** The authority's name, for people. */
  readonly issuer: string;
  /** As `plainSerial` writes them. */
  readonly serials: ReadonlySet<string>;
  /** Unix milliseconds. Outside of the two the list says nothing. */
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
}

/** The parser takes 10 000 unless told, which is a list of 2 500 certificates. The file's own bound is 1 MB (agent/config/secrets/secret-file-loader.ts). */
const MOST_NODES = 1_000_000;

/** OpenSSL and the package write the same number with or without leading zeros. */
export function plainSerial(serial: string): string {
  return serial.toUpperCase().replace(/^0+(?=.)/, "");
}

/** @param place for the messages: the file, and which list of it */
export async function readList(
  pem: string,
  authorities: readonly X509Certificate[],
  place: string,
): Promise<Parsed<RevocationList>> {
  // tsyringe, which the package is built on, wants this polyfill loaded before it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  let list: InstanceType<typeof x509.X509Crl>;
  let critical: boolean;
  try {
    list = new x509.X509Crl(pem, { berOptions: { maxNodes: MOST_NODES } });
    const everywhere = [list.extensions, ...list.entries.map(({ extensions }) => extensions ?? [])].flat();
    critical = everywhere.some((extension) => extension.critical);
  } catch {
    // ASN.1 that cannot be read: the error says nothing a person could use.
    return refuse({ id: "crl.damaged", params: { place } }, AGAIN);
  }
  const { issuer, thisUpdate, nextUpdate } = list;
  const named = authorities.map((one) => ({ one, certificate: new x509.X509Certificate(one.raw) }));
  let authority: AuthorityId | undefined;
  for (const { one, certificate } of named) {
    if (certificate.subject !== issuer) continue;
    // Given the certificate, the package would take the algorithm of its signature for that of the list. A key of another kind throws.
    const { publicKey } = certificate;
    if (await list.verify({ publicKey }).catch(() => false)) authority = authorityId(one);
  }
  if (authority === undefined) {
    return refuse({ id: "crl.foreign", params: { place, issuer } }, { id: "crl.make_again_or_check_ca" });
  }
  // RFC 5280 section 5.2: who does not understand such an extension must not judge by the list. They mean a part of a list.
  if (critical) {
    return refuse({ id: "crl.partial", params: { place } }, { id: "crl.use_complete" });
  }
  if (nextUpdate === undefined) {
    return refuse({ id: "crl.endless", params: { place } }, AGAIN);
  }
  const serials = new Set(list.entries.map(({ serialNumber }) => plainSerial(serialNumber)));
  const times = { thisUpdateMs: thisUpdate.getTime(), nextUpdateMs: nextUpdate.getTime() };
  return { ok: true, value: { authority, issuer, serials, ...times } };
}

const AGAIN: AnyMessage = { id: "crl.make_again" };

function refuse(what: AnyMessage, instead: AnyMessage): Parsed<never> {
  return { ok: false, fault: { what, instead } };
}
