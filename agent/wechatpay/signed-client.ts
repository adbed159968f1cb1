import type { Clock } from "../common/clock.ts";
import { AgentError, isAgentError } from "../common/errors.ts";
import { SecretSearch } from "../common/log/redact.ts";
import type { Random } from "../common/random.ts";
import type { Identity, WechatPayConfig } from "../config/config.ts";
import { isExempt } from "../config/no-proxy.ts";
import type { WechatPaySecrets } from "../config/secrets/client-secrets.ts";
import { classifyStatus, classifyTransportError, tellableId } from "./failure-classes.ts";
import { dateMs, type HeaderBag, isPlain } from "./headers.ts";
import { createNonces } from "./nonces.ts";
import { authorization, messageToSign, type Sign, signAtOnce, verifyAnswer } from "./signature.ts";
import {
  createTransport,
  type HttpAnswer,
  isSuccess,
  type Transport,
  type TransportOptions,
} from "./transport/transport.ts";

/** Beyond this a certificate's dates say more about our clock than about the certificate. */
const SKEW_THAT_MISLEADS_MS = 300_000;

/** Our clock was off by more than this, and is known better now: worth one more request after a 401. */
const SKEW_THAT_EXPLAINS_MS = 60_000;

/** A clock that shows less is wrong: this was written later. */
const EARLIEST_WALL_MS = Date.UTC(2026, 0, 1);

export interface SignedClientOptions {
  readonly config: WechatPayConfig;
  /** Who signs. */
  readonly identity: Pick<Identity, "spMchid">;
  readonly secrets: WechatPaySecrets;
  readonly clock: Clock;
  readonly random: Random;
  /** `facepay-agent/<version>`: WeChat Pay refuses requests without one. */
  readonly userAgent: string;
  /** For many requests at once; by default each is signed where it stands. */
  readonly sign?: Sign;
  /** Whether something else gives reason to think the wall clock wrong (a floor kept in the state). */
  readonly clockSuspect?: () => boolean;
  /** HTTP over TLS over the system's network unless told. */
  readonly createTransport?: typeof createTransport;
}

/** What it takes to reach a base URL; believing its answers takes more. */
export interface EndpointOptions extends Pick<SignedClientOptions, "config" | "clock" | "createTransport"> {
  readonly secrets: Omit<WechatPaySecrets, "publicKey">;
}

export interface Call {
  readonly path: string;
  readonly body: string;
  /** Texts that nothing of an answer may repeat, and those that it may, whatever they have in common with the former. */
  readonly secrets: readonly string[];
  readonly open?: readonly string[];
  readonly newestSignedAtS: number;
  /** The key that WeChat Pay is asked to sign with, where that is not the configured one. */
  readonly publicKeyId?: string;
}

/** An answer as it came, whatever it says. */
export interface Sent {
  readonly answer: HttpAnswer;
  readonly baseUrl: string;
  readonly sentBootMs: number;
  readonly sentWallMs: number;
}

/** An answer that is WeChat Pay's beyond doubt; its body has not been read yet. */
export interface Verified extends Sent {
  readonly signedAtS: number;
  readonly skewMs: number;
}

export interface Target {
  readonly baseUrl: string;
  readonly url: URL;
  readonly transport: Transport;
}

export interface Exchange {
  /** One HTTP request, signed afresh, and the verdict on its answer: an AgentError unless it is a verified 2xx. */
  request(target: Target, call: Call, signal: AbortSignal): Promise<Verified>;
  /** The first half of it: an AgentError only when there is no answer. */
  send(target: Target, call: Call, signal: AbortSignal): Promise<Sent>;
  /** The second half: the verdict. */
  judge(sent: Sent, call: Call): Verified;
  /** `Request-ID` as far as it tells nothing that is secret, judged when it is asked for: nothing else of the two is kept until then. */
  requestId(headers: HeaderBag, call: Pick<Call, "secrets" | "open">): () => string | undefined;
  /** WeChat Pay's clock minus ours, as of now; undefined until an answer has told. */
  skewMs(): number | undefined;
}

