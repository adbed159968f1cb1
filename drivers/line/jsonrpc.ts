import type { AnswerFault } from "../../agent/common/failure-params.ts";

/**
 * JSON-RPC 2.0 as the bridge protocol uses it (specification 3): the agent calls, the bridge answers, no batches, no
 * notifications, ids are unsigned integers.
 */

/** What one payload from the bridge turned out to be. Only `result` and `error` answer the call in flight. */
export type Answer =
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "error"; readonly code: number; readonly message: string; readonly data: unknown }
  | { readonly kind: UnusableAnswer };

export type UnusableAnswer =
  | "not_utf8"
  | "not_json"
  | "too_deep"
  | "batch"
  | "not_object"
  /** A request of ours came back: a loopback plug, or an adapter that hears itself. */
  | "echo"
  /** Neither a result nor an error as JSON-RPC 2.0 section 5 has them. */
  | "not_rpc"
  /** Answers no call, or one whose deadline has passed. */
  | "stray_id";

/** Deeper answers could overflow the stack of the code that serialises them; the SDK's own are two levels deep. */
const MAX_DEPTH = 64;

// A byte order mark is kept, and then is no JSON: RFC 8259 8.1 forbids to send one.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function buildRequest(id: number, method: string, params: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
}

/** Judges one payload. `expectedId` is the id of the call in flight, undefined when there is none. Never throws. */
export function parseAnswer(payload: Uint8Array, expectedId: number | undefined): Answer {
  let text: string;
  try {
    text = utf8.decode(payload);
  } catch {
    return { kind: "not_utf8" };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "not_json" };
  }
  if (Array.isArray(value)) return { kind: "batch" };
  if (!isObject(value)) return { kind: "not_object" };
  if (isDeeperThan(value, MAX_DEPTH)) return { kind: "too_deep" };
  if (Object.hasOwn(value, "method")) return { kind: "echo" };
  const hasResult = Object.hasOwn(value, "result");
  const hasError = Object.hasOwn(value, "error");
  if (value.jsonrpc !== "2.0" || hasResult === hasError) return { kind: "not_rpc" };
  if (expectedId === undefined || value.id !== expectedId) return { kind: "stray_id" };
  if (hasResult) return { kind: "result", result: value.result };
  const { error } = value;
  if (!isObject(error) || !Number.isInteger(error.code) || typeof error.message !== "string") {
    return { kind: "not_rpc" };
  }
  return { kind: "error", code: Number(error.code), message: error.message, data: error.data };
}

/**
 * What is wrong with a payload that is no usable answer; undefined for one that is: an answer that comes after its deadline, or our own call.
 * `lastId` is the latest id that was used.
 */
export function faultOf(payload: Uint8Array, kind: UnusableAnswer, lastId: number): AnswerFault | undefined {
  switch (kind) {
    case "echo":
      return undefined;
    case "not_json":
      if (payload[0] === 0xef && payload[1] === 0xbb) return "bom";
      return payload.at(-1) === 0 ? "nul" : "not_json";
    case "not_rpc":
      return rpcFaultOf(objectIn(payload));
    case "stray_id":
      return idFaultOf(objectIn(payload).id, lastId);
    default:
      return kind;
  }
}

function rpcFaultOf(answer: Readonly<Record<string, unknown>>): AnswerFault {
  if (answer.jsonrpc !== "2.0") return "jsonrpc";
  const [hasResult, hasError] = ["result", "error"].map((name) => Object.hasOwn(answer, name));
  if (hasResult && hasError) return "result_and_error";
  return hasError ? "error_form" : "no_result";
}

/** Calls may overlap with answers to the ones before, whose time was up; no bridge is that late. */
const LATEST = 1_000;

function idFaultOf(id: unknown, lastId: number): AnswerFault | undefined {
  if (id === undefined || id === null) return "no_id";
  if (typeof id !== "number") return "id_type";
  return Number.isInteger(id) && id <= lastId && id > lastId - LATEST ? undefined : "other_id";
}

function objectIn(payload: Uint8Array): Readonly<Record<string, unknown>> {
  return JSON.parse(utf8.decode(payload)) as Record<string, unknown>;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Level by level and not by recursion, which is the very thing a deep answer would break. */
function isDeeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
  return false;
}
