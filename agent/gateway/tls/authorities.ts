import { createHash, X509Certificate } from "node:crypto";

/**
 * Who issues certificates: a name and a key, whatever the number of its own certificates (RFC 5280 section 6.3 looks lists up so). A
 * certificate renewed with the same key or signed by another authority as well is one authority more only in its paper.
 */
export type AuthorityId = string;

/** Every certificate of a PEM text; undefined when one of them is damaged or cut off. */
export function authoritiesOf(pem: string): X509Certificate[] | undefined {
  try {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (blocks.length < (pem.match(/-----BEGIN CERTIFICATE-----/g) ?? []).length) return undefined;
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    // The caller names the file; OpenSSL's text does not help.
    return undefined;
  }
}

export function authorityId({ subject, publicKey }: X509Certificate): AuthorityId {
  const key = createHash("sha256").update(publicKey.export({ type: "spki", format: "der" }));
  return `${subject}\n${key.digest("hex")}`;
}

/** Which of them has issued a certificate: by its name, and by the key that verifies the signature. */
export function issuerOf(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
): X509Certificate | undefined {
  const { issuer } = certificate;
  const named = authorities.filter((one) => issuer === one.subject || certificate.checkIssued(one));
  return named.find(({ publicKey }) => certificate.verify(publicKey));
}
