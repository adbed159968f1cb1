import { AgentError } from "../../agent/common/errors.ts";
import type { FailureId, FailureParams } from "../../agent/common/failure-params.ts";
import { isObject } from "../line/jsonrpc.ts";

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

/** What may stand in a `failed`: anything else came from a process whose memory the library has damaged. */
const failures = [
  "SDK_LIBRARY_UNUSABLE",
  "SDK_LIBRARY_SYMBOL",
  "SDK_ANSWER_INVALID.empty",
  "SDK_ANSWER_TOO_LARGE",
] as const satisfies readonly FailureId[];

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
      const { id, params } = message.error;
      return Buffer.concat([head, Buffer.from(JSON.stringify({ id, params }))]);
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
    const id = isObject(value) && failures.find((known) => known === value.id);
    if (!isObject(value) || !id || !isObject(value.params)) return undefined;
    // Facts for a person to read: of another form they would only read badly.
    return { kind: "failed", error: new AgentError(id, value.params as unknown as FailureParams[typeof id]) };
  } catch {
    return undefined;
  }
}
