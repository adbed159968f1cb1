import { AgentError, type ErrorCode } from "../../agent/common/errors.ts";
import { SecretSearch } from "../../agent/common/log/redact.ts";
import { printable, sanitizeUntrusted } from "../../agent/common/log/sanitize-untrusted.ts";
import { isObject } from "../line/jsonrpc.ts";
import type { BridgeIdentity } from "./driver.ts";

/**
 * What the bridge and the vendor's SDK mean by what they say. Pure; sources: specification 3 and the SDK's published documentation.
 */

/** The protocol the agent speaks; a bridge with another major version is refused. */
export const PROTOCOL = "1.0";

/** The SDK's own codes that say what to do next. */
const NOT_INITIALISED = 271378620;
const INITIALISING = 271378621;

/** A rawdata longer than this cannot come out of one frame. */
const MAX_RAWDATA = 8192;
const MAX_WORD = 256;

type Changes = readonly ("session" | "device" | "network")[];

/** Reads the result of `hello`, word for word. Throws BRIDGE_PROTOCOL. `heard`: as for `judgeAnswer`. */
export function parseHello(result: unknown, heard: readonly string[] = []): BridgeIdentity {
  if (!isObject(result)) throw new AgentError("BRIDGE_PROTOCOL.hello_not_object", {});
  const protocol = word(result, "protocol");
  if (!/^1\.\d{1,9}$/.test(protocol)) {
    throw new AgentError("BRIDGE_PROTOCOL.version", { theirs: said(protocol, heard, 20), ours: PROTOCOL });
  }
  const deviceId = optionalWord(result, "device_id");
  if (deviceId !== undefined && !/^[\x20-\x7e]{1,32}$/.test(deviceId)) {
    throw new AgentError("BRIDGE_PROTOCOL.device_id", {});
  }
  const netId = optionalWord(result, "net_id");
  const sdkVersion = optionalWord(result, "sdk_version");
  return {
    protocol,
    bridge: word(result, "bridge"),
    session: word(result, "session"),
    ...(deviceId !== undefined && { deviceId }),
    ...(netId !== undefined && { netId }),
    ...(sdkVersion !== undefined && { sdkVersion }),
  };
}

/** The identity as it may be shown. Its device_id is no secret: WeChat Pay is told it, and a rawdata may hold it. */
export function shownIdentity(identity: BridgeIdentity, heard: readonly string[]): BridgeIdentity {
  const { protocol, deviceId, netId, sdkVersion } = identity;
  const secrets = new SecretSearch(heard, deviceId === undefined ? [] : [deviceId]);
  const shown = (text: string) => printable(secrets.redact(text));
  return {
    protocol,
    bridge: shown(identity.bridge),
    session: shown(identity.session),
    ...(deviceId !== undefined && { deviceId }),
    ...(netId !== undefined && { netId: shown(netId) }),
    ...(sdkVersion !== undefined && { sdkVersion: shown(sdkVersion) }),
  };
}

/** What the later `hello` has that the earlier one had not. */
export function identityChanges(before: BridgeIdentity, after: BridgeIdentity): Changes {
  return [
    ...(before.session !== after.session ? (["session"] as const) : []),
    ...(before.deviceId !== after.deviceId ? (["device"] as const) : []),
    ...(before.netId !== after.netId ? (["network"] as const) : []),
  ];
}

export type SdkResponse = { readonly kind: "success"; readonly answer: Readonly<Record<string, unknown>> } | SdkRefusal;

/** `not_initialised`: init, then try again. `initialising`: wait 500 ms, init again. */
export interface SdkRefusal {
  readonly kind: "not_initialised" | "initialising" | "failed";
  readonly error: AgentError;
}

/**
 * Judges an answer of `wxpayCallFaceService`. `secret`: the request held one, so the SDK's text is not repeated. `heard`: what has gone over
 * the line before, of which no piece is.
 */
export function classifyResponse(answer: unknown, secret = false, heard: readonly string[] = []): SdkResponse {
  if (!isObject(answer) || typeof answer.return_code !== "string") {
    return { kind: "failed", error: new AgentError("SDK_ANSWER_INVALID.return_code", {}) };
  }
  if (answer.return_code === "SUCCESS") return { kind: "success", answer };
  const errCode = wholeNumber(answer.err_code);
  const text = typeof answer.return_msg === "string" ? answer.return_msg : "";
  const params = {
    returnCode: said(answer.return_code, heard, 40),
    ...(errCode !== undefined && { errCode }),
    ...(text !== "" && !secret && { said: said(text, heard) }),
  };
  if (errCode === NOT_INITIALISED) {
    return { kind: "not_initialised", error: new AgentError("SDK_NOT_INITIALISED", {}) };
  }
  if (errCode === INITIALISING) {
    return { kind: "initialising", error: new AgentError("SDK_NOT_INITIALISED.initialising", {}) };
  }
  // The one place where a text decides: the SDK gives no err_code for a board without a network address.
  if (/ip address is null/i.test(text)) {
    return { kind: "failed", error: new AgentError("SDK_NO_NETWORK", {}) };
  }
  return { kind: "failed", error: new AgentError("SDK_ERROR", params) };
}

function said(text: string, heard: readonly string[], longest?: number): string {
  return sanitizeUntrusted(text, longest, new SecretSearch(heard));
}

