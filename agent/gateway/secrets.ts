import type { Problem } from "../config/problem.ts";
import type { WechatPaySecrets } from "../config/secrets/client-secrets.ts";
import { parseMerchantKey, parseTlsKey, parseWechatPayKey } from "../config/secrets/pem.ts";
import { type FileContext, MOST, MOST_CA, Reading } from "../config/secrets/secret-file-loader.ts";
import { proxyAuthFault } from "../config/secrets/secrets.ts";
import type { AnyMessage } from "../messages/message.ts";
import type { FileKey } from "./config.ts";

/** What the files named in the configuration hold, but for what terminals are judged by. Never logged, never shown. */
export interface GatewaySecrets {
  readonly tls: { readonly cert: string; readonly key: string };
  /** When the server's certificate ends, Unix milliseconds. */
  readonly certificateEndsMs: number;
  readonly wechatpay: WechatPaySecrets;
}

const RENEW: AnyMessage = { id: "gateway.renew_server_certificate" };

/** All problems at once; never throws. */
export function readSecrets(
  files: ReadonlyMap<FileKey, string>,
  surroundings: FileContext,
  origins: ReadonlyMap<string, string>,
): { readonly secrets?: GatewaySecrets; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const reading = new Reading(files, surroundings, origins);
  const cert = reading.certificates("listen.cert_file", "server.pem", MOST, RENEW);
  const key = reading.pem("listen.key_file", (text, file) => parseTlsKey(text, file, "server.key"));
  reading.pair(["listen.cert_file", cert?.first], ["listen.key_file", key?.value]);
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
