import type { RefusalCode } from "./error-responses.ts";
import type { Device, Register } from "./register.ts";
import type { AuthorityId } from "./tls/authorities.ts";
import type { Revocations } from "./tls/revocations.ts";

/** A certificate as it was shown when the connection was made. */
export interface ShownCertificate {
  /** SHA-256, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly commonName?: string;
  readonly serial: string;
  /** Unix milliseconds. */
  readonly beginsMs: number;
  readonly endsMs: number;
  /** OpenSSL's verdict, where it was not in order. */
  readonly fault?: string;
  /** Who issued it. */
  readonly authority?: AuthorityId;
}

export interface Shown {
  readonly certificate?: ShownCertificate;
  /** SHA-256 of the bearer token. */
  readonly token?: Buffer;
}

export interface Rules {
  readonly register: Register;
  readonly revocations: Revocations;
}

export type Admission =
  | { readonly ok: true; readonly device: Device }
  | { readonly ok: false; readonly code: RefusalCode };

const refuse = (code: RefusalCode): Admission => ({ ok: false, code });

/**
 * Who is asking, by what was shown, the register and the revocations as they are now: it is asked for each request, so that
 * a terminal struck off is refused on connections that are already open.
 */
export function admit({ certificate, token }: Shown, { register, revocations }: Rules, wallMs: number): Admission {
  if (certificate !== undefined) {
    const fault = faultOf(certificate, revocations, wallMs);
    if (fault !== undefined) return refuse(fault);
  }
  if (certificate === undefined && token === undefined) return refuse("CREDENTIALS_MISSING");
  const byToken = token && register.byToken(token);
  if (token !== undefined && byToken === undefined) return refuse("TOKEN_UNKNOWN");
  const byCertificate = certificate && register.byCertificate(certificate.fingerprint, certificate.commonName);
  const device = byCertificate ?? byToken;
  if (device === undefined) return refuse("DEVICE_UNKNOWN");
  if (byCertificate !== undefined && byToken !== undefined && byCertificate !== byToken) {
    return refuse("CREDENTIALS_DIFFER");
  }
  const wantsCertificate = device.commonName !== undefined || device.certificates.length > 0;
  if (wantsCertificate && byCertificate === undefined) {
    return refuse(certificate === undefined ? "CERTIFICATE_MISSING" : "DEVICE_UNKNOWN");
  }
  if (device.tokens.length > 0 && byToken === undefined) return refuse("TOKEN_MISSING");
  return { ok: true, device };
}

function faultOf(certificate: ShownCertificate, revocations: Revocations, wallMs: number): RefusalCode | undefined {
  const { fault, authority, serial, beginsMs, endsMs } = certificate;
  if (fault === "CERT_HAS_EXPIRED" || fault === "CERT_NOT_YET_VALID") return "CERTIFICATE_EXPIRED";
  if (fault !== undefined) return "CERTIFICATE_FOREIGN";
  if (wallMs < beginsMs || wallMs > endsMs) return "CERTIFICATE_EXPIRED";
  return revocations.judge(serial, authority, wallMs);
}
