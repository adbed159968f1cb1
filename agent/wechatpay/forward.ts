import { type AgentError, isAgentError } from "../common/errors.ts";
import { BaseUrls } from "./base-urls.ts";
import { signAside } from "./signature.ts";
import {
  type Call,
  createSignedClient,
  isExplainedByClock,
  type SignedClientOptions,
  withContext,
} from "./signed-client.ts";
import { type ConnectionPool, createConnectionPool } from "./transport/connection-pool.ts";
import { type HttpAnswer, isSuccess } from "./transport/transport.ts";
import { withTimeout } from "./transport/with-timeout.ts";
import type { BaseUrlStatus } from "./wechatpay.ts";

export interface ForwardOptions extends Omit<SignedClientOptions, "sign"> {
  /** For metrics: every request, `outcome` being "ok" or the error code in lower case. */
  readonly onOutcome?: (event: { readonly baseUrl: string; readonly outcome: string }) => void;
}

export type ForwardCall = Pick<Call, "path" | "body" | "secrets" | "publicKeyId">;

export interface Forwarded {
  /** As it came, whether or not it can be believed: that is for the terminal to judge. */
  readonly answer: HttpAnswer;
  readonly baseUrl: string;
  /** "ok" for an answer that a terminal with our `public_key_id` will believe, else the code of its failure in lower case. */
  readonly outcome: string;
}

export interface Forwarder {
  /**
   * One request, signed, and at once and once on the next base URL where the failure allows (specification 4). Rejects with an
   * AgentError when no host gave a complete answer, with the signal's reason when the caller gives up.
   */
  forward(call: ForwardCall, signal: AbortSignal): Promise<Forwarded>;
  status(): { readonly skewMs?: number; readonly baseUrls: readonly BaseUrlStatus[] };
  /** Loads what the first request would wait for. */
  prepare(): Promise<void>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

type Tried = { readonly forwarded: Forwarded; readonly error?: AgentError } | { readonly error: AgentError };

/** WeChat Pay's advice for its backup domain is to look after the primary every minute (WeChat Pay APIv3: backup domain). */
const LOOK_AFTER_PRIMARY_MS = 60_000;

/** For a gateway: signs what others ask for, many at once, and hands on what comes back. */
export function createForwarder(options: ForwardOptions): Forwarder {
  const { config, clock } = options;
  const exchange = createSignedClient({ ...options, sign: signAside });
  const urls = new BaseUrls(config.baseUrls);
  const pools = config.baseUrls.map((baseUrl) => createConnectionPool(baseUrl, options));
  let lookAt = 0;

  /** The URL in use, but once a minute the primary: one request finds out, the others are not held up. */
  function first(): number {
    const inUse = urls.first(false);
    const now = clock.boot();
    if (inUse === 0) lookAt = now + LOOK_AFTER_PRIMARY_MS;
    if (now < lookAt) return inUse;
    lookAt = now + LOOK_AFTER_PRIMARY_MS;
    return 0;
  }

  async function once(
    pool: ConnectionPool,
    index: number,
    call: Call,
    deadline: AbortSignal,
    signal: AbortSignal,
  ): Promise<Tried> {
    const startedAt = clock.boot();
    const record = (outcome: string, answer?: HttpAnswer) => {
      const requestId = answer && exchange.requestId(answer.headers, call);
      const facts = { status: answer?.status, requestId };
      urls.record(index, { outcome, atWallMs: clock.wall(), ms: clock.boot() - startedAt, ...facts });
      options.onOutcome?.({ baseUrl: pool.baseUrl, outcome });
      return outcome;
    };
    return pool.use(async (target) => {
      try {
        const sent = await exchange.send(target, call, deadline);
        const { answer, baseUrl } = sent;
        try {
          // Its text is not shown, so it is not redacted: a storm of refusals must cost little.
          exchange.judge(sent, { ...call, secrets: [] });
          return { forwarded: { answer, baseUrl, outcome: record("ok", answer) } };
        } catch (thrown) {
          const error = withContext(thrown, { baseUrl });
          const outcome = record(error.code.toLowerCase(), answer);
          // Of a success only all of it is worth anything; a failure is told by its status.
          const whole = answer.bodyError === undefined || !isSuccess(answer.status);
          return whole ? { forwarded: { answer, baseUrl, outcome }, error } : { error };
        }
      } catch (thrown) {
        // The caller gave up: not a failure.
        if (signal.aborted) throw signal.reason;
        const error = withContext(thrown, { baseUrl: pool.baseUrl });
        record(error.code.toLowerCase());
        return { error };
      }
    });
  }

  async function attempt(index: number, call: Call, signal: AbortSignal): Promise<Tried> {
    const pool = pools[index];
    if (pool === undefined) throw new Error("a base URL that is not configured");
    return await withTimeout(config.attemptTimeoutMs, clock, signal, async (deadline) => {
      const before = exchange.skewMs() ?? 0;
      const outcome = await once(pool, index, call, deadline, signal);
      const learnt = (exchange.skewMs() ?? 0) - before;
      if (!isExplainedByClock(outcome.error, learnt) || deadline.aborted) return outcome;
      return await once(pool, index, call, deadline, signal);
    });
  }

  const mayFailOver = ({ error }: Tried) => isAgentError(error) && error.rule.failover === true;

  return {
    async forward(wanted, signal) {
      signal.throwIfAborted();
      const call = { ...wanted, newestSignedAtS: 0 };
      const begun = first();
      const one = await attempt(begun, call, signal);
      const next = urls.other(begun);
      if (next === undefined || !mayFailOver(one)) {
        urls.keep(begun);
        return answered(one);
      }
      const two = await attempt(next, call, signal);
      if (mayFailOver(two)) urls.passOn(next);
      else urls.keep(next);
      return answered("forwarded" in two || !("forwarded" in one) ? two : one);
    },
    status() {
      const skewMs = exchange.skewMs();
      return { ...(skewMs === undefined ? {} : { skewMs }), baseUrls: urls.status() };
    },
    async prepare() {
      for (const pool of pools) await pool.prepare();
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

function answered(tried: Tried): Forwarded {
  if ("forwarded" in tried) return tried.forwarded;
  throw tried.error;
}
