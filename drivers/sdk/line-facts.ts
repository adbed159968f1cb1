import { AgentError } from "../../agent/common/errors.ts";
import type { AnswerFault } from "../../agent/common/failure-params.ts";
import { encodeFrame } from "../line/frame.ts";
import type { UnusableAnswer } from "../line/jsonrpc.ts";

/** What has come over the line since a bridge last answered on it, as far as it tells what is at the other end. */
export interface LineFacts {
  /** All of them. */
  readonly octets: number;
  /** Those outside of good frames, flags not counted. */
  readonly foreign: number;
  /** Of all octets, most are printable ASCII. */
  readonly text: boolean;
  /** Calls of ours that came back. */
  readonly echoes: number;
  /** What is wrong with the last good frame that answers nothing. A late answer is none. */
  readonly fault?: AnswerFault;
  /** Unix ms. */
  readonly lastAtWallMs?: number;
}

const FLAG = 0x7e;
/** A bridge that restarts sends noise and the messages of its boot: so long after an answer nothing is held against it. */
const GRACE_MS = 120_000;
/** Other sources do not send so much text: line noise has four in ten printable. */
const TEXT_SHARE = 0.9;

/** Collects the facts of all lines of one driver, one after the other. Never keeps an octet: it may be part of a secret. */
export class LineEar {
  #answeredAt: number | undefined;
  #octets = 0;
  #flags = 0;
  #framed = 0;
  #printable = 0;
  #echoes = 0;
  #fault: AnswerFault | undefined;
  #lastAtWallMs: number | undefined;

  get facts(): LineFacts {
    return {
      octets: this.#octets,
      foreign: Math.max(0, this.#octets - this.#flags - this.#framed),
      text: this.#octets > 0 && this.#printable >= TEXT_SHARE * this.#octets,
      echoes: this.#echoes,
      ...(this.#fault !== undefined && { fault: this.#fault }),
      ...(this.#lastAtWallMs !== undefined && { lastAtWallMs: this.#lastAtWallMs }),
    };
  }

  /** @param bootMs on the boot clock */
  heard(chunk: Uint8Array, bootMs: number, wallMs: number): void {
    this.#lastAtWallMs = wallMs;
    if (this.#answeredAt !== undefined && bootMs - this.#answeredAt < GRACE_MS) return;
    this.#octets += chunk.length;
    for (const octet of chunk) {
      if (octet === FLAG) this.#flags++;
      if ((octet >= 0x20 && octet < 0x7f) || octet === 0x0a || octet === 0x0d || octet === 0x09) this.#printable++;
    }
  }

  /** A call was answered: whatever else has come, this is a bridge. */
  answered(bootMs: number): void {
    this.forget();
    this.#answeredAt = bootMs;
  }

  /** A good frame that answers nothing. @param fault undefined for one that is only late */
  unusable(payload: Uint8Array, kind: UnusableAnswer, fault: AnswerFault | undefined): void {
    this.#framed = Math.min(this.#octets - this.#flags, this.#framed + encodeFrame(payload).length - 2);
    if (kind === "echo") this.#echoes++;
    else if (fault !== undefined) this.#fault = fault;
  }

  /** Somebody has unplugged it: the next thing there may be another. */
  forget(): void {
    this.#answeredAt = undefined;
    this.#octets = 0;
    this.#flags = 0;
    this.#framed = 0;
    this.#printable = 0;
    this.#echoes = 0;
    this.#fault = undefined;
  }
}

/** Codes that only say that no bridge has answered, not what did. */
const SILENCES: ReadonlySet<string> = new Set(["BRIDGE_TIMEOUT", "BRIDGE_NOT_READY"]);

/**
 * Why no bridge answers, from what came instead. The one place that decides it, for the log, status, refresh and diagnose alike; an error
 * of another kind comes back as it is. Pure.
 */
export function explainSilence(error: AgentError, facts: LineFacts): AgentError {
  if (!SILENCES.has(error.code)) return error;
  const { octets, foreign, text, echoes, fault } = facts;
  const options = { cause: error, context: error.context };
  // A check sequence of 32 bits does not match by chance: the sender speaks the framing.
  if (fault !== undefined) return new AgentError("BRIDGE_PROTOCOL.answer", { wrong: fault }, options);
  if (foreign > 0) return new AgentError("BRIDGE_FOREIGN_DATA", { octets, text, echo: echoes > 0 }, options);
  return echoes > 0 ? new AgentError("BRIDGE_ECHO", {}, options) : error;
}
