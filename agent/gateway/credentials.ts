import { createHash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Shown, ShownCertificate } from "./authenticate.ts";
import { authorityId, issuerOf } from "./tls/authorities.ts";

/** Certificates by connection: parsing one takes longer than all the other checks. */
const seen = new WeakMap<TLSSocket, ShownCertificate>();

/** What a request shows of itself. `authorities`: those that may have issued its certificate. */
export function shownBy(
  socket: TLSSocket,
  rawHeaders: readonly string[],
  authorities: readonly X509Certificate[],
): Shown {
  const certificate = certificateOf(socket, authorities);
  const token = tokenOf(rawHeaders);
  return { ...(certificate === undefined ? {} : { certificate }), ...(token === undefined ? {} : { token }) };
}

function certificateOf(socket: TLSSocket, authorities: readonly X509Certificate[]): ShownCertificate | undefined {
  const known = seen.get(socket);
  if (known !== undefined) return known;
  // Without an authority none was asked for.
  const certificate = authorities.length === 0 ? undefined : socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const shown = describe(certificate, socket, authorities);
  seen.set(socket, shown);
  return shown;
}

function describe(
  certificate: X509Certificate,
  socket: TLSSocket,
  authorities: readonly X509Certificate[],
): ShownCertificate {
  const commonName = commonNameOf(certificate);
  const issuer = issuerOf(certificate, authorities);
  const fault = socket.authorized ? undefined : codeOf(socket.authorizationError);
  return {
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    ...(commonName === undefined ? {} : { commonName }),
    serial: certificate.serialNumber,
    beginsMs: Date.parse(certificate.validFrom),
    endsMs: Date.parse(certificate.validTo),
    ...(fault === undefined ? {} : { fault }),
    ...(issuer === undefined ? {} : { authority: authorityId(issuer) }),
  };
}

/**
 * Several names are as good as none: it is undefined which one counts. Node writes one attribute a line and escapes
 * what would break that; its object of the same, for the rare name with an escape, takes five times as long.
 */
function commonNameOf(certificate: X509Certificate): string | undefined {
  const { subject } = certificate;
  if (subject === undefined) return undefined;
  const [name, ...more] = subject.split("\n").filter((line) => line.startsWith("CN="));
  if (name === undefined || more.length > 0) return undefined;
  if (!subject.includes("\\") && !subject.includes('"')) return name.slice(3);
  const exact: unknown = certificate.toLegacyObject().subject?.CN;
  return typeof exact === "string" ? exact : undefined;
}

/** Node gives OpenSSL's code as a text, though the type says Error. */
function codeOf(error: unknown): string {
  return typeof error === "string" ? error : "unknown";
}

/** The SHA-256 of the bearer token. Any other credential, or two of them, matches no token. */
function tokenOf(rawHeaders: readonly string[]): Buffer | undefined {
  const given: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === "authorization") given.push(rawHeaders[i + 1] ?? "");
  }
  if (given.length === 0) return undefined;
  const [, token = given.join()] = given.length === 1 ? (/^Bearer ([\x21-\x7e]+)$/.exec(given[0] ?? "") ?? []) : [];
  return createHash("sha256").update(token).digest();
}
