import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonObject } from "./body.ts";
import type { Reply } from "./problem.ts";

export interface Caller {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** What follows the question mark, undecoded; "" without one. */
  readonly query: string;
  /** For an answer that takes its time: keeps the connection, and tells when the caller has left or the agent stops. */
  hold(): AbortSignal;
}

/** Answers on `caller.res` itself. Must not reject: what it starts it also looks after. */
export type GetRoute = (caller: Caller) => void;

/** The body has been read and is a JSON object, or there was none. A rejection becomes a 500. */
export type PostRoute = (body: JsonObject | undefined, signal: AbortSignal) => Promise<Reply> | Reply;

export interface Route {
  readonly get?: GetRoute;
  readonly post?: PostRoute;
}

/** By exact path: no decoding, no trailing slash, no case folding. */
export type Routes = ReadonlyMap<string, Route>;
