import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { buildConnector, Dispatcher } from "undici";
import { unlessAborted } from "../../common/clock.ts";
import { AgentError, systemCode } from "../../common/errors.ts";
import { type HeaderBag, withoutWhiteSpace } from "../headers.ts";
import { connectThroughProxy } from "./http-connect.ts";
import { createNameLookup } from "./name-lookup.ts";
import { RequestPhase } from "./request-phase.ts";
import { createTlsContext } from "./tls-context.ts";
import { loadUndici } from "./undici.ts";

/** What WeChat Pay answers is a few hundred bytes. undici drops the connection at the first byte beyond. */
const LARGEST_ANSWER = 64 * 1024;

/** As much of an error's body as is worth reading. */
const LARGEST_ERROR_BODY = 16 * 1024;

/** Node's default, said here because its command line can move that one. */
const LARGEST_HEAD = 16 * 1024;

/** Requests come half an hour apart: a kept connection only serves the second try, and must not outlive a suspend. */
const KEEP_ALIVE_MS = 4_000;

export interface TransportOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  /** An extra root, PEM. */
  readonly ca?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  /** `http://host:port`; undefined for a direct connection. */
  readonly proxy?: string | undefined;
  /** `user:password`. */
  readonly proxyAuth?: string | undefined;
  readonly connectTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  /** For `connectedAt`. */
  readonly boot: () => number;
  /** The TLS side ready made, for several transports to one origin: to make one costs 15 ms. */
  readonly secureContext?: () => SecureContext;
  /** Many requests a second are to come, so that optimised code pays. */
  readonly frequent?: boolean;
}

export interface HttpRequest {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderBag;
  /** All of it, unless `bodyError` says why not; of an answer that is not 2xx at most 16 KiB. */
  readonly body: Buffer;
  readonly bodyError?: unknown;
  /** `boot()` when the headers had come, and when the connection stood if it was made for this request. */
  readonly receivedAt: number;
  readonly connectedAt?: number;
}

