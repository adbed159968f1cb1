import { type Clock, withDeadline } from "../../agent/common/clock.ts";
import { AgentError, asAgentError } from "../../agent/common/errors.ts";
import { encodeFrame, type FrameCounters, FrameDecoder, MAX_PAYLOAD, newFrameCounters } from "../line/frame.ts";
import { buildRequest, faultOf, parseAnswer, type UnusableAnswer } from "../line/jsonrpc.ts";
import type { OpenedStream } from "../line/open-stream.ts";
import type { LineEar } from "./line-facts.ts";
import { failureOf } from "./rules.ts";

/** Counts of all lines of one driver, so that they never fall when a line is opened anew. */
export interface LinkCounters extends FrameCounters, Partial<Record<UnusableAnswer, number>> {}

export function newLinkCounters(): LinkCounters {
  return newFrameCounters();
}

export interface LinkParts {
  readonly clock: Clock;
  readonly counters: LinkCounters;
  readonly ear: LineEar;
  /** Ids grow over all lines, so that a late answer from an earlier one fits no call. */
  readonly nextId: () => number;
}

export interface RequestOptions {
  readonly timeoutMs: number;
  /** The parameters hold a secret: what the bridge says about them is not repeated in an error. */
  readonly secret?: boolean;
  /** What has gone over the line before: no piece of it is repeated either. */
  readonly heard?: readonly string[];
}

interface Waiting {
  readonly id: number;
  readonly secret: boolean;
  readonly heard: readonly string[];
  resolve(result: unknown): void;
  reject(error: AgentError): void;
}

/** How often a line that has fallen silent without a word is asked whether it is still there. */
const ALIVE_EVERY_MS = 1_000;
/** Looking is a matter of milliseconds, but a slow board may be late; a peer that is silent is told by its own timeouts. */
const ALIVE_DEADLINE_MS = 10_000;

/**
 * Rejects as soon as the line is dead though the stream has not said so, or with the signal's reason: a hung-up tty may stay silent,
 * or keep a core busy, without any event (node-serialport bindings-cpp#162). Resolves where there is nothing to ask.
 */
export async function untilGone(opened: OpenedStream, clock: Clock, signal: AbortSignal): Promise<void> {
  const alive = opened.alive?.bind(opened);
  if (!alive) return;
  const late = () => new AgentError("BRIDGE_LOST.unresponsive", {});
  for (;;) {
    await clock.sleep(ALIVE_EVERY_MS, signal);
    await withDeadline(alive(), ALIVE_DEADLINE_MS, clock, late, signal);
  }
}

/** So many in a row end the line (specification 3). */
const MOST_TIMEOUTS = 3;

/** JSON-RPC calls over one open stream, one at a time, until the line is lost. */
export class Link {
  readonly #opened: OpenedStream;
  readonly #parts: LinkParts;
  readonly #decoder: FrameDecoder;
  readonly #lost = new AbortController();
  #waiting: Waiting | undefined;
  #lastId = 0;
  #timeouts = 0;
  #heardAt: number;

  constructor(opened: OpenedStream, parts: LinkParts) {
    this.#opened = opened;
    this.#parts = parts;
    this.#decoder = new FrameDecoder(parts.counters);
    this.#heardAt = parts.clock.boot();
    const { stream } = opened;
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    // The error listener stays for good: serialport may still report one after the line has been given up.
    stream.on("error", (error) => this.fail(asAgentError(error, "BRIDGE_LOST")));
    stream.on("end", () => this.fail(new AgentError("BRIDGE_LOST.closed_by_peer", {})));
    stream.on("close", (error?: unknown) =>
      this.fail(new AgentError("BRIDGE_LOST", {}, error ? { cause: error } : {})),
    );
    if (stream.destroyed) this.fail(new AgentError("BRIDGE_LOST", {}));
    // Two flags end whatever the peer has taken for the beginning of a frame.
    else this.#write(Buffer.of(0x7e, 0x7e));
    untilGone(opened, parts.clock, this.lost).catch((error: unknown) => this.fail(asAgentError(error, "BRIDGE_LOST")));
  }

