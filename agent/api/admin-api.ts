import type { ProbeReading } from "../../drivers/sdk/driver.ts";
import { isAgentError } from "../common/errors.ts";
import { type PublicView, refreshedDocument } from "./authinfo-document.ts";
import { healthRoutes } from "./health.ts";
import { type HistoryDocument, hoursAskedFor } from "./history-document.ts";
import { causeOf, json, problem, type Reply } from "./http/problem.ts";
import { send } from "./http/reply.ts";
import type { Caller, PostRoute, Route } from "./http/routes.ts";
import { type ApiServer, createApiServer, type ServerDeps } from "./http/server.ts";

/** Nothing in here can yield an authinfo: the admin socket has no way to one (specification 5). */
export interface AdminDeps extends ServerDeps {
  readonly view: () => PublicView;
  /** As `CredentialService.retryAfterS`. */
  readonly retryAfterS: () => number;
  /** As `CredentialService.refresh`, without the authinfo. */
  readonly refresh: (signal: AbortSignal) => Promise<PublicView>;
  /** Undefined while there is no configuration. */
  readonly probe: () => ((signal: AbortSignal) => Promise<ProbeReading>) | undefined;
  readonly status: () => unknown;
  readonly history: (hours: number) => HistoryDocument;
  /** Prometheus text. */
  readonly renderMetrics: () => Promise<string>;
  readonly live: () => boolean;
}

const REFRESH_APART_MS = 10_000;
const MAX_PROBES = 2;
const PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** The server behind admin.sock (specification 5). */
export function createAdminServer(deps: AdminDeps): ApiServer {
  const routes: [string, Route][] = [
    ["/v1/status", { get: ({ res }) => send(res, json(200, deps.status())) }],
    ["/v1/history", { get: historyRoute(deps) }],
    ["/v1/authinfo/refresh", { post: refreshRoute(deps) }],
    ["/v1/bridge/probe", { post: probeRoute(deps) }],
    ["/metrics", { get: metricsRoute(deps) }],
    ...healthRoutes(deps),
  ];
  return createApiServer(new Map(routes), deps);
}

function historyRoute({ history, denied }: AdminDeps): (caller: Caller) => void {
  return ({ res, query }) => {
    const hours = hoursAskedFor(query);
    if (hours !== undefined) return send(res, json(200, history(hours)));
    denied("query");
    send(res, problem("QUERY_INVALID", { detail: "Expected hours=1 to hours=24, at most once." }));
  };
}

/** Only POSTs that were let through count for the 10 s: else an impatient caller would lock itself out for good. */
function refreshRoute(deps: AdminDeps): PostRoute {
  const { clock, denied } = deps;
  let lastAt: number | undefined;
  return async (_body, signal) => {
    if (deps.view().state === "unprovisioned") return problem("UNPROVISIONED", { retryAfterS: deps.retryAfterS() });
    const leftMs = lastAt === undefined ? 0 : lastAt + REFRESH_APART_MS - clock.boot();
    if (leftMs > 0) {
      denied("too_soon");
      return problem("REFRESH_TOO_SOON", { retryAfterS: leftMs / 1000 });
    }
    lastAt = clock.boot();
    try {
      return json(200, refreshedDocument(await deps.refresh(signal)));
    } catch (error) {
      return failedRefresh(deps, error, signal);
    }
  };
}

function failedRefresh(deps: AdminDeps, error: unknown, signal: AbortSignal): Reply {
  const retryAfterS = deps.retryAfterS();
  if (!isAgentError(error)) {
    // The agent is stopping, or the caller has left: nothing is known of the attempt, which goes on without them.
    if (signal.aborted) return problem("REFRESH_FAILED", { retryAfterS });
    throw error;
  }
  if (error.code === "UNPROVISIONED") return problem("UNPROVISIONED", { retryAfterS });
  const cause = causeOf(error, deps.clock.wall(), deps.view().cause);
  const { seconds: heldForS } = error.params;
  if (error.code === "PAY_RATE_LIMITED" && typeof heldForS === "number") {
    return problem("REFRESH_HELD", { cause, retryAfterS: heldForS });
  }
  return problem("REFRESH_FAILED", { cause, retryAfterS });
}

function probeRoute({ probe, clock, denied }: AdminDeps): PostRoute {
  let running = 0;
  return async (_body, signal) => {
    const run = probe();
    if (run === undefined) return problem("UNPROVISIONED", { retryAfterS: 30 });
    if (running >= MAX_PROBES) {
      denied("too_busy");
      return problem("TOO_BUSY", { retryAfterS: 5 });
    }
    running++;
    try {
      return json(200, probeDocument(await run(signal)));
    } catch (error) {
      if (isAgentError(error)) {
        return problem("PROBE_FAILED", { cause: causeOf(error, clock.wall()) });
      }
      if (signal.aborted) return problem("PROBE_FAILED");
      throw error;
    } finally {
      running--;
    }
  };
}

/** Lengths and timings only; what the bridge did not tell is left out. Built by name, so that nothing else slips in. */
function probeDocument(reading: ProbeReading): Record<string, unknown> {
  const { identity } = reading;
  return {
    device_id: identity.deviceId,
    bridge: identity.bridge,
    session: identity.session,
    protocol: identity.protocol,
    sdk_version: identity.sdkVersion,
    net_id: identity.netId,
    hello_ms: reading.helloMs,
    rawdata_ms: reading.rawDataMs,
    rawdata_length: reading.rawDataLength,
  };
}

function metricsRoute({ renderMetrics, log }: AdminDeps): (caller: Caller) => void {
  return ({ res, hold }) => {
    hold();
    renderMetrics().then(
      (body) => send(res, { status: 200, contentType: PROMETHEUS_TEXT, body }),
      (error: unknown) => {
        log.error("METRICS_FAILED", { error });
        send(res, problem("INTERNAL"));
      },
    );
  };
}
