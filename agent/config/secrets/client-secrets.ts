import type { KeyObject } from "node:crypto";

/**
 * What the files named in [wechatpay] hold, read and checked once by the composition root. Parsed keys, not
 * PEM text: signing from PEM each time takes three times as long.
 */
export interface WechatPaySecrets {
  /** WeChat Pay's public key, the one named by `public_key_id`. */
  readonly publicKey: KeyObject;
  /** Direct mode: the service provider's key. */
  readonly merchantPrivateKey?: KeyObject;
  /** An extra root certificate, PEM. */
  readonly ca?: string;
  /** Gateway mode: the certificate (chain) and key this terminal shows, PEM. */
  readonly clientCert?: string;
  readonly clientKey?: string;
  /** Gateway mode. */
  readonly bearerToken?: string;
  /** `user:password`. */
  readonly proxyAuth?: string;
}
