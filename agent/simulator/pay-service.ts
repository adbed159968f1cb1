import type { IncomingMessage } from "node:http";
import type { Clock } from "../common/clock.ts";
import type { Random } from "../common/random.ts";
import { type AnswerFault, deliver, FaultScript } from "./answer-faults.ts";
import { type Answer, json, type Platform, PlatformSigner, usualRefusal } from "./answers.ts";
import type { AuthinfoFacts } from "./authinfo-rules.ts";
import { type Exchange, type HttpsHostOptions, startHttpsHost } from "./https-host.ts";

/** One request as the simulator saw it; no secret is kept. */
export interface PayRequest extends AuthinfoFacts {
  /** Unix milliseconds by the server's clock, its offset included. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly remote: string;
  readonly bodyLength: number;
  /** Everything about the request was right. */
  readonly verified: boolean;
  /** What was wrong first: "signature_wrong", "raw_data_reused", ... */
  readonly reason?: string;
  /** Of the answer that was meant to be sent, faults included. */
  readonly status: number;
  readonly answerLength: number;
  readonly requestId: string;
  readonly userAgent: string;
  /** Lower case, without their values. */
  readonly headerNames: readonly string[];
  /** Of the Authorization header, where there is one. */
  readonly nonce?: string;
  readonly timestampS?: number;
  /** Common name of the client certificate. */
  readonly client?: string;
}

export type RequestFacts = Partial<Pick<PayRequest, "nonce" | "timestampS" | "client">> & AuthinfoFacts;

/** `json` undefined: an authinfo is due. */
export type Verdict =
  | { readonly ok: true; readonly facts: RequestFacts; readonly json?: unknown }
  | { readonly ok: false; readonly facts: RequestFacts; readonly reason: string; readonly answer: Answer };

/** A running simulator, steered through its properties. */
export interface PayService {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Oldest first; the last 2000. */
  readonly requests: readonly PayRequest[];
  readonly faults: FaultScript;
  /** The server's clock minus the real one: its checks, timestamps and Date follow it. */
  clockOffsetS: number;
  /** `expires_in` of the answers; undefined: left out, as documented. */
  expiresIn: number | string | undefined;
  /** On every good answer. */
  extraHeaders: Readonly<Record<string, string>>;
  /** Ends every connection at once; the port can be used again afterwards. */
  stop(): Promise<void>;
}

export interface PayServiceOptions extends Omit<HttpsHostOptions, "handle"> {
  readonly platform: Platform;
  /** Closes `url`; "" unless told. */
  readonly basePath?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly judge: (exchange: Exchange, nowS: number) => Verdict;
}

const LOG_LENGTH = 2000;
/** 1000 characters of base64, as measured. */
const AUTHINFO_OCTETS = 750;

