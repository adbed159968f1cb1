import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "../../agent/common/clock.ts";
import { type Random, systemRandom } from "../../agent/common/random.ts";
import { type BridgeFaults, concerns } from "./bridge-faults.ts";
import { type SdkAnswer, type SdkRequest, SimulatedSdk } from "./simulated-sdk.ts";
import { Deframer, frame, LONGEST_PAYLOAD, type Received } from "./wire.ts";

/** One request as it came in. `params` is the caller's own object and may hold an authinfo: never log it. */
export interface BridgeRequest {
  /** `Clock.boot()`. */
  readonly at: number;
  readonly method: string;
  /** The SDK command of a `call`. */
  readonly cmd?: string;
  readonly id: unknown;
  readonly params: SdkRequest;
}

/** Kept in memory: a demo runs for days. */
const LOG_LENGTH = 2000;

/**
 * A bridge (specification 3) on any stream, for the demo and the tests. Its properties may be changed at any time; the next
 * answer follows them. Requests are answered in order, one at a time, as the SDK does it.
 */
export class SimulatedBridge {
  readonly sdk: SimulatedSdk;
  /** Stand until they are replaced. Those given to `next` come first. */
  faults: BridgeFaults = {};
  protocol = "1.0";
  name = "simulated-bridge/1.0";
  deviceId: string | undefined;
  netId: string | undefined;
  sdkVersion: string | undefined = "2.32.300";
  readonly requests: BridgeRequest[] = [];
  /** Frames by outcome, and what a caller did against the specification. */
  readonly counters: Record<Received["kind"] | "requests" | "answers" | "violations", number> = {
    payload: 0,
    aborted: 0,
    short: 0,
    fcs: 0,
    oversize: 0,
    requests: 0,
    answers: 0,
    violations: 0,
  };
  /** The same in words, for a test to compare with []. */
  readonly violations: string[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #queued: BridgeFaults[] = [];
  readonly #listeners = new Set<(request: BridgeRequest) => void>();
  readonly #connections = new Set<() => void>();
  #session = "";
  #sessions = 0;
  #helloSinceRawData = false;
  #lastAnswer: Buffer | undefined;

  constructor(
    options: {
      readonly deviceId?: string | undefined;
      readonly netId?: string | undefined;
      readonly clock?: Clock;
      readonly random?: Random;
    } = {},
  ) {
    this.#clock = options.clock ?? systemClock();
    this.#random = options.random ?? systemRandom;
    this.sdk = new SimulatedSdk(this.#clock, this.#random);
    this.deviceId = "deviceId" in options ? options.deviceId : "LTA0P18937F130532000001";
    this.netId = "netId" in options ? options.netId : "eth0-02:00:00:00:00:01";
    this.restart();
  }

  get session(): string {
    return this.#session;
  }

  /** The bridge starts anew: another session, and the SDK has to be initialised again. */
  restart(): void {
    this.#session = `${++this.#sessions}-${this.#random.bytes(6).toString("hex")}`;
    this.#helloSinceRawData = false;
    this.sdk.forgetInit();
  }

  /** `fault` for the next request it is meant for, `times` times, before `faults`. */
  next(fault: BridgeFaults, times = 1): void {
    for (let i = 0; i < times; i++) this.#queued.push(fault);
  }

  /** Ends every misbehaviour. */
  behave(): void {
    this.faults = {};
    this.#queued.length = 0;
  }

  /** How often an SDK command (or the method "hello") was asked for. */
  count(what: string): number {
    return this.requests.filter((request) => request.method === what || request.cmd === what).length;
  }

  /** Called for every request before it is answered. Returns the function that ends the subscription. */
  subscribe(listener: (request: BridgeRequest) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Serves this line until it closes or the returned function is called. Others may be attached before and after. */
  attach(stream: Duplex): () => void {
    const deframer = new Deframer();
    const gone = new AbortController();
    let turn = Promise.resolve();
    const onData = (chunk: Buffer) => {
      for (const received of deframer.push(chunk)) {
        this.#count(received);
        if (received.kind !== "payload") continue;
        turn = turn
          .then(() => this.#serve(stream, received.payload, gone.signal))
          .catch((error: Error) => void stream.destroy(error));
      }
    };
    const detach = () => {
      stream.off("data", onData);
      stream.off("close", detach);
      this.#connections.delete(detach);
      gone.abort(new Error("line closed"));
    };
    stream.on("data", onData);
    stream.once("close", detach);
    // A line that breaks is a cable that was pulled: `close` follows. The listener stays, so that a late error finds one.
    stream.on("error", detach);
    this.#connections.add(detach);
    return detach;
  }

  /** Lets go of every line; the streams stay as they are. */
  close(): void {
    for (const detach of [...this.#connections]) detach();
  }

  #count(received: Received): void {
    this.counters[received.kind]++;
    if (received.kind === "payload" && received.control > 0) this.#violation("an octet that must be escaped was not");
  }

  #violation(words: string): void {
    this.counters.violations++;
    if (this.violations.length < 100) this.violations.push(words);
  }

  async #serve(stream: Duplex, payload: Buffer, signal: AbortSignal): Promise<void> {
    const request = this.#read(payload);
    if (request === undefined) return;
    const fault = this.#faultFor(request);
    try {
      if (fault.delayMs !== undefined) await this.#clock.sleep(fault.delayMs, signal);
    } catch {
      // The line went away while the answer was held back: there is no reader left.
      return;
    }
    if (fault.silent || signal.aborted || !stream.writable) return;
    for (const octets of this.#octets(request, payload, fault)) stream.write(octets);
    this.counters.answers++;
  }

  #read(payload: Buffer): BridgeRequest | undefined {
    let message: unknown;
    try {
      message = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    } catch {
      this.#violation("a payload that is not JSON in UTF-8");
      return undefined;
    }
    if (!isObject(message) || message.jsonrpc !== "2.0" || typeof message.method !== "string") {
      this.#violation("a payload that is not one JSON-RPC 2.0 request");
      return undefined;
    }
    if (!Number.isSafeInteger(message.id) || Number(message.id) < 0)
      this.#violation("an id that is no unsigned integer");
    const params = isObject(message.params) ? message.params : {};
    const cmd = message.method === "call" && typeof params.cmd === "string" ? { cmd: params.cmd } : {};
    const request = { at: this.#clock.boot(), method: message.method, ...cmd, id: message.id, params };
    this.counters.requests++;
    this.requests.push(request);
    if (this.requests.length > LOG_LENGTH) this.requests.shift();
    this.#watchHello(request);
    for (const listener of this.#listeners) listener(request);
    return request;
  }

  /** Specification 3: `hello` before every getWxpayfaceRawdata. */
  #watchHello(request: BridgeRequest): void {
    if (request.method === "hello") this.#helloSinceRawData = true;
    if (request.cmd !== "getWxpayfaceRawdata") return;
    if (!this.#helloSinceRawData) this.#violation("getWxpayfaceRawdata without a hello before it");
    this.#helloSinceRawData = false;
  }

  #faultFor(request: BridgeRequest): BridgeFaults {
    const index = this.#queued.findIndex((fault) => concerns(fault, request));
    const [queued] = index < 0 ? [] : this.#queued.splice(index, 1);
    return queued ?? (concerns(this.faults, request) ? this.faults : {});
  }

  *#octets(request: BridgeRequest, received: Buffer, fault: BridgeFaults): Generator<Uint8Array> {
    if (fault.echo) yield frame(received);
    if (fault.noiseBefore) yield fault.noiseBefore;
    if (fault.stale && this.#lastAnswer) yield this.#lastAnswer;
    const id = fault.wrongId ? Number(request.id) + 1_000_000 : request.id;
    const message = JSON.stringify({ jsonrpc: "2.0", id, ...this.#outcome(request, fault) });
    const payload = fault.oversize ? message.padEnd(LONGEST_PAYLOAD + 1000) : (fault.payload ?? message);
    const answer = frame(payload, { damage: fault.badFcs === true });
    yield fault.truncated ? answer.subarray(0, answer.length >> 1) : answer;
    if (fault.duplicate) yield answer;
    if (fault.noiseAfter) yield fault.noiseAfter;
    this.#lastAnswer = answer;
  }

  #outcome(request: BridgeRequest, fault: BridgeFaults): { result: unknown } | { error: unknown } {
    if (fault.rpcError) return { error: fault.rpcError };
    if (fault.nativeStatus !== undefined) {
      return { error: { code: -32000, message: "native call failed", data: { status: fault.nativeStatus } } };
    }
    if ("result" in fault) return { result: fault.result };
    if (request.method === "hello") return this.#hello(request.params);
    if (request.method !== "call") return { error: { code: -32601, message: "Method not found" } };
    const answer: SdkAnswer = this.sdk.answer(request.params);
    if (fault.rawData === undefined || !("rawdata" in answer)) return { result: answer };
    return { result: { ...answer, rawdata: fault.rawData } };
  }

  #hello(params: SdkRequest): { result: unknown } | { error: unknown } {
    if (typeof params.protocol !== "string" || typeof params.agent !== "string") {
      this.#violation("a hello without protocol or agent");
      return { error: { code: -32602, message: "Invalid params" } };
    }
    // A field that is undefined is left out by JSON.stringify: a bridge that does not know it.
    const { protocol, name: bridge, session, deviceId: device_id, netId: net_id, sdkVersion: sdk_version } = this;
    return { result: { protocol, bridge, session, device_id, net_id, sdk_version } };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
