import { setFlagsFromString } from "node:v8";
import type { Agent, buildConnector, Dispatcher, Pool } from "undici";

/** A Pool knows its origin. */
type ConnectOptions = Omit<Dispatcher.ConnectOptions, "origin">;

export interface Undici {
  readonly Agent: typeof Agent;
  readonly Pool: typeof Pool;
  readonly buildConnector: typeof buildConnector;
  readonly request: (this: Dispatcher, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;
  readonly connect: (this: Dispatcher, options: ConnectOptions) => Promise<Dispatcher.ConnectData>;
  /** To be called for each connection that undici has taken. */
  readonly correctParser: (socket: object) => void;
}

/**
 * The few parts of undici that are in use here. Its own entrance loads fetch, WebSocket, caches and mocks as well: 60 ms
 * and 13 MB for nothing. The modules behind it are no promise of undici's, but its version is pinned.
 * @param frequent many requests a second are to come
 */
export async function loadUndici(frequent = false): Promise<Undici> {
  const [agent, pool, connector, request, connect, symbols] = await Promise.all([
    import("undici/lib/dispatcher/agent.js"),
    import("undici/lib/dispatcher/pool.js"),
    import("undici/lib/core/connect.js"),
    import("undici/lib/api/api-request.js"),
    import("undici/lib/api/api-connect.js"),
    import("undici/lib/core/symbols.js"),
  ]);
  // undici reads HTTP with a WebAssembly module, whose one large function V8 would optimise after the first answer: 80 ms
  // of processor time and 10 MB that stay, for one request in half an hour. All code that is loaded earlier is unaffected.
  if (!frequent) setFlagsFromString("--wasm-tiering-budget=1000000000");
  return {
    Agent: agent.default,
    Pool: pool.default,
    buildConnector: connector.default,
    request: request.default,
    connect: connect.default,
    correctParser: (socket) => correctParser(socket, symbols.default.kParser),
  };
}

interface Parser {
  /** Names and values in turn. */
  readonly headers: readonly Buffer[];
  /** -1: none was told. */
  contentLength: number;
  onHeadersComplete(status: number, ...more: readonly unknown[]): number;
}

/**
 * Two things that undici 8.12.4 refuses, though a client has to take them. A 100 that was not asked for, which some proxies send
 * before every answer (RFC 9110 section 15.2): it passes over 102 and 103 only, so it is told of a 102. And white space behind the
 * digits of Content-Length (RFC 9112 section 5.1), which it counts as digits.
 */
function correctParser(socket: object, kParser: symbol): void {
  const parser = (socket as Readonly<Record<symbol, Parser | undefined>>)[kParser];
  if (parser === undefined) return;
  const told = parser.onHeadersComplete;
  parser.onHeadersComplete = (status, ...more) => {
    if (parser.contentLength !== -1) parser.contentLength = Number(headerOf("content-length", parser.headers));
    return told.call(parser, status === 100 ? 102 : status, ...more);
  };
}

function headerOf(name: string, headers: readonly Buffer[]): string {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toString("latin1").toLowerCase() === name);
  return headers[at + 1]?.toString("latin1").trim() ?? "";
}
