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
}

/**
 * The few parts of undici that are in use here. Its own entrance loads fetch, WebSocket, caches and mocks as well: 60 ms
 * and 13 MB for nothing. The modules behind it are no promise of undici's, but its version is pinned.
 * @param frequent many requests a second are to come
 */
export async function loadUndici(frequent = false): Promise<Undici> {
  const [agent, pool, connector, request, connect] = await Promise.all([
    import("undici/lib/dispatcher/agent.js"),
    import("undici/lib/dispatcher/pool.js"),
    import("undici/lib/core/connect.js"),
    import("undici/lib/api/api-request.js"),
    import("undici/lib/api/api-connect.js"),
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
  };
}