export interface Transport {
  /**
   * One POST. Resolves as soon as an answer's headers have come, whatever becomes of its body; rejects with the
   * error of the connection as undici and Node give it, an AgentError of the proxy, or the signal's reason.
   */
  post(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** The way to the server once undici has been loaded. */
interface Opened {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>;
  destroy(): Promise<unknown>;
}

/**
 * HTTP/1.1 over TLS to one origin. Trusted are Node's own roots plus `ca`: what the environment adds
 * (NODE_EXTRA_CA_CERTS, SSL_CERT_FILE) is not (specification 1). Redirects are not followed. Nothing is ever sent twice by
 * itself. After any failure the connections are dropped, so that the next request resolves the name anew.
 */
export function createTransport(options: TransportOptions): Transport {
  const sockets = new Set<Socket>();
  const names = createNameLookup(options.connectTimeoutMs);
  const progress = new RequestPhase(names);
  let secureContext: SecureContext | undefined;
  let connectedAt: number | undefined;
  let opened: Promise<Opened> | undefined;
  let socketError: Error | undefined;
  let retired: Promise<unknown> = Promise.resolve();
  let closed = false;

  const track = (socket: unknown) => {
    if (!isSocket(socket)) return;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.once("error", (error) => {
      socketError ??= error;
    });
  };

  async function open(): Promise<Opened> {
    const { Agent, Pool, buildConnector, connect, request, correctParser } = await loadUndici(
      options.frequent === true,
    );
    secureContext ??= options.secureContext?.() ?? createTlsContext(options);
    const connecting = {
      timeout: options.connectTimeoutMs,
      lookup: names.lookup,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: names.addressTimeoutMs,
    };
    // Without a session cache each connection sees the whole certificate checked. That it is checked is said here: the default is
    // the environment's (NODE_TLS_REJECT_UNAUTHORIZED), which `run` refuses, but diagnose is started from any shell.
    const tls = { secureContext, rejectUnauthorized: true, allowH2: false, maxCachedSessions: 0 };
    const limits = {
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: options.attemptTimeoutMs,
      bodyTimeout: options.attemptTimeoutMs,
      maxHeaderSize: LARGEST_HEAD,
      maxResponseSize: LARGEST_ANSWER,
    };
    const tracked = (connector: buildConnector.connector): buildConnector.connector => {
      return (target, callback) => {
        progress.connecting();
        // The socket is returned, though the type does not say so; held, it can be given up while it still connects.
        const socket: unknown = connector(target, (...result) => {
          if (result[0] === null) progress.connected();
          connectedAt = options.boot();
          callback(...result);
          if (result[0] === null) correctParser(result[1]);
        });
        track(socket);
        if (isSocket(socket)) socket.once("connect", () => progress.taken());
      };
    };
    if (options.proxy === undefined) {
      const agent = new Agent({ ...limits, connect: tracked(buildConnector({ ...connecting, ...tls })) });
      return { request: (wanted) => request.call(agent, wanted), destroy: () => agent.destroy() };
    }
    const proxy = new Pool(options.proxy, {
      connect: tracked(buildConnector(connecting)),
      headersTimeout: options.connectTimeoutMs,
    });
    const toServer = tracked(buildConnector({ timeout: options.connectTimeoutMs, ...tls }));
    // Not undici's ProxyAgent: it tells a refused tunnel in words only, and keeps the socket within it to itself.
    const throughProxy: buildConnector.connector = (target, callback) => {
      progress.tunnelling(false);
      connectThroughProxy(
        (wanted) => connect.call(proxy, wanted),
        `${target.host}${target.port === "" ? ":443" : ""}`,
        options.proxyAuth,
      )
        .then((httpSocket) => {
          progress.tunnelling(true);
          track(httpSocket);
          toServer({ ...target, httpSocket }, callback);
        })
        .catch((error: Error) => callback(error, null));
    };
    const agent = new Agent({ ...limits, connect: throughProxy });
    return {
      request: (wanted) => request.call(agent, wanted),
      destroy: () => Promise.all([agent.destroy(), proxy.destroy()]),
    };
  }

  /** Gives up every connection, also one that is still being made, or whose name is still being resolved. */
  function drop(): void {
    const old = opened;
    opened = undefined;
    if (old === undefined) return;
    const destroyed = old.then((way) => way.destroy());
    retired = Promise.allSettled([retired, destroyed]);
    // A TLS socket before the tunnel it runs in: the other way round, within the turn of its handshake, Node 24.21 crashes.
    for (const socket of [...sockets].toReversed()) socket.destroy();
  }

  return {
    async post(request, signal) {
      signal.throwIfAborted();
      if (closed) throw new AgentError("PAY_CONNECTION_LOST.closed", {});
      opened ??= open();
      const way = opened;
      const chunks: Buffer[] = [];
      let head: Omit<HttpAnswer, "body"> | undefined;

      const work = async () => {
        progress.begun();
        connectedAt = undefined;
        socketError = undefined;
        const { statusCode, headers, body } = await (await way).request({
          origin: options.origin,
          path: request.path,
          method: "POST",
          headers: request.headers,
          body: request.body,
        });
        head = {
          status: statusCode,
          headers: withoutWhiteSpace(headers),
          receivedAt: options.boot(),
          ...(connectedAt === undefined ? {} : { connectedAt }),
        };
        await new Promise<void>((resolve, reject) => {
          body.on("data", (chunk: Buffer) => chunks.push(chunk));
          body.on("end", resolve);
          body.on("error", reject);
        });
      };

      let bodyError: unknown;
      try {
        // undici is not given the signal: a connection in the making and a name being resolved would not heed it. Work that
        // is given up ends with the connections dropped below, and its errors are ignored then.
        await unlessAborted(work(), signal);
      } catch (error) {
        drop();
        // undici says "other side closed" when a TLS alert came just before, which tells more.
        bodyError = systemCode(error) === "UND_ERR_SOCKET" ? (socketError ?? error) : error;
        if (head === undefined) throw progress.failed(bodyError);
      }
      if (head === undefined)
        throw new AgentError("INTERNAL.unexpected", { error: "an exchange ended without an answer" });
      const whole = Buffer.concat(chunks);
      const body = isSuccess(head.status) ? whole : whole.subarray(0, LARGEST_ERROR_BODY);
      return { ...head, body, ...(bodyError === undefined ? {} : { bodyError }) };
    },
    async close() {
      closed = true;
      drop();
      await retired;
    },
  };
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function isSocket(value: unknown): value is Socket {
  return typeof value === "object" && value !== null && "destroy" in value && "once" in value;
}
