import { AgentError, isAgentError } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import { SeenSecrets } from "../common/log/sanitize-untrusted.ts";
import type { Identity } from "../config/config.ts";
import { isExempt } from "../config/no-proxy.ts";
import { readAnswer, readObject } from "./answer.ts";
import { BaseUrls } from "./base-urls.ts";
import { findCaptivePortal } from "./captive-portal.ts";
import { refreshAfterS } from "./headers.ts";
import { PortalWatch } from "./portal-watch.ts";
import {
  type Call,
  createSignedClient,
  createTarget,
  isExplainedByClock,
  type SignedClientOptions,
  type Verified,
  withContext,
} from "./signed-client.ts";
import type { HttpAnswer } from "./transport/transport.ts";
import { withTimeout } from "./transport/with-timeout.ts";
import type {
  AuthinfoAnswer,
  AuthinfoRequest,
  EchoAnswer,
  EchoOptions,
  RequestOptions,
  WechatPay,
} from "./wechatpay.ts";

export const AUTHINFO_PATH = "/v3/offlineface/authinfo";
export const ECHO_PATH = "/v3/security/echo";

export interface WechatPayOptions extends SignedClientOptions {
  readonly identity: Identity;
  readonly log: Log;
  /** Over plain HTTP and the system's network unless told. */
  readonly findPortal?: typeof findCaptivePortal;
  /** For metrics: every request, `outcome` being "ok" or the error code in lower case. */
  readonly onOutcome?: (event: { readonly baseUrl: string; readonly outcome: string; readonly ms: number }) => void;
}