/** The `rawdata` of a successful answer. Throws SDK_RAWDATA_INVALID, which names no part of it. */
export function checkRawData(answer: Readonly<Record<string, unknown>>): string {
  const { rawdata } = answer;
  if (typeof rawdata !== "string") throw new AgentError("SDK_RAWDATA_INVALID.missing", {});
  if (rawdata === "") throw new AgentError("SDK_RAWDATA_INVALID.empty", {});
  if (rawdata.length > MAX_RAWDATA)
    throw new AgentError("SDK_RAWDATA_INVALID.too_long", { characters: rawdata.length });
  // A "+" that went through a form decoder has become a space; WeChat Pay would refuse it with no hint at the cause.
  if (rawdata.includes(" ")) throw new AgentError("SDK_RAWDATA_INVALID.space", {});
  if (rawdata.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(rawdata)) {
    throw new AgentError("SDK_RAWDATA_INVALID.not_base64", {});
  }
  return rawdata;
}

/** JSON-RPC error of a native call that returned non-zero, with `data.status` (specification 3). */
const NATIVE_ERROR = -32000;

/** What the native call returns when the SDK's own service does not run (the SDK's error codes, as published). */
const SERVICE_DOWN = -1;

/**
 * The reference bridge's own JSON-RPC errors, each with the failures of its kind: `data.code` says which, and the first one stands
 * for an error that names none.
 */
const kinds = {
  [-32001]: ["SDK_LIBRARY_UNUSABLE", "SDK_LIBRARY_MISSING", "SDK_LIBRARY_ARCH", "SDK_LIBRARY_SYMBOL"],
  [-32002]: ["SDK_CRASHED"],
  [-32003]: ["SDK_HUNG"],
  [-32004]: ["SDK_ANSWER_INVALID", "SDK_ANSWER_TOO_LARGE"],
} as const satisfies Record<number, readonly ErrorCode[]>;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The JSON-RPC error for a failure SDK_*. */
export function rpcErrorOf({ code, params }: AgentError, message: string): RpcError {
  if (typeof params.status === "number") return { code: NATIVE_ERROR, message, data: { status: params.status } };
  const [kind] = Object.entries(kinds).find(([, codes]) => codes.some((known) => known === code)) ?? [];
  if (kind === undefined) return { code: -32603, message };
  return { code: Number(kind), message, data: { code, ...params } };
}

/** A native call's status as a failure. */
export function nativeFailure(status: number): AgentError {
  return new AgentError(status === SERVICE_DOWN ? "SDK_SERVICE_DOWN" : "SDK_NATIVE_ERROR", { status });
}

/** What a JSON-RPC error of the bridge means. `secret`: the call held one, so nothing the bridge says is repeated. */
export function failureOf(
  { code, message, data }: RpcError,
  secret: boolean,
  heard: readonly string[] = [],
): AgentError {
  const told = secret ? {} : { said: said(message, heard) };
  const facts = isObject(data) ? data : {};
  if (code === NATIVE_ERROR && Number.isInteger(facts.status)) return nativeFailure(Number(facts.status));
  const kind = kindOf(code);
  if (kind === undefined) return new AgentError("BRIDGE_REFUSED_CALL", { rpcCode: code, ...told });
  const named = kinds[kind].find((known) => known === facts.code) ?? kinds[kind][0];
  return new AgentError(`${named}.reported`, told);
}

function kindOf(code: number): keyof typeof kinds | undefined {
  return ([-32001, -32002, -32003, -32004] as const).find((known) => known === code);
}

/** A hello after this much silence shows a dead line before it is needed (specification 3). */
const KEEPALIVE_MS = 30_000;

export interface LineState {
  /** The last hello on this line was understood. */
  readonly greeted: boolean;
  /** Nothing is missing before a rawdata can be had. */
  readonly initialised: boolean;
  /** Last answer on this line; all instants are on the boot clock. */
  readonly heardAt: number;
  /** A hello or init that has failed is tried again from then on. */
  readonly retryAt: number;
}

export type NextAction = { readonly do: "hello" | "init" } | { readonly do: "wait"; readonly ms: number };

/** What an open line needs next of its own accord. */
export function nextAction(line: LineState, now: number): NextAction {
  const quietFor = now - line.heardAt;
  if (line.greeted && quietFor >= KEEPALIVE_MS) return { do: "hello" };
  const untilHello = line.greeted ? KEEPALIVE_MS - quietFor : Number.POSITIVE_INFINITY;
  if (line.greeted && line.initialised) return { do: "wait", ms: untilHello };
  if (now < line.retryAt) return { do: "wait", ms: Math.min(untilHello, line.retryAt - now) };
  return { do: line.greeted ? "init" : "hello" };
}

/** Full jitter from 0.5 s to 10 s; a floor keeps a lucky draw from hammering. `failures` counts from 0, `unit` is in [0, 1). */
export function backoffMs(failures: number, unit: number): number {
  return Math.max(100, unit * Math.min(10_000, 500 * 2 ** Math.min(failures, 16)));
}

function word(from: Record<string, unknown>, key: string): string {
  const found = optionalWord(from, key);
  if (found === undefined || found === "") throw new AgentError("BRIDGE_PROTOCOL.member_missing", { member: key });
  return found;
}

function optionalWord(from: Record<string, unknown>, key: string): string | undefined {
  const value = from[key];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.length > MAX_WORD) {
    throw new AgentError("BRIDGE_PROTOCOL.member_invalid", { member: key, longest: MAX_WORD });
  }
  return value;
}

/** `err_code` is a number in the vendor's pages; some bindings make a string of it. */
function wholeNumber(value: unknown): number | undefined {
  if (Number.isSafeInteger(value)) return Number(value);
  return typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}
