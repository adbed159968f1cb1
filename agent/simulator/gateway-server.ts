import { createHash, timingSafeEqual } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { type Clock, systemClock } from "../common/clock.ts";
import { type Random, systemRandom } from "../common/random.ts";
import { empty, json, type Platform } from "./answers.ts";
import { checkAuthinfoBody, type ExpectedIdentity } from "./authinfo-rules.ts";
import { ECHO, echo } from "./echo.ts";
import type { Exchange, TlsMaterial } from "./https-host.ts";
import { checkHeaders, OnceOnly, type PayService, startPayService, type Verdict } from "./pay-service.ts";

export interface GatewayServerOptions {
  readonly tls: TlsMaterial;
  readonly host?: string;
  /** 0, the default: any free one. */
  readonly port?: number;
  /** "/facepay", without a closing slash; "" unless told. It is part of `url`. */
  readonly basePath?: string;
  /** Terminals have to show a certificate of this authority. */
  readonly clientCa?: string;
  /** Terminals have to send it as `Authorization: Bearer ...`. */
  readonly bearerToken?: string;
  readonly platform: Platform;
  readonly identity?: ExpectedIdentity;
  /** `Facepay-Refresh-Seconds` of the good answers. */
  readonly refreshSeconds?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * A simulated merchant's gateway (specification 4): it lets a terminal in by certificate, token or both, and answers as if it
 * had passed on what WeChat Pay said, `Wechatpay-*` headers and raw body. Rejects when the port is taken.
 */
export async function startGatewayServer(options: GatewayServerOptions): Promise<PayService> {
  const { basePath = "", bearerToken } = options;
  const rawData = new OnceOnly();

  const judge = ({ request, body }: Exchange): Verdict => {
    const client = (request.socket as TLSSocket).getPeerCertificate?.().subject?.CN;
    const facts = typeof client === "string" ? { client } : {};
    const refuse = (reason: string, status: number, message: string): Verdict => {
      const headers: Record<string, string> = status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
      return { ok: false, facts, reason, answer: json(status, { code: reason.toUpperCase(), message }, headers) };
    };
    const isEcho = request.url === basePath + ECHO;
    if (!isEcho && request.url !== `${basePath}/v3/offlineface/authinfo`) {
      return { ok: false, facts, reason: "path", answer: empty(404) };
    }
    if (request.method !== "POST") return { ok: false, facts, reason: "method", answer: empty(405) };
    const { authorization = "" } = request.headers;
    if (authorization.startsWith("WECHATPAY2-")) {
      return refuse("merchant_signature", 400, "a terminal behind a gateway has no merchant key to sign with");
    }
    if (bearerToken !== undefined && !isSame(authorization, `Bearer ${bearerToken}`)) {
      return refuse("bearer_token", 401, "the bearer token is missing or wrong");
    }
    const badHeaders = checkHeaders(request, options.platform.keyId, isEcho);
    if (badHeaders !== undefined) return { ...badHeaders, facts };
    if (isEcho) return echo(body, facts);
    const checked = checkAuthinfoBody(body, options.identity ?? {}, rawData.isFresh);
    const known = { ...facts, ...checked.facts };
    return checked.refusal === undefined ? { ok: true, facts: known } : { ok: false, facts: known, ...checked.refusal };
  };

  const clock = options.clock ?? systemClock();
  const random = options.random ?? systemRandom;
  const service = await startPayService({ ...options, clock, random, judge });
  if (options.refreshSeconds !== undefined) {
    service.extraHeaders = { "Facepay-Refresh-Seconds": String(options.refreshSeconds) };
  }
  return service;
}

function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
