import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../../common/clock.ts";
import type { Log } from "../../common/log/log.ts";
import { readBody } from "./body.ts";
import { ConnectionLimiter } from "./connection-limiter.ts";
import { checkRequest, type Refusal } from "./guard.ts";
import { createServer } from "./node-http.ts";
import { problem, withSupportCode } from "./problem.ts";
import type { RejectionReason } from "./rejection-reasons.ts";
import { send } from "./reply.ts";
import type { PostRoute, Route, Routes } from "./routes.ts";
import { SERVER_OPTIONS, serveRequests } from "./serve-requests.ts";

export interface ApiLimits {
  readonly headersTimeoutMs: number;
  /** The whole request, body included. */
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly connections: number;
}

/**
 * Node looks for overdue requests before it reads what has come: a start on a slow board takes the processor for seconds, and whoever had
 * asked meanwhile was told 408 (an emulated machine whose power was cut). Places are not short: a newcomer gets that of a silent one.
 */
const defaultLimits: ApiLimits = {
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 20_000,
  keepAliveMs: 5_000,
  connections: 256,
};

/** Methods that some path knows. */
const ALLOWED = "GET, HEAD, POST";
const NOT_FOUND: Refusal = { code: "NOT_FOUND", reason: "not_found" };
const METHOD: Refusal = { code: "METHOD_NOT_ALLOWED", reason: "method" };
const BODY_TOO_LARGE: Refusal = { code: "BODY_TOO_LARGE", reason: "body_too_large" };

/** How long answers under way, and requests of callers that were just accepted, may take when the agent stops. */
const CLOSE_GRACE_MS = 1_000;

export interface ServerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly denied: (reason: RejectionReason) => void;
  /** Of this instant, for every 503 that a cashier app may get. */
  readonly supportCode?: () => string;
  readonly limits?: Partial<ApiLimits>;
}

export interface ApiServer {
  /** Not listening yet: `openSocket` gives it its place. */
  readonly listener: Server;
  /** Open at this moment. */
  readonly connections: number;
  /** Stops listening at once (synchronously), ends streams and waits, gives answers under way a second. Never rejects. */
  close(): Promise<void>;
}

/** One HTTP/1.1 server with every limit set and every request judged before it reaches a route. */
export function createApiServer(routes: Routes, deps: ServerDeps): ApiServer {
  const { clock, log, denied } = deps;
  const limits = { ...defaultLimits, ...deps.limits };
  const closing = new AbortController();
  // The mode of the socket's file decides who may connect, so no caller counts as a stranger.
  const strangers = { strangers: limits.connections, strangersPerAddress: limits.connections };
  const limiter = new ConnectionLimiter({ ...strangers, connections: limits.connections }, clock, () =>
    denied("crowded"),
  );

  const http = createServer({
    ...SERVER_OPTIONS,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
  });
  http.on("connection", (socket: Socket) => limiter.enter(socket, true));
  serveRequests(http, {
    limiter,
    refused: denied,
    replyFor: (code) => (code === "METHOD_NOT_ALLOWED" ? { ...problem(code), allow: ALLOWED } : problem(code)),
    handle: (req, res, _connection, awaitsContinue) => handle(req, res, awaitsContinue),
  });

  function handle(req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void {
    const url = req.url ?? "";
    const mark = url.indexOf("?");
    const path = mark === -1 ? url : url.slice(0, mark);
    const refusal = checkRequest(req);
    if (refusal !== undefined) {
      refuse(req, res, refusal, routes.get(path));
      return;
    }
    const route = routes.get(path);
    if (route === undefined) {
      refuse(req, res, NOT_FOUND);
      return;
    }
    const query = mark === -1 ? "" : url.slice(mark + 1);
    // Node leaves the body of an answer to HEAD out by itself.
    const work = req.method === "POST" ? route.post : route.get;
    if (work === undefined) {
      refuse(req, res, METHOD, route);
      return;
    }
    if (route.get !== undefined && work === route.get) {
      try {
        route.get({ req, res, query, hold: () => hold(res) });
      } catch (error) {
        fail(res, error);
      }
    } else if (route.post !== undefined) {
      post(route.post, req, res, awaitsContinue).catch((error: unknown) => fail(res, error));
    }
  }

  async function post(
    route: PostRoute,
    req: IncomingMessage,
    res: ServerResponse,
    awaitsContinue: boolean,
  ): Promise<void> {
    // A response that loses its socket emits "error" on a late write; "close" has told us already.
    res.on("error", () => res.destroy());
    if (awaitsContinue) res.writeContinue();
    const body = await readBody(req);
    if (body.kind === "gone") return;
    if (body.kind === "too_large") return refuse(req, res, BODY_TOO_LARGE);
    if (body.kind === "invalid") {
      denied("body_invalid");
      return send(res, problem("BODY_INVALID", { detail: body.detail }));
    }
    const signal = hold(res);
    send(res, withSupportCode(await route(body.kind === "object" ? body.value : undefined, signal), deps.supportCode));
  }

  /** The signal falls when the answer is out, the caller leaves or the agent stops. */
  function hold(res: ServerResponse): AbortSignal {
    const left = new AbortController();
    const stop = () => left.abort(closing.signal.reason);
    closing.signal.addEventListener("abort", stop, { once: true });
    if (closing.signal.aborted) stop();
    res.once("close", () => {
      closing.signal.removeEventListener("abort", stop);
      left.abort(new Error("the caller has left"));
    });
    return left.signal;
  }

  function refuse(req: IncomingMessage, res: ServerResponse, { code, reason, header }: Refusal, route?: Route): void {
    denied(reason);
    const reply = problem(code, header === undefined ? undefined : { detail: `The request has the header ${header}.` });
    const allow = code === "METHOD_NOT_ALLOWED" ? { allow: allowed(route) } : {};
    const { "content-length": length, "transfer-encoding": coding } = req.headers;
    const hasBody = (length !== undefined && length !== "0") || coding !== undefined;
    // A head that is not as it should be is an attack or a defect: what follows on its connection is not trusted.
    send(res, { ...reply, ...allow, close: hasBody || reply.status === 400 });
  }

  function fail(res: ServerResponse, error: unknown): void {
    log.error("API_INTERNAL", { error });
    send(res, problem("INTERNAL"));
  }

  return {
    listener: http,
    get connections() {
      return limiter.size;
    },
    async close() {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      closing.abort(new Error("the agent is stopping"));
      limiter.closeIdle();
      const done = new AbortController();
      const grace = clock.sleep(CLOSE_GRACE_MS, done.signal).catch(() => undefined);
      await Promise.race([closed, grace]);
      done.abort();
      limiter.closeAll();
      await closed;
    },
  };
}

function allowed(route: Route | undefined): string {
  if (route === undefined) return ALLOWED;
  return [route.get && "GET, HEAD", route.post && "POST"].filter((method) => method !== undefined).join(", ");
}