/** Opens nothing until the first request. `close()` gives up what is under way. */
export function createWechatPay(options: WechatPayOptions): WechatPay {
  const { config, identity, clock, random, log } = options;
  const exchange = createSignedClient(options);
  const { skewMs } = exchange;
  const urls = new BaseUrls(config.baseUrls);
  const targets = config.baseUrls.map((baseUrl) => createTarget(baseUrl, options));
  const portals = new PortalWatch(options.findPortal ?? findCaptivePortal, clock);
  let lastWorked = config.baseUrls[0];
  /** Of the last requests and answers: a queue or a cache on the way may bring them back in another answer. */
  const recent = new SeenSecrets();
  const open = Object.values(identity).filter((value) => value !== undefined);

  function withFacts<T>({ status, headers }: HttpAnswer, call: Call, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw withContext(error, { status, requestId: exchange.requestId(headers, call)() });
    }
  }

  /** One base URL, within its deadline: in direct mode a 401 that our clock explains is answered by a second request. */
  function ask<T>(index: number, call: Call, signal: AbortSignal, read: (verified: Verified) => T): Promise<T> {
    const at = targets[index];
    if (at === undefined) throw new AgentError("CONFIG_INVALID.base_urls", {});
    const once = async (deadline: AbortSignal): Promise<T> => {
      const startedAt = clock.boot();
      const record = (outcome: string, status: number | undefined, requestId: () => string | undefined) => {
        const ms = clock.boot() - startedAt;
        urls.record(index, { outcome, atWallMs: clock.wall(), ms, status, requestId });
        options.onOutcome?.({ baseUrl: at.baseUrl, outcome, ms });
        log.debug("PAY_REQUEST", { baseUrl: at.baseUrl, outcome, ms: Math.round(ms), status });
      };
      try {
        const verified = await exchange.request(at, call, deadline);
        const result = read(verified);
        const { status, headers } = verified.answer;
        // With the secrets as of now: when it is asked for, others may have taken their place.
        record("ok", status, exchange.requestId(headers, { ...call, secrets: recent.all }));
        return result;
      } catch (thrown) {
        // The caller gave up: not a failure.
        if (signal.aborted) throw signal.reason;
        const error = withContext(thrown, { baseUrl: at.baseUrl });
        const { requestId } = error.context;
        const { httpStatus: status } = error.params;
        const id = typeof requestId === "string" ? requestId : undefined;
        record(error.code.toLowerCase(), typeof status === "number" ? status : undefined, () => id);
        throw error;
      }
    };
    return withTimeout(config.attemptTimeoutMs, clock, signal, async (deadline) => {
      const before = skewMs() ?? 0;
      try {
        return await once(deadline);
      } catch (error) {
        const explained = isExplainedByClock(error, (skewMs() ?? 0) - before);
        if (config.mode !== "direct" || !explained || deadline.aborted) throw error;
        log.info("PAY_TIMESTAMP_CORRECTED", { baseUrl: at.baseUrl, skewMs: skewMs() });
        return once(deadline);
      }
    });
  }

  /** One attempt: the base URL in use and, where the failure allows, at once and once the next. */
  async function attempt<T>(
    call: Call,
    { planned, signal }: Pick<RequestOptions, "planned" | "signal">,
    read: (verified: Verified) => T,
  ) {
    signal.throwIfAborted();
    const first = urls.first(planned);
    /** Behind a proxy of one's own no login page is shown. */
    const explained = async (index: number, failure: AgentError): Promise<AgentError> => {
      const target = targets[index];
      const bare = target !== undefined && (config.proxy === undefined || isExempt(target.url, config.noProxy));
      return bare ? await portals.explain(failure, target.url, signal) : failure;
    };
    const worked = (index: number, result: T): T => {
      urls.keep(index);
      portals.worked();
      const baseUrl = config.baseUrls[index];
      if (baseUrl !== lastWorked) log.info("PAY_BASE_URL_CHANGED", { baseUrl });
      lastWorked = baseUrl;
      return result;
    };
    try {
      return worked(first, await ask(first, call, signal, read));
    } catch (failure) {
      const second = urls.other(first);
      if (!isAgentError(failure)) throw failure;
      if (second === undefined || failure.rule.failover !== true) throw await explained(first, failure);
      try {
        return worked(second, await ask(second, call, signal, read));
      } catch (error) {
        // A caller may give up with an AgentError of its own, which is then its answer as it stands.
        if (signal.aborted || !isAgentError(error)) throw error;
        urls.passOn(second);
        const retryAfterS = error.context.retryAfterS ?? failure.context.retryAfterS;
        throw withContext(await explained(second, error), {
          ...(retryAfterS === undefined ? {} : { retryAfterS }),
          before: { baseUrl: failure.context.baseUrl, code: failure.code },
        });
      }
    }
  }

  return {
    requestAuthinfo(wanted: AuthinfoRequest, requestOptions: RequestOptions): Promise<AuthinfoAnswer> {
      const body = JSON.stringify({
        sp_appid: identity.spAppid,
        // JSON leaves out what is undefined.
        sub_appid: identity.subAppid,
        sub_mchid: identity.subMchid,
        device_id: wanted.deviceId,
        raw_data: wanted.rawData,
        organization_id: identity.organizationId,
      });
      const { newestSignedAtS } = requestOptions;
      recent.add(wanted.rawData, wanted.held);
      const call = {
        path: AUTHINFO_PATH,
        body,
        secrets: recent.all,
        open: [...open, wanted.deviceId],
        newestSignedAtS,
      };
      return attempt(call, requestOptions, ({ answer, ...origin }) => {
        const refresh = config.mode === "gateway" ? refreshAfterS(answer.headers) : undefined;
        const content = withFacts(answer, call, () => readAnswer(answer.body, answer.headers));
        recent.add(content.authinfo);
        return { ...origin, ...content, ...(refresh === undefined ? {} : { refreshAfterS: refresh }) };
      });
    },
    echo({ signal }: EchoOptions): Promise<EchoAnswer> {
      const body = JSON.stringify({ echo_message: random.bytes(16).toString("hex") });
      const call = { path: ECHO_PATH, body, secrets: recent.all, open, newestSignedAtS: 0 };
      return attempt(call, { planned: false, signal }, ({ answer, baseUrl, skewMs: skew }) => {
        withFacts(answer, call, () => readObject(answer.body, answer.headers));
        return { baseUrl, skewMs: skew, status: answer.status };
      });
    },
    status() {
      const skew = skewMs();
      return {
        mode: config.mode,
        ...(config.proxy === undefined ? {} : { proxy: config.proxy }),
        ...(skew === undefined ? {} : { skewMs: skew }),
        baseUrls: urls.status(),
      };
    },
    async close() {
      await Promise.all(targets.map(({ transport }) => transport.close()));
    },
  };
}
