import type { X509Certificate } from "node:crypto";
import type { Bilingual } from "../../common/language.ts";
import type { Parsed } from "../../config/secrets/pem.ts";
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
    return refuse(place, "已损坏，无法解析", "which is damaged and cannot be parsed", AGAIN);
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
    return refuse(
      place,
      `由 ${issuer} 签发，不是 devices.ca_file 中的 CA，或签名与其密钥不符`,
      `a list by ${issuer}, which is no authority in devices.ca_file or has another key there`,
      {
        zh: "请重新生成：openssl ca -gencrl，或核对 ca_file",
        en: "make it again with openssl ca -gencrl, or check ca_file",
      },
    );
  }
  // RFC 5280 section 5.2: who does not understand such an extension must not judge by the list. They mean a part of a list.
  if (critical) {
    return refuse(
      place,
      "不是完整的吊销列表（增量列表，或只涉及部分证书）",
      "which is no complete list: only changes, or only some of the certificates",
      { zh: "请使用 CA 的完整吊销列表", en: "use the authority's complete list" },
    );
  }
  if (nextUpdate === undefined) {
    return refuse(
      place,
      "没有下次更新时间，永远不会过时",
      "a list without an end, which would never be out of date",
      AGAIN,
    );
  }
  const serials = new Set(list.entries.map(({ serialNumber }) => plainSerial(serialNumber)));
  const times = { thisUpdateMs: thisUpdate.getTime(), nextUpdateMs: nextUpdate.getTime() };
  return { ok: true, value: { authority, issuer, serials, ...times } };
}

const AGAIN: Bilingual = { zh: "请重新生成：openssl ca -gencrl", en: "make it again with openssl ca -gencrl" };

function refuse(place: string, zh: string, en: string, instead: Bilingual): Parsed<never> {
  return { ok: false, fault: { what: { zh: `${place} ${zh}`, en: `names ${place}, ${en}` }, instead } };
}
