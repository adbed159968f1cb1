import type { X509Certificate } from "node:crypto";

/** Which certificates are revoked, by the authority that issued them. */
export interface Revocations {
  /** Serial numbers in upper-case hexadecimal without leading zeros, by the authority's fingerprint. */
  readonly serials: ReadonlyMap<string, ReadonlySet<string>>;
  /** When the first of the lists should have been replaced by a newer one, Unix milliseconds. */
  readonly nextUpdateMs?: number;
}

export const noRevocations: Revocations = { serials: new Map() };

/**
 * Reads the lists (RFC 5280) of a PEM text, each verified by one of the authorities. OpenSSL's own check inside the
 * handshake is not used: it looks only when a connection opens, and refuses everyone once a list is out of date.
 * Resolves to undefined when a list is damaged or of none of these authorities.
 */
export async function readRevocations(
  pem: string,
  authorities: readonly X509Certificate[],
): Promise<Revocations | undefined> {
  // tsyringe, which the package is built on, wants this polyfill loaded before it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const issuers = authorities.map((authority) => ({
    fingerprint: authority.fingerprint256,
    certificate: new x509.X509Certificate(authority.raw),
  }));
  const serials = new Map<string, Set<string>>();
  let nextUpdateMs: number | undefined;
  const blocks = pem.match(/-----BEGIN (?:X509 )?CRL-----[^-]+-----END (?:X509 )?CRL-----/g) ?? [];
  if (blocks.length === 0) return undefined;
  try {
    for (const block of blocks) {
      const list = new x509.X509Crl(block);
      let fingerprint: string | undefined;
      for (const issuer of issuers) {
        const same = issuer.certificate.subject === list.issuer;
        if (same && (await list.verify({ publicKey: issuer.certificate }))) ({ fingerprint } = issuer);
      }
      if (fingerprint === undefined) return undefined;
      const revoked = serials.get(fingerprint) ?? new Set();
      serials.set(fingerprint, revoked);
      for (const { serialNumber } of list.entries) revoked.add(plainSerial(serialNumber));
      const next = list.nextUpdate?.getTime();
      if (next !== undefined) nextUpdateMs = Math.min(next, nextUpdateMs ?? next);
    }
  } catch {
    // ASN.1 that cannot be read: the error says nothing a person could use.
    return undefined;
  }
  return { serials, ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }) };
}

/** OpenSSL and the package write the same number with or without leading zeros. */
export function plainSerial(serial: string): string {
  return serial.toUpperCase().replace(/^0+(?=.)/, "");
}
