import type { X509Certificate } from "node:crypto";
import type { Fault } from "../../config/problem.ts";
import { type AuthorityId, authorityId, issuerOf } from "./authorities.ts";
import { plainSerial, type RevocationList, readList } from "./revocation-list.ts";

/** A list made just now by a machine whose clock is ahead is none of the future. */
const CLOCKS_APART_MS = 300_000;

/** Why a certificate is not let in, whatever else speaks for it. */
export type RevocationFault =
  | "CERTIFICATE_REVOKED"
  | "CERTIFICATE_EXPIRED"
  | "CERTIFICATE_FOREIGN"
  | "REVOCATION_UNKNOWN";

/** Which certificates are revoked. */
export interface Revocations {
  /**
   * Looks at a terminal's certificate and at those of every authority above it. OpenSSL's own check inside the handshake is not used:
   * it looks only when a connection opens, and takes whichever certificate of an authority comes first.
   * @param issuer none of the authorities: undefined
   */
  judge(serial: string, issuer: AuthorityId | undefined, wallMs: number): RevocationFault | undefined;
  /** The list that is the first to end, Unix milliseconds. */
  readonly first?: Pick<RevocationList, "issuer" | "thisUpdateMs" | "nextUpdateMs">;
}

export const noRevocations: Revocations = { judge: () => undefined };

/** One authority, with all its certificates and its list. */
interface Authority {
  readonly certificates: {
    readonly serial: string;
    readonly beginsMs: number;
    readonly endsMs: number;
    readonly issuer: AuthorityId | undefined;
  }[];
  list?: RevocationList;
}

export type ReadRevocations =
  | { readonly ok: true; readonly revocations: Revocations }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Reads the lists (RFC 5280 section 5) of a PEM text. What could leave a certificate unjudged is refused here: a list that is not whole or of
 * none of the authorities, an authority without a list, or one whose own issuer is not among them.
 */
export async function readRevocations(
  pem: string,
  authorities: readonly X509Certificate[],
  file: string,
): Promise<ReadRevocations> {
  const known = new Map<AuthorityId, Authority>();
  const faults: Fault[] = [];
  for (const certificate of authorities) {
    const { serialNumber: serial, validFrom, validTo } = certificate;
    const issuer = issuerOf(certificate, authorities);
    if (issuer === undefined) faults.push(withoutIssuer(certificate));
    const authority: Authority = known.get(authorityId(certificate)) ?? { certificates: [] };
    known.set(authorityId(certificate), authority);
    authority.certificates.push({
      serial: plainSerial(serial),
      beginsMs: Date.parse(validFrom),
      endsMs: Date.parse(validTo),
      issuer: issuer && authorityId(issuer),
    });
  }
  const blocks = pem.match(/-----BEGIN (?:X509 )?CRL-----[^-]+-----END (?:X509 )?CRL-----/g) ?? [];
  const begun = (pem.match(/-----BEGIN (?:X509 )?CRL-----/g) ?? []).length;
  if (blocks.length === 0 || blocks.length < begun) return { ok: false, faults: [...faults, damaged(file)] };
  for (const [index, block] of blocks.entries()) {
    const read = await readList(block, authorities, `${file} (${index + 1})`);
    if (!read.ok) faults.push(read.fault);
    else {
      const authority = known.get(read.value.authority);
      // Of two lists of one authority the later counts, as when it had come alone.
      const later = read.value.thisUpdateMs >= (authority?.list?.thisUpdateMs ?? 0);
      if (authority !== undefined && later) authority.list = read.value;
    }
  }
  for (const [id, { list }] of known) if (list === undefined) faults.push(withoutList(id, file));
  return faults.length > 0 ? { ok: false, faults } : { ok: true, revocations: revocationsOf(known) };
}

function revocationsOf(known: ReadonlyMap<AuthorityId, Authority>): Revocations {
  const lists = [...known.values()].flatMap(({ list }) => list ?? []);
  const [first] = lists.toSorted((one, other) => one.nextUpdateMs - other.nextUpdateMs);

  /** Of one certificate and of all above it; `seen` against authorities that have certified each other. */
  function* faultsOf(
    serial: string,
    issuer: AuthorityId | undefined,
    wallMs: number,
    seen: Set<AuthorityId>,
  ): Generator<RevocationFault> {
    const authority = known.get(issuer ?? "");
    if (issuer === undefined || authority === undefined) return yield "CERTIFICATE_FOREIGN";
    const { list, certificates } = authority;
    if (list?.serials.has(serial)) yield "CERTIFICATE_REVOKED";
    if (list === undefined || !isCurrent(list, wallMs)) yield "REVOCATION_UNKNOWN";
    if (seen.has(issuer)) return;
    seen.add(issuer);
    const valid = certificates.filter(({ beginsMs, endsMs }) => beginsMs <= wallMs && wallMs <= endsMs);
    if (valid.length === 0) yield "CERTIFICATE_EXPIRED";
    for (const one of valid) yield* faultsOf(one.serial, one.issuer, wallMs, seen);
  }

  return {
    judge(serial, issuer, wallMs) {
      const faults = [...faultsOf(plainSerial(serial), issuer, wallMs, new Set())];
      return faults.includes("CERTIFICATE_REVOKED") ? "CERTIFICATE_REVOKED" : faults[0];
    },
    ...(first === undefined ? {} : { first }),
  };
}

function isCurrent({ thisUpdateMs, nextUpdateMs }: RevocationList, wallMs: number): boolean {
  return thisUpdateMs - CLOCKS_APART_MS <= wallMs && wallMs <= nextUpdateMs;
}

const nameIn = (id: AuthorityId) => id.slice(0, id.lastIndexOf("\n")).replaceAll("\n", ", ");
const keyIn = (id: AuthorityId) => id.slice(id.lastIndexOf("\n") + 1).slice(0, 8);

function damaged(file: string): Fault {
  return {
    what: { id: "crl.no_list", params: { file } },
    instead: { id: "crl.make_again" },
  };
}

function withoutList(id: AuthorityId, file: string): Fault {
  return {
    what: { id: "crl.authority_without_list", params: { file, name: nameIn(id), key: keyIn(id) } },
    instead: { id: "crl.add_list" },
  };
}

function withoutIssuer({ subject, issuer }: X509Certificate): Fault {
  const oneLine = (text: string) => text.replaceAll("\n", ", ");
  return {
    what: { id: "crl.issuer_missing", params: { name: oneLine(subject), issuer: oneLine(issuer) } },
    instead: { id: "crl.whole_chain" },
  };
}
