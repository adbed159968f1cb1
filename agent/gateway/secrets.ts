import { X509Certificate } from "node:crypto";
import type { Problem } from "../config/problem.ts";
import { parseMerchantKey, parseTlsKey, parseWechatPayKey } from "../config/secrets/pem.ts";
import { MOST, MOST_CA, Reading, type Surroundings } from "../config/secrets/reading.ts";
import { proxyAuthFault } from "../config/secrets/secrets.ts";
import type { WechatPaySecrets } from "../wechatpay/secrets.ts";
import type { FileKey } from "./config.ts";

/** What the files named in the configuration hold, the register and revocation lists apart. Never logged, never shown. */
export interface GatewaySecrets {
  readonly tls: { readonly cert: string; readonly key: string };
  /** When the server's certificate ends, Unix milliseconds. */
  readonly certificateEndsMs: number;
  /** Those whose certificates terminals may show; none when only tokens count. */
  readonly terminalCa?: string;
  readonly wechatpay: WechatPaySecrets;
}

const RENEW = { zh: "请更换服务器证书", en: "renew the server's certificate" };

/** All problems at once; never throws. */
export function readSecrets(
  files: ReadonlyMap<FileKey, string>,
  surroundings: Surroundings,
  origins: ReadonlyMap<string, string>,
): { readonly secrets?: GatewaySecrets; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const reading = new Reading(files, surroundings, origins);
  const cert = reading.certificates("listen.cert_file", "server.pem", MOST, RENEW);
  const key = reading.pem("listen.key_file", (text, file) => parseTlsKey(text, file, "server.key"));
  reading.pair(["listen.cert_file", cert?.first], ["listen.key_file", key?.value]);
  const terminalCa = reading.certificates("devices.ca_file", "terminal-ca.pem", MOST_CA, {
    zh: "请更换终端 CA",
    en: "renew the terminals' authority",
  });
  if (terminalCa !== undefined && authoritiesOf(terminalCa.text) === undefined) {
    reading.problem("devices.ca_file", {
      what: { zh: "含有无法解析的证书", en: "holds a certificate that cannot be parsed" },
      instead: { zh: "请重新放入该文件", en: "put the file there again" },
    });
  }
  const ca = reading.certificates("wechatpay.ca_file", "ca.pem", MOST_CA);
  const publicKey = reading.pem("wechatpay.public_key_file", parseWechatPayKey, false);
  const merchantKey = reading.pem("wechatpay.merchant_private_key_file", parseMerchantKey);
  reading.foreign("wechatpay.public_key_file", publicKey?.value, [
    ["wechatpay.merchant_private_key_file", merchantKey?.value],
    ["listen.key_file", key?.value],
  ]);
  const proxyAuth = reading.line("wechatpay.proxy_auth_file", proxyAuthFault);
  const { problems, warnings } = reading;
  const complete = cert && key && publicKey && merchantKey;
  if (problems.length > 0 || !complete) return { problems, warnings };
  return {
    secrets: {
      tls: { cert: cert.text, key: key.text },
      certificateEndsMs: Date.parse(cert.first.validTo),
      ...(terminalCa === undefined ? {} : { terminalCa: terminalCa.text }),
      wechatpay: {
        publicKey: publicKey.value,
        merchantPrivateKey: merchantKey.value,
        ...(ca === undefined ? {} : { ca: ca.text }),
        ...(proxyAuth === undefined ? {} : { proxyAuth }),
      },
    },
    problems,
    warnings,
  };
}

/** Every certificate of a PEM text; undefined when one of them is damaged. */
export function authoritiesOf(pem: string): X509Certificate[] | undefined {
  try {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    // The caller names the file; OpenSSL's words help nobody.
    return undefined;
  }
}
