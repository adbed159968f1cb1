import { type webcrypto, X509Certificate } from "node:crypto";
import type { Extension } from "@peculiar/x509";

// tsyringe, which the package is built on, wants this polyfill loaded before it.
await import("reflect-metadata");
const x509 = await import("@peculiar/x509");

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
export const NOW = Date.UTC(2026, 5, 15, 12);

export interface Paper {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly serial: string;
}

export interface Validity {
  readonly notBefore?: number;
  readonly notAfter?: number;
}

let serials = 0x1000;

/** A name and a key, with as many certificates as a test wants. Elliptic, since those are made in no time. */
export class TestAuthority {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;

  private constructor(name: string, keys: webcrypto.CryptoKeyPair) {
    this.name = name;
    this.keys = keys;
  }

  static async create(name: string): Promise<TestAuthority> {
    return new TestAuthority(name, await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]));
  }

  /** A certificate of its own, signed by `issuer`: by itself unless told. */
  async certified(issuer: TestAuthority = this, validity: Validity = {}): Promise<Paper> {
    return await paper({ subject: this.name, key: this.keys.publicKey, issuer, authority: true, ...validity });
  }

  /** A certificate of a terminal. */
  async issue(commonName = "D1", validity: Validity = {}): Promise<Paper & { readonly keys: webcrypto.CryptoKeyPair }> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const made = await paper({ subject: commonName, key: keys.publicKey, issuer: this, authority: false, ...validity });
    return { ...made, keys };
  }

  async list(
    revoked: readonly Paper[] = [],
    options: {
      readonly thisUpdate?: number;
      readonly nextUpdate?: number | null;
      readonly extensions?: Extension[];
    } = {},
  ): Promise<string> {
    const { thisUpdate = NOW - DAY_MS, nextUpdate = NOW + DAY_MS, extensions = [] } = options;
    const list = await x509.X509CrlGenerator.create({
      issuer: `CN=${this.name}`,
      thisUpdate: new Date(thisUpdate),
      ...(nextUpdate === null ? {} : { nextUpdate: new Date(nextUpdate) }),
      entries: revoked.map(({ serial }) => ({ serialNumber: serial, revocationDate: new Date(NOW - DAY_MS) })),
      extensions,
      signingAlgorithm: ALGORITHM,
      signingKey: this.keys.privateKey,
    });
    return `${list.toString("pem").replaceAll(" CRL-", " X509 CRL-")}\n`;
  }
}

async function paper(
  wanted: {
    readonly subject: string;
    readonly key: webcrypto.CryptoKey;
    readonly issuer: TestAuthority;
    readonly authority: boolean;
  } & Validity,
): Promise<Paper> {
  const { subject, key, issuer, authority, notBefore = NOW - 30 * DAY_MS, notAfter = NOW + 30 * DAY_MS } = wanted;
  const serial = (serials++).toString(16);
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: `CN=${subject}`,
    issuer: `CN=${issuer.name}`,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    publicKey: key,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(authority, undefined, true),
      new x509.KeyUsagesExtension(
        authority ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign : x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(key),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
    ],
  });
  const pem = `${made.toString("pem")}\n`;
  return { certificate: new X509Certificate(pem), pem, serial };
}

/** A critical extension that makes a list one of changes alone (RFC 5280 section 5.2.4). */
export const deltaIndicator = () => new x509.Extension("2.5.29.27", true, new Uint8Array([2, 1, 1]));
