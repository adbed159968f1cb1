import { AgentError, type ErrorCode, type ErrorContext } from "../agent/errors.ts";
import { peerWords } from "../agent/peer-words.ts";
import { isObject } from "./jsonrpc.ts";

/**
 * How a failure of the SDK behind the bridge is written in a JSON-RPC error, and read again by the agent. -32000 is contract 3's;
 * the others come from the reference bridge, which says which of its kind in `data.code`. A bridge that leaves that out is
 * understood all the same.
 */

/** A native call that returned non-zero, with `data.status` (contract 3). */
export const NATIVE_ERROR = -32000;

/** What the native call returns when the SDK's own service does not run (reference "wechatpay" 2.4). */
const SERVICE_DOWN = -1;

/** By JSON-RPC error code, the failures of that kind; the first one stands for an error that names none. */
const kinds = {
  [-32001]: ["SDK_LIBRARY_UNUSABLE", "SDK_LIBRARY_MISSING", "SDK_LIBRARY_ARCH", "SDK_LIBRARY_SYMBOL"],
  [-32002]: ["SDK_CRASHED"],
  [-32003]: ["SDK_HUNG"],
  [-32004]: ["SDK_ANSWER_INVALID", "SDK_ANSWER_TOO_LARGE"],
} as const satisfies Record<number, readonly ErrorCode[]>;

const words: Readonly<Record<keyof typeof kinds, string>> = {
  [-32001]: "the bridge cannot use the SDK's library",
  [-32002]: "the SDK has crashed",
  [-32003]: "the SDK did not answer its bridge in time",
  [-32004]: "the SDK's answer cannot be passed on",
};

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The JSON-RPC error for a failure SDK_*. */
export function rpcErrorOf({ code, message, context }: AgentError): RpcError {
  if (typeof context.status === "number") return { code: NATIVE_ERROR, message, data: { status: context.status } };
  const [kind] = Object.entries(kinds).find(([, codes]) => codes.some((known) => known === code)) ?? [];
  if (kind === undefined) return { code: -32603, message };
  return { code: Number(kind), message, data: { code, ...context } };
}

/** A native call's status as a failure. */
export function nativeFailure(status: number, context: ErrorContext = {}): AgentError {
  const down = status === SERVICE_DOWN;
  const message = `the SDK's native call returned ${status}${down ? ", as it does while its service is not running" : ""}`;
  return new AgentError(down ? "SDK_SERVICE_DOWN" : "SDK_NATIVE_ERROR", message, { context: { status, ...context } });
}

/** What a JSON-RPC error of the bridge means. `secret`: the call held one, so nothing the bridge says is repeated. */
export function failureOf({ code, message, data }: RpcError, secret: boolean): AgentError {
  const said = secret ? {} : { said: peerWords(message) };
  const facts = isObject(data) ? data : {};
  if (code === NATIVE_ERROR && Number.isInteger(facts.status)) return nativeFailure(Number(facts.status), said);
  const kind = kindOf(code);
  if (kind === undefined) {
    const text = `the bridge refused the call with JSON-RPC error ${code}`;
    return new AgentError("BRIDGE_REFUSED_CALL", text, { context: { rpc_code: code, ...said } });
  }
  const named = kinds[kind].find((known) => known === facts.code) ?? kinds[kind][0];
  const detail = secret ? words[kind] : `${words[kind]}: ${peerWords(message)}`;
  return new AgentError(named, detail, { context: { rpc_code: code } });
}

function kindOf(code: number): keyof typeof kinds | undefined {
  return ([-32001, -32002, -32003, -32004] as const).find((known) => known === code);
}
