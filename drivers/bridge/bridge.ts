import { AgentError, asAgentError } from "../../agent/common/errors.ts";
import { MAX_PAYLOAD } from "../line/frame.ts";
import { isObject } from "../line/jsonrpc.ts";
import { PROTOCOL, rpcErrorOf } from "../sdk/rules.ts";
import {
  INVALID_PARAMS,
  METHOD_NOT_FOUND,
  type RpcRequest,
  readRequest,
  writeError,
  writeResult,
} from "./rpc-request.ts";
import type { SdkProcess } from "./sdk-process.ts";

export interface BridgeParts {
  readonly sdk: Pick<SdkProcess, "call" | "session">;
  /** "<name>/<version>" */
  readonly name: string;
  readonly deviceId?: string;
  /** Asked at every hello. */
  readonly netId: () => string | undefined;
  readonly callTimeoutMs: number;
  readonly initTimeoutMs: number;
  /** A failure's English text, for the message of a JSON-RPC error. */
  readonly describe: (problem: AgentError) => string;
  /** Called for each call: why the SDK did not serve it, or undefined when it did. */
  readonly onOutcome: (problem: AgentError | undefined) => void;
}

/** What the agent takes for a version. */
const MOST_VERSION = 256;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bridge's side of specification 3, whatever the line: one payload in, at most one out. */
export class Bridge {
  readonly #parts: BridgeParts;
  /** The last active network card: while there is none, the one before is still the SDK's. */
  #netId: string | undefined;
  /** As the SDK has reported it to a caller (getSdkInfo); the bridge makes no call of its own. */
  #sdkVersion: { readonly session: string; readonly version: string } | undefined;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
  }

  /** The payload that answers this one, undefined for what is not answered. Rejects only with the signal's reason. */
  async answer(payload: Uint8Array, signal: AbortSignal): Promise<Buffer | undefined> {
    const received = readRequest(payload);
    if (received.kind === "drop") return undefined;
    if (received.kind === "refuse") return writeError(received.id, received.error);
    const { request } = received;
    if (request.method === "hello") return this.#hello(request);
    if (request.method === "call") return await this.#call(request, signal);
    return writeError(request.id, { code: METHOD_NOT_FOUND, message: "Method not found" });
  }

  #hello({ id, params }: RpcRequest): Buffer {
    if (typeof params.protocol !== "string" || typeof params.agent !== "string") {
      return writeError(id, { code: INVALID_PARAMS, message: "Invalid params: protocol and agent" });
    }
    const { sdk, name, deviceId, netId } = this.#parts;
    this.#netId = netId() ?? this.#netId;
    const result = {
      protocol: PROTOCOL,
      bridge: name,
      session: sdk.session,
      // What is undefined is left out by JSON.stringify.
      device_id: deviceId,
      net_id: this.#netId,
      sdk_version: this.#sdkVersion?.session === sdk.session ? this.#sdkVersion.version : undefined,
    };
    return writeResult(id, JSON.stringify(result));
  }

  async #call({ id, params, paramsText }: RpcRequest, signal: AbortSignal): Promise<Buffer> {
    const { sdk, callTimeoutMs, initTimeoutMs } = this.#parts;
    try {
      const timeoutMs = params.cmd === "initWxpayface" ? initTimeoutMs : callTimeoutMs;
      const octets = await sdk.call(Buffer.from(paramsText), timeoutMs, signal);
      const { text, value } = readAnswer(octets);
      if (isObject(value) && isVersion(value.sdk_version)) {
        this.#sdkVersion = { session: sdk.session, version: value.sdk_version };
      }
      const answer = writeResult(id, text);
      if (answer.length <= MAX_PAYLOAD) {
        this.#parts.onOutcome(undefined);
        return answer;
      }
      throw new AgentError("SDK_ANSWER_TOO_LARGE", { octets: answer.length, most: MAX_PAYLOAD });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const problem = asAgentError(error);
      this.#parts.onOutcome(problem);
      return writeError(id, rpcErrorOf(problem, this.#parts.describe(problem)));
    }
  }
}

/** The SDK's answer as it stands, and what it says. Throws SDK_ANSWER_INVALID for what would break the JSON around it. */
function readAnswer(octets: Buffer): { readonly text: string; readonly value: unknown } {
  // Some builds count the final NUL of their C string.
  const end = octets.at(-1) === 0 ? octets.length - 1 : octets.length;
  try {
    const text = utf8.decode(octets.subarray(0, end));
    return { text, value: JSON.parse(text) };
  } catch (error) {
    throw new AgentError("SDK_ANSWER_INVALID.not_json", { octets: end }, { cause: error });
  }
}

function isVersion(value: unknown): value is string {
  return typeof value === "string" && value.length <= MOST_VERSION;
}
