import { createPrivateKey } from "node:crypto";
import type { Authority, Certificate } from "../../../agent/simulator/certificates.ts";

const ALGORITHM = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;
const HOUR_MS = 3_600_000;

/** A revocation list as `openssl ca -gencrl` makes one, in PEM. */
export async function revocationList(
  authority: Authority,
  revoked: readonly Certificate[],
  options: { readonly nextUpdate?: number } = {},
): Promise<string> {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const now = Date.now();
  const list = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(authority.certPem).subject,
    thisUpdate: new Date(now - HOUR_MS),
    nextUpdate: new Date(options.nextUpdate ?? now + HOUR_MS),
    entries: revoked.map(({ serialNo }) => ({ serialNumber: serialNo, revocationDate: new Date(now - HOUR_MS) })),
    signingAlgorithm: ALGORITHM,
    signingKey: createPrivateKey(authority.privateKeyPem).toCryptoKey(ALGORITHM, false, ["sign"]),
  });
  return `${list.toString("pem").replaceAll(" CRL-", " X509 CRL-")}\n`;
}
