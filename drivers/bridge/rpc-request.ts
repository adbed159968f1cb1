import { isObject } from "../line/jsonrpc.ts";
import type { RpcError } from "../sdk/rules.ts";
import { rawMembers } from "./raw-members.ts";

/** One JSON-RPC 2.0 request as it came in. Texts are the caller's own, octet for octet. */
export interface RpcRequest {
  /** The id as it was written: a number may be larger than this language can hold. */
  readonly id: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly paramsText: string;
}

/** What a payload turned out to be. `refuse` is answered with an error, `drop` not at all. */
export type Received =
  | { readonly kind: "request"; readonly request: RpcRequest }
  | { readonly kind: "refuse"; readonly id: string; readonly error: RpcError }
  | { readonly kind: "drop"; readonly why: "notification" | "no_request" };

const NO_ID = "null";
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** JSON-RPC 2.0 section 5.1. */
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;

/** Judges one payload. Never throws. */
export function readRequest(payload: Uint8Array): Received {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(payload);
    value = JSON.parse(text);
  } catch {
    return refuse(NO_ID, -32700, "Parse error");
  }
  if (!isObject(value)) return refuse(NO_ID, -32600, "Invalid Request: one object, no batches");
  // An answer, perhaps our own from a line that echoes: to answer it would begin an endless conversation.
  if (!Object.hasOwn(value, "method")) return { kind: "drop", why: "no_request" };
  if (!Object.hasOwn(value, "id")) return { kind: "drop", why: "notification" };
  const members = rawMembers(text);
  const id = typeof value.id === "number" || typeof value.id === "string" ? (members.get("id") ?? NO_ID) : NO_ID;
  if (value.jsonrpc !== "2.0" || typeof value.method !== "string") return refuse(id, -32600, "Invalid Request");
  const { method, params = {} } = value;
  if (!isObject(params)) return refuse(id, INVALID_PARAMS, "Invalid params: an object");
  return { kind: "request", request: { id, method, params, paramsText: members.get("params") ?? "{}" } };
}

function refuse(id: string, code: number, message: string): Received {
  return { kind: "refuse", id, error: { code, message } };
}

export function writeResult(id: string, resultText: string): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${resultText}}`);
}

export function writeError(id: string, error: RpcError): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`);
}