export function createSignedClient(options: SignedClientOptions): Exchange {
  const { config, identity, secrets, clock, random } = options;
  const publicKeys = new Map([[config.publicKeyId, secrets.publicKey]]);
  const hidden = sentSecrets(secrets);
  const nonce = createNonces(random);
  const secretsOf = (call: Pick<Call, "secrets" | "open">) =>
    new SecretSearch([...call.secrets, ...hidden], [identity.spMchid, ...(call.open ?? [])]);
  /** WeChat Pay's clock minus `clock.boot()`: so a step of the wall clock does not spoil what was learnt. */
  let serverMinusBootMs: number | undefined;

  const skewMs = () =>
    serverMinusBootMs === undefined ? undefined : Math.round(serverMinusBootMs + clock.boot() - clock.wall());

  function learnSkew(answer: HttpAnswer, sentBootMs: number): void {
    const date = dateMs(answer.headers);
    if (date === undefined) return;
    const startedAt = answer.connectedAt ?? sentBootMs;
    // Date has lost its fraction of a second, half a second on average; it was written about half-way.
    serverMinusBootMs = date + 500 - (startedAt + answer.receivedAt) / 2;
  }

  async function headersOf(path: string, call: Call): Promise<Record<string, string>> {
    const { body, publicKeyId = config.publicKeyId } = call;
    return {
      accept: "application/json",
      "accept-encoding": "identity",
      "content-type": "application/json",
      "user-agent": options.userAgent,
      // In public key mode this is what makes WeChat Pay sign the answer with that key's private half.
      "wechatpay-serial": publicKeyId,
      ...(await credentials(path, body)),
    };
  }

  async function credentials(path: string, body: string): Promise<Record<string, string>> {
    if (config.mode === "gateway") {
      return secrets.bearerToken === undefined ? {} : { authorization: `Bearer ${secrets.bearerToken.trim()}` };
    }
    if (secrets.merchantPrivateKey === undefined || config.merchantSerialNo === undefined) {
      throw new AgentError("KEY_FILE.merchant", {});
    }
    const timestampS = Math.floor((clock.wall() + (skewMs() ?? 0)) / 1000);
    const signer = { mchid: identity.spMchid, serialNo: config.merchantSerialNo };
    const request = { method: "POST", path, timestampS, nonce: nonce(), body };
    const signature = await (options.sign ?? signAtOnce)(messageToSign(request), secrets.merchantPrivateKey);
    return { authorization: authorization(request, signer, signature) };
  }

  function classify(error: unknown): AgentError {
    const misled = Math.abs(skewMs() ?? 0) > SKEW_THAT_MISLEADS_MS || clock.wall() < EARLIEST_WALL_MS;
    const clockSuspect = misled || options.clockSuspect?.() === true;
    return classifyTransportError(error, { clockSuspect, ownAuthority: secrets.ca !== undefined });
  }

  async function send({ transport, url, baseUrl }: Target, call: Call, signal: AbortSignal): Promise<Sent> {
    const path = joined(url, call.path);
    const post = { path, headers: await headersOf(path, call), body: call.body };
    const sentBootMs = clock.boot();
    const sentWallMs = clock.wall();
    let answer: HttpAnswer;
    try {
      answer = await transport.post(post, signal);
    } catch (error) {
      throw classify(error);
    }
    learnSkew(answer, sentBootMs);
    return { answer, baseUrl, sentBootMs, sentWallMs };
  }

  function judge(sent: Sent, call: Call): Verified {
    const { answer } = sent;
    const { status, headers, body } = answer;
    if (!isSuccess(status)) {
      throw classifyStatus({ status, headers, body, wallMs: clock.wall(), secrets: secretsOf(call) });
    }
    try {
      if (!isPlain(headers)) throw new AgentError("PAY_ANSWER_ENCODED", {});
      if (answer.bodyError !== undefined) throw classify(answer.bodyError);
      const { newestSignedAtS } = call;
      const nowS = Math.floor(clock.wall() / 1000);
      const ours = { publicKeys, nowS, newestSignedAtS, secrets: () => secretsOf(call) };
      const signedAtS = verifyAnswer({ headers, rawBody: body, ...ours });
      return { ...sent, signedAtS, skewMs: skewMs() ?? signedAtS * 1000 - clock.wall() };
    } catch (error) {
      throw withContext(error, { status, requestId: tellableId(headers, secretsOf(call)) });
    }
  }

  return {
    request: async (target, call, signal) => judge(await send(target, call, signal), call),
    send,
    judge,
    requestId({ "request-id": id }, { secrets: told, open = [] }) {
      return () => tellableId({ "request-id": id }, secretsOf({ secrets: told, open }));
    },
    skewMs,
  };
}

/** What every request carries. A user's name is none. */
export function sentSecrets({ bearerToken, proxyAuth }: Pick<WechatPaySecrets, "bearerToken" | "proxyAuth">): string[] {
  const password = proxyAuth?.slice(proxyAuth.indexOf(":") + 1);
  return [bearerToken, password].flatMap((secret) => (secret === undefined ? [] : [secret.trim()]));
}

/** A base URL and the way to it, which is opened at the first request. */
export function createTarget(
  baseUrl: string,
  { config, secrets, clock, createTransport: create = createTransport }: EndpointOptions,
  more: Pick<TransportOptions, "secureContext" | "frequent"> = {},
): Target {
  const url = new URL(baseUrl);
  // Nothing but Node's own roots may speak for WeChat Pay itself (specification 2).
  const ofWechat = url.hostname === "weixin.qq.com" || url.hostname.endsWith(".weixin.qq.com");
  const gateway = config.mode === "gateway";
  const transport = create({
    origin: url.origin,
    ca: ofWechat ? undefined : secrets.ca,
    clientCert: gateway ? secrets.clientCert : undefined,
    clientKey: gateway ? secrets.clientKey : undefined,
    proxy: isExempt(url, config.noProxy) ? undefined : config.proxy,
    proxyAuth: secrets.proxyAuth?.trim(),
    connectTimeoutMs: config.connectTimeoutMs,
    attemptTimeoutMs: config.attemptTimeoutMs,
    boot: () => clock.boot(),
    ...more,
  });
  return { baseUrl, url, transport };
}

/** The path as it goes over the wire and into the signature: a base path, if there is one, comes first. */
export function joined(url: URL, path: string): string {
  return url.pathname.replace(/\/+$/, "") + path;
}

/** Whether a request failed because our clock was wrong, which is known by `learntMs` better now. */
export function isExplainedByClock(error: unknown, learntMs: number): boolean {
  return isAgentError(error) && error.httpStatus === 401 && Math.abs(learntMs) > SKEW_THAT_EXPLAINS_MS;
}

/** The same error with more facts; what is no AgentError has no class yet and becomes INTERNAL. */
export function withContext(error: unknown, facts: Readonly<Record<string, unknown>>): AgentError {
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  if (!isAgentError(error)) {
    return new AgentError("INTERNAL", {}, { cause: error, context: known });
  }
  return error.with(known);
}