  /** Aborted once the line is lost, with the AgentError that says why. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Boot clock of the last answer, or of the opening. */
  get heardAt(): number {
    return this.#heardAt;
  }

  get consecutiveTimeouts(): number {
    return this.#timeouts;
  }

  /** Octets since the last flag. */
  get unended(): number {
    return this.#decoder.unended;
  }

  /**
   * One call and its answer. Rejects with BRIDGE_TIMEOUT, BRIDGE_REFUSED_CALL, what `failureOf` makes of an error, or the
   * reason of the line's loss. The call must have been settled before the next one: two at once is INTERNAL. The third timeout in a
   * row ends the line.
   */
  async request(
    method: string,
    params: Readonly<Record<string, unknown>>,
    { timeoutMs, secret = false, heard = [] }: RequestOptions,
  ): Promise<unknown> {
    if (this.lost.aborted) throw this.lost.reason;
    if (this.#waiting) throw new AgentError("INTERNAL.unexpected", { error: "two calls at once on one line" });
    const id = this.#parts.nextId();
    const payload = buildRequest(id, method, params);
    if (payload.length > MAX_PAYLOAD) {
      throw new AgentError("BRIDGE_REFUSED_CALL.too_long", { octets: payload.length, most: MAX_PAYLOAD });
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting = { id, secret, heard, resolve, reject };
    this.#lastId = id;
    try {
      // A write that never drains is no case of its own: the deadline of the answer covers it.
      this.#write(encodeFrame(payload));
      return await withDeadline(promise, timeoutMs, this.#parts.clock, () => {
        this.#timeouts++;
        return new AgentError("BRIDGE_TIMEOUT", { method, ms: timeoutMs });
      });
    } finally {
      this.#waiting = undefined;
      if (this.#timeouts >= MOST_TIMEOUTS) {
        this.fail(new AgentError("BRIDGE_TIMEOUT.repeated", { count: MOST_TIMEOUTS }));
      }
    }
  }

  /** Gives the line up; a call in flight rejects with the reason. Only the first reason counts. */
  fail(reason: AgentError): void {
    if (this.lost.aborted) return;
    this.#decoder.end();
    this.#waiting?.reject(reason);
    this.#lost.abort(reason);
  }

  /** Ends the line. Resolves when the device or socket has been given back. */
  async close(): Promise<void> {
    this.fail(new AgentError("BRIDGE_CLOSED", {}));
    await this.#opened.close();
  }

  #write(octets: Buffer): void {
    this.#opened.stream.write(octets, (error) => {
      if (error) this.fail(asAgentError(error, "BRIDGE_LOST"));
    });
  }

  #receive(chunk: Buffer): void {
    if (this.lost.aborted) return;
    const { clock, counters, ear } = this.#parts;
    ear.heard(chunk, clock.boot(), clock.wall());
    for (const payload of this.#decoder.push(chunk)) {
      const waiting = this.#waiting;
      const answer = parseAnswer(payload, waiting?.id);
      if (waiting && answer.kind === "result") waiting.resolve(answer.result);
      else if (waiting && answer.kind === "error") waiting.reject(failureOf(answer, waiting.secret, waiting.heard));
      else if (answer.kind !== "result" && answer.kind !== "error") {
        counters[answer.kind] = (counters[answer.kind] ?? 0) + 1;
        // An unsolicited frame says nothing about the answers.
        ear.unusable(payload, answer.kind, waiting && faultOf(payload, answer.kind, this.#lastId));
      }
      if (answer.kind === "result" || answer.kind === "error") {
        // A second answer to the same id answers nothing.
        this.#waiting = undefined;
        this.#timeouts = 0;
        this.#heardAt = clock.boot();
        ear.answered(this.#heardAt);
      }
    }
  }
}
