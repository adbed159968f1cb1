import { createPublicKey } from "node:crypto";
import { type Clock, systemClock } from "../common/clock.ts";
import { type Random, systemRandom } from "../common/random.ts";
import { empty, json, type Platform } from "./answers.ts";
import { checkAuthinfoBody, type ExpectedIdentity } from "./authinfo-rules.ts";
import { ECHO, echo } from "./echo.ts";
import type { Exchange, TlsMaterial } from "./https-host.ts";
import { checkSignature } from "./merchant-signature.ts";
import { checkHeaders, OnceOnly, type PayService, startPayService, type Verdict } from "./pay-service.ts";

export interface WechatPayServerOptions {
  readonly tls: TlsMaterial;
  readonly host?: string;
  /** 0, the default: any free one. */
  readonly port?: number;
  /** The service provider whose requests are believed. */
  readonly merchant: { readonly mchid: string; readonly serialNo: string; readonly publicKeyPem: string };
  readonly platform: Platform;
  readonly identity?: ExpectedIdentity;
  readonly clock?: Clock;
  readonly random?: Random;
}

const AUTHINFO = "/v3/offlineface/authinfo";

/**
 * A simulated WeChat Pay on HTTPS: POST /v3/offlineface/authinfo and POST /v3/security/echo, every request verified, every
 * success signed. There is no official sandbox (WeChat Pay APIv3). Rejects when the port is taken.
 */
export async function startWechatPayServer(options: WechatPayServerOptions): Promise<PayService> {
  const clock = options.clock ?? systemClock();
  const merchant = { ...options.merchant, publicKey: createPublicKey(options.merchant.publicKeyPem) };
  const nonces = new OnceOnly();
  const rawData = new OnceOnly();

  const judge = ({ request, body }: Exchange, nowS: number): Verdict => {
    const target = request.url ?? "";
    if (target !== AUTHINFO && target !== ECHO) {
      return { ok: false, facts: {}, reason: "path", answer: empty(404) };
    }
    if (request.method !== "POST") return { ok: false, facts: {}, reason: "method", answer: empty(405) };
    const badHeaders = checkHeaders(request, options.platform.keyId, target === ECHO);
    if (badHeaders?.ok === false && badHeaders.reason === "accept_or_user_agent") return badHeaders;
    const { authorization } = request.headers;
    const signed = checkSignature({ method: "POST", target, body, authorization }, merchant, nowS, nonces.isFresh);
    if ("refusal" in signed) {
      const { reason, message } = signed.refusal;
      return { ok: false, facts: {}, reason, answer: json(401, { code: "SIGN_ERROR", message }) };
    }
    const { nonce_str: nonce, timestamp } = signed.fields;
    const facts = { nonce, timestampS: Number(timestamp) };
    if (badHeaders !== undefined) return { ...badHeaders, facts };
    if (target === ECHO) return echo(body, facts);
    const checked = checkAuthinfoBody(body, options.identity ?? {}, rawData.isFresh);
    const known = { ...facts, ...checked.facts };
    return checked.refusal === undefined ? { ok: true, facts: known } : { ok: false, facts: known, ...checked.refusal };
  };

  const random = options.random ?? systemRandom;
  return startPayService({ ...options, clock, random, judge });
}
