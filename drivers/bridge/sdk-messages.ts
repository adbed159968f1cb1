import { AgentError, type ErrorCode } from "../../agent/errors.ts";
import { isObject } from "../jsonrpc.ts";

/**
 * What the SDK's process tells the bridge: frames of one letter and the rest. The same frames as on the line, because a library may
 * well write into descriptors that are not its own.
 */
export type HostMessage =
  | { readonly kind: "ready" }
  /** The answer of a call that returned 0. */
  | { readonly kind: "answer"; readonly octets: Buffer }
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "failed"; readonly error: AgentError };

const letters = { ready: "R", answer: "A", status: "S", failed: "F" } as const;

/** What may stand in a `failed`: anything else came from a process that is not in its right mind. */
const failures: readonly ErrorCode[] = [
  "SDK_LIBRARY_UNUSABLE",
  "SDK_LIBRARY_SYMBOL",
  "SDK_ANSWER_INVALID",
  "SDK_ANSWER_TOO_LARGE",
];

export function writeHostMessage(message: HostMessage): Buffer {
  const head = Buffer.from(letters[message.kind]);
  switch (message.kind) {
    case "ready":
      return head;
    case "answer":
      return Buffer.concat([head, message.octets]);
    case "status":
      return Buffer.concat([head, Buffer.from(String(message.status))]);
    case "failed": {
      const { code, message: words } = message.error;
      return Buffer.concat([head, Buffer.from(JSON.stringify({ code, words }))]);
    }
  }
}

/** Undefined for what the bridge's own process never says. */
export function readHostMessage(payload: Buffer): HostMessage | undefined {
  const rest = payload.subarray(1);
  switch (payload.toString("latin1", 0, 1)) {
    case letters.ready:
      return rest.length === 0 ? { kind: "ready" } : undefined;
    case letters.answer:
      return { kind: "answer", octets: rest };
    case letters.status: {
      const text = rest.toString("latin1");
      return /^-?\d{1,10}$/.test(text) ? { kind: "status", status: Number(text) } : undefined;
    }
    case letters.failed:
      return readFailure(rest);
    default:
      return undefined;
  }
}

function readFailure(octets: Buffer): HostMessage | undefined {
  try {
    const value: unknown = JSON.parse(octets.toString());
    const code = isObject(value) && failures.find((known) => known === value.code);
    if (!isObject(value) || !code || typeof value.words !== "string") return undefined;
    return { kind: "failed", error: new AgentError(code, value.words) };
  } catch {
    return undefined;
  }
}