/** What a direct WeChat Pay and a gateway have in common: everything but whom they let in. */
export async function startPayService(options: PayServiceOptions): Promise<PayService> {
  const { clock, random, judge } = options;
  const signer = new PlatformSigner(options.platform, random);
  const requests: PayRequest[] = [];
  const faults = new FaultScript();
  let authinfo: string | undefined;
  let lastGood: Answer | undefined;

  const handle = async (exchange: Exchange): Promise<void> => {
    const nowMs = clock.wall() + service.clockOffsetS * 1000;
    const verdict = judge(exchange, Math.floor(nowMs / 1000));
    const fault = faults.take();
    const replayed = fault.replay ? lastGood : undefined;
    const answer = replayed ?? dress(decide(verdict, fault), fault, nowMs);
    if (verdict.ok && fault.signature === undefined && answer.headers["Wechatpay-Signature"]) lastGood = answer;
    requests.push(describe(exchange, verdict, answer, nowMs));
    if (requests.length > LOG_LENGTH) requests.shift();
    await deliver(answer, fault, exchange, clock, exchange.signal);
  };

  const decide = (verdict: Verdict, fault: AnswerFault): Answer => {
    if (fault.body !== undefined) return { ...json(fault.status ?? 200, null), body: Buffer.from(fault.body) };
    if (fault.status !== undefined && fault.status >= 400) return usualRefusal(fault.status);
    if (!verdict.ok) return verdict.answer;
    return json(fault.status ?? 200, "json" in fault ? fault.json : (verdict.json ?? issue(fault)));
  };

  const issue = (fault: AnswerFault): unknown => {
    if (authinfo === undefined || !fault.sameAuthinfo) authinfo = random.bytes(AUTHINFO_OCTETS).toString("base64");
    return {
      authinfo: "authinfo" in fault ? fault.authinfo : authinfo,
      expires_in: "expiresIn" in fault ? fault.expiresIn : service.expiresIn,
    };
  };

  /** The headers every answer has, and the signature of those that WeChat Pay signs: 2xx alone, whatever the manual says. */
  const dress = (answer: Answer, fault: AnswerFault, nowMs: number): Answer => {
    const signed = answer.status < 300 && fault.body === undefined;
    const timestampS = Math.floor(nowMs / 1000) + (fault.timestampOffsetS ?? 0);
    const headers = {
      Server: "nginx",
      Date: new Date(nowMs + (fault.dateOffsetS ?? 0) * 1000).toUTCString(),
      "Request-ID": `${random.bytes(22).toString("hex").toUpperCase()}-${signed ? "0" : "268435461"}`,
      "Content-Language": "zh-CN",
      ...signer.headers(answer.body, timestampS, fault.signature ?? (signed ? "good" : "none")),
      ...(signed ? service.extraHeaders : {}),
      ...answer.headers,
      ...fault.headers,
    };
    return { ...answer, headers };
  };

  const host = await startHttpsHost({ ...options, handle });
  const service: PayService = {
    url: `${host.url}${options.basePath ?? ""}`,
    host: host.host,
    port: host.port,
    requests,
    faults,
    clockOffsetS: 0,
    expiresIn: undefined,
    extraHeaders: {},
    stop: host.stop,
  };
  return service;
}

function describe({ request, body }: Exchange, verdict: Verdict, answer: Answer, nowMs: number): PayRequest {
  return {
    at: nowMs,
    method: request.method ?? "",
    path: request.url ?? "",
    remote: `${request.socket.remoteAddress}:${request.socket.remotePort}`,
    bodyLength: body.length,
    verified: verdict.ok,
    ...(verdict.ok ? {} : { reason: verdict.reason }),
    status: answer.status,
    answerLength: answer.body.length,
    requestId: answer.headers["Request-ID"] ?? "",
    userAgent: request.headers["user-agent"] ?? "",
    headerNames: Object.keys(request.headers),
    ...verdict.facts,
  };
}

/**
 * What WeChat Pay wants of every request before it looks further, and of the one with a body. `Wechatpay-Serial` only chooses the key
 * that the answer is signed with, so it may be left out where nothing else needs it (WeChat Pay APIv3: public key mode).
 */
export function checkHeaders(request: IncomingMessage, keyId: string, needsSerial: boolean): Verdict | undefined {
  const { accept, "user-agent": userAgent, "content-type": contentType, "wechatpay-serial": serial } = request.headers;
  const refuse = (reason: string, code: string, message: string): Verdict => {
    return { ok: false, facts: {}, reason, answer: json(400, { code, message }) };
  };
  if (!accept || !userAgent) return refuse("accept_or_user_agent", "INVALID_REQUEST", "Http头缺少Accept或User-Agent");
  if (!/^application\/json[ \t]*(;[ \t]*charset="?utf-?8"?[ \t]*)?$/i.test(contentType ?? "")) {
    return refuse("content_type", "INVALID_REQUEST", "Http头Content-Type须为application/json");
  }
  if (serial === undefined ? needsSerial : serial !== keyId)
    return refuse("wechatpay_serial", "PARAM_ERROR", "平台证书序列号Wechatpay-Serial错误");
  return undefined;
}

/** Remembers what was used once; bounded, since a demo runs for days. */
export class OnceOnly {
  readonly #seen = new Set<string>();

  /** True the first time. */
  readonly isFresh = (value: string): boolean => {
    if (this.#seen.has(value)) return false;
    this.#seen.add(value);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= 20_000) break;
      this.#seen.delete(oldest);
    }
    return true;
  };
}
