import { type KeyObject, sign, verify } from "node:crypto";
import { AgentError } from "../common/errors.ts";
import type { SecretSearch } from "../common/log/redact.ts";
import { dateMs, type HeaderBag, isHtml } from "./headers.ts";

const SCHEME = "WECHATPAY2-SHA256-RSA2048";
const DIGEST = "RSA-SHA256";

/** How far a signed timestamp may lie from our clock, either way (WeChat Pay APIv3: signature verification). */
const TIMESTAMP_WINDOW_S = 300;

/** How much older than the newest verified answer one may be (specification 4). */
const REPLAY_ALLOWANCE_S = 5;

/** `Date` and signed timestamp are written by one server within moments of each other. */
const SAME_CLOCK_S = 60;

/** WeChat Pay probes its clients with deliberately wrong signatures; they must fail like any other. */
const PROBE = "WECHATPAY/SIGNTEST/";

export interface RequestToSign {
  readonly method: string;
  /** Path and query exactly as on the wire, a base path included. */
  readonly path: string;
  readonly timestampS: number;
  readonly nonce: string;
  /** Exactly as on the wire; empty for none. */
  readonly body: string;
}

export interface Signer {
  readonly mchid: string;
  /** Of the merchant's API certificate. */
  readonly serialNo: string;
}

/** Five lines, each ended by LF; the host is no part of it (WeChat Pay APIv3: request signature). */
export function messageToSign(request: RequestToSign): string {
  const { method, path, timestampS, nonce, body } = request;
  return `${method}\n${path}\n${timestampS}\n${nonce}\n${body}\n`;
}

/** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2). */
export type Sign = (message: string, privateKey: KeyObject) => Buffer | Promise<Buffer>;

export const signAtOnce = (message: string, privateKey: KeyObject): Buffer =>
  sign(DIGEST, Buffer.from(message), privateKey);

/** On a thread of libuv's pool, so that a busy process goes on meanwhile. Look-ups of names take at most half of those threads. */
export const signAside = (message: string, privateKey: KeyObject): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    sign(DIGEST, Buffer.from(message), privateKey, (error, signature) => (error ? reject(error) : resolve(signature)));
  });

/** The value of `Authorization`: no space after the commas, double quotes. */
export function authorization(request: RequestToSign, signer: Signer, signature: Buffer): string {
  return (
    `${SCHEME} mchid="${signer.mchid}",nonce_str="${request.nonce}",signature="${signature.toString("base64")}",` +
    `timestamp="${request.timestampS}",serial_no="${signer.serialNo}"`
  );
}

export interface AnswerToVerify {
  readonly headers: HeaderBag;
  /** The bytes as they came: a body that was parsed and printed again is another body. */
  readonly rawBody: Buffer;
  /** By serial. */
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
  /** Our own clock, never corrected: what the skew teaches must not widen what is believed. */
  readonly nowS: number;
  /** The newest signed timestamp verified so far, Unix seconds. */
  readonly newestSignedAtS: number;
  /** What the peer may repeat in the place of its serial. */
  readonly secrets?: () => SecretSearch;
}

const SIGNATURE_HEADERS = [
  "wechatpay-signature",
  "wechatpay-timestamp",
  "wechatpay-nonce",
  "wechatpay-serial",
] as const;

/**
 * The signed timestamp, Unix seconds, of an answer that is WeChat Pay's and new. Throws an AgentError of the codes
 * PAY_SIGNATURE_*, PAY_UNSIGNED, PAY_CAPTIVE_PORTAL, or CLOCK_WRONG when only our own clock is at fault.
 */
export function verifyAnswer(answer: AnswerToVerify): number {
  const { headers, rawBody, nowS } = answer;
  const signature = headers["wechatpay-signature"];
  const signatures = typeof signature === "string" ? [signature] : (signature ?? []);
  if (signatures.some((value) => value.startsWith(PROBE))) {
    throw new AgentError("PAY_SIGNATURE_PROBE", {});
  }
  const timestamp = headers["wechatpay-timestamp"];
  const nonce = headers["wechatpay-nonce"];
  const serial = headers["wechatpay-serial"];
  if (!signature || !timestamp || !nonce || !serial) {
    if (isHtml(headers, rawBody)) throw new AgentError("PAY_CAPTIVE_PORTAL", {});
    const missing = SIGNATURE_HEADERS.filter((name) => !headers[name]);
    // Who removes one of them and who never signed at all are looked for in different places.
    throw new AgentError("PAY_UNSIGNED", { missing });
  }
  if (Array.isArray(signature) || Array.isArray(timestamp) || Array.isArray(nonce) || Array.isArray(serial)) {
    throw new AgentError("PAY_SIGNATURE_MALFORMED.repeated", {});
  }
  if (!isBase64(signature)) throw new AgentError("PAY_SIGNATURE_MALFORMED.not_base64", {});
  if (!/^\d{10}$/.test(timestamp)) throw new AgentError("PAY_SIGNATURE_MALFORMED.timestamp", {});
  const publicKey = answer.publicKeys.get(serial);
  if (publicKey === undefined) {
    const ours = [...answer.publicKeys.keys()].join(", ");
    // Public key id or certificate serial number; anything else tells nothing.
    const telling =
      /^(PUB_KEY_ID_\d{1,60}|[0-9A-Fa-f]{8,60})$/.test(serial) && answer.secrets?.().find(serial) === undefined;
    throw new AgentError("PAY_SIGNATURE_SERIAL", { ours, ...(telling ? { theirs: serial } : {}) });
  }
  const signedAtS = Number(timestamp);
  const message = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), rawBody, Buffer.from("\n")]);
  const genuine = verify(DIGEST, message, publicKey, Buffer.from(signature, "base64"));
  // WeChat Pay's own clock has been later than this: a repetition, whatever our clock says.
  const repeated = signedAtS < answer.newestSignedAtS - REPLAY_ALLOWANCE_S;
  if (genuine && repeated) throw new AgentError("PAY_SIGNATURE_REPLAYED", {});
  const aheadS = signedAtS - nowS;
  if (Math.abs(aheadS) > TIMESTAMP_WINDOW_S) {
    // The newest one itself, a long while later: WeChat Pay's clock has not stood still.
    if (genuine && signedAtS <= answer.newestSignedAtS) throw new AgentError("PAY_SIGNATURE_REPLAYED", {});
    // Still refused. But a genuine answer whose own Date agrees with its timestamp is not old: our clock is wrong.
    const sentAtMs = dateMs(headers);
    if (genuine && sentAtMs !== undefined && Math.abs(sentAtMs / 1000 - signedAtS) <= SAME_CLOCK_S) {
      throw new AgentError("CLOCK_WRONG", {}, { context: { skewMs: sentAtMs - nowS * 1000 } });
    }
    throw new AgentError("PAY_SIGNATURE_EXPIRED", { aheadS });
  }
  if (!genuine) throw new AgentError("PAY_SIGNATURE_INVALID", {});
  return signedAtS;
}

/** Node decodes base64 leniently, skipping what does not belong; a signature has one form only. */
function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0;
}
