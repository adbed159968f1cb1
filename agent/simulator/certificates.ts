import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Extension } from "@peculiar/x509";
import { systemRandom } from "../common/random.ts";

const generate = promisify(generateKeyPair);
const ALGORITHM = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** Everything in PEM. */
export interface KeyPair {
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
}

export interface Certificate extends KeyPair {
  readonly certPem: string;
  /** Upper-case hexadecimal, 40 digits, as `openssl x509 -serial` prints it. */
  readonly serialNo: string;
}

export interface CertificateOptions {
  readonly commonName?: string;
  /** Host names and IP addresses; "127.0.0.1", "localhost" and "::1" unless told. Of no use in a client certificate. */
  readonly names?: readonly string[];
  /** Unix milliseconds; a day before and a year after the authority's `now` unless told. */
  readonly notBefore?: number;
  readonly notAfter?: number;
}

/** A private certificate authority, alive only as long as this object. */
export interface Authority extends Certificate {
  issueServer(options?: CertificateOptions): Promise<Certificate>;
  /** Also stands in for a merchant's API certificate: its common name is then the mchid. */
  issueClient(options?: CertificateOptions): Promise<Certificate>;
}

/** RSA 2048, as WeChat Pay demands it. */
export async function createKeyPair(): Promise<KeyPair> {
  const { publicKey, privateKey } = await generate("rsa", { modulusLength: 2048 });
  return inPem(publicKey, privateKey);
}

/** `now`: Unix milliseconds. */
export async function createAuthority(options: {
  readonly now: number;
  readonly commonName?: string;
}): Promise<Authority> {
  const { now } = options;
  const commonName = options.commonName ?? "facepay-agent simulation CA";
  const own = await issue({ commonName, names: [] }, "authority", now);
  const ca = { name: `CN=${commonName}`, key: own.privateKey };
  return {
    ...own.certificate,
    issueServer: async (wanted = {}) => (await issue(wanted, "server", now, ca)).certificate,
    issueClient: async (wanted = {}) => (await issue(wanted, "client", now, ca)).certificate,
  };
}

/** A server certificate of an unknown authority. */
export async function createSelfSigned(options: CertificateOptions & { readonly now: number }): Promise<Certificate> {
  return (await issue(options, "server", options.now)).certificate;
}

type Role = "authority" | "server" | "client";

/** Without an issuer the certificate signs itself. */
async function issue(
  wanted: CertificateOptions,
  role: Role,
  now: number,
  issuer?: { readonly name: string; readonly key: KeyObject },
): Promise<{ certificate: Certificate; privateKey: KeyObject }> {
  // tsyringe, which the package is built on, wants this polyfill loaded before it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const { publicKey, privateKey } = await generate("rsa", { modulusLength: 2048 });
  const names = wanted.names ?? ["127.0.0.1", "localhost", "::1"];
  const subject = `CN=${wanted.commonName ?? names[0] ?? "facepay-agent simulation"}`;
  const extensions: Extension[] = [
    new x509.BasicConstraintsExtension(role === "authority", undefined, true),
    role === "authority"
      ? new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)
      : new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
  ];
  if (role === "server") {
    const alternatives = names.map((value) => ({ type: isAddress(value) ? ("ip" as const) : ("dns" as const), value }));
    extensions.push(
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternatives),
    );
  } else if (role === "client") {
    extensions.push(new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]));
  }
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: freshSerial(),
    subject,
    issuer: issuer?.name ?? subject,
    notBefore: new Date(wanted.notBefore ?? now - DAY_MS),
    notAfter: new Date(wanted.notAfter ?? now + 365 * DAY_MS),
    publicKey: publicKey.toCryptoKey(ALGORITHM, true, ["verify"]),
    signingKey: (issuer?.key ?? privateKey).toCryptoKey(ALGORITHM, false, ["sign"]),
    extensions,
  });
  return {
    certificate: {
      ...inPem(publicKey, privateKey),
      certPem: `${certificate.toString("pem")}\n`,
      serialNo: certificate.serialNumber.toUpperCase(),
    },
    privateKey,
  };
}

/** Twenty octets, positive and of full length (RFC 5280 4.1.2.2). */
function freshSerial(): string {
  const serial = systemRandom.bytes(20);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial.toString("hex");
}

function isAddress(name: string): boolean {
  return name.includes(":") || /^[0-9.]+$/.test(name);
}

function inPem(publicKey: KeyObject, privateKey: KeyObject): KeyPair {
  return {
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
