import { type Clock, withDeadline } from "../common/clock.ts";
import { AgentError, asAgentError } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import type { RemoteCommand } from "../config/config.ts";
import { failureInEnglish } from "../messages/failure-text.ts";
import { CommandJudge, type CommandMessage, type CommandRefusal, RefusalCounter } from "./commands.ts";

/** What a command does. The result goes to the asker as JSON. */
export type CommandRunners = Readonly<Record<RemoteCommand, (signal: AbortSignal) => Promise<unknown>>>;

export interface CommandDeskParts {
  readonly allowed: readonly RemoteCommand[];
  readonly commands: CommandRunners;
  readonly clock: Clock;
  readonly log: Log;
  readonly clockTrusted: () => boolean;
  /** There is an answer to publish. */
  readonly onAnswer: () => void;
}

export interface CommandAnswer {
  readonly op: RemoteCommand;
  readonly id: string;
  readonly payload: string;
}

/** The longest is an attempt that waits for the bridge, or a diagnose. */
const LONGEST_MS = 120_000;
const LARGEST_RESULT = 256 * 1024;
/** Of one command at a time there are two answers. */
const ANSWERS_KEPT = 4;

/** Takes commands in, has one at a time carried out, and keeps the answers until they are published. */
export class CommandDesk {
  readonly #parts: CommandDeskParts;
  readonly #judge: CommandJudge;
  readonly #refusals = new RefusalCounter();
  readonly #answers: CommandAnswer[] = [];
  /** Ids whose answers come back to us, since we read where we write. */
  readonly #answered: string[] = [];
  /** What was too large to be read, by topic, so that a retained one is told once and not at each connection. */
  readonly #skipped: string[] = [];
  #busy = false;

  constructor(parts: CommandDeskParts) {
    this.#parts = parts;
    this.#judge = new CommandJudge(parts.allowed);
  }

  take({ topic: _topic, ...message }: CommandMessage & { readonly topic: string }): void {
    const { clock, clockTrusted } = this.#parts;
    const { target, payload } = message;
    if (target !== undefined && this.#isEcho(target.id, payload)) return;
    const moment = {
      ...{ wallMs: clock.wall(), bootMs: clock.boot() },
      ...{ clockTrusted: clockTrusted(), busy: this.#busy },
    };
    const verdict = this.#judge.judge(message, moment);
    if (verdict.kind === "refused") this.#refuse(verdict.op, verdict.reason);
    if (verdict.kind === "accepted") void this.#carryOut(verdict.op, verdict.id);
  }

  /** A message that was passed over for its size. */
  skipped(topic: string, target: { readonly op: string; readonly id: string } | undefined): void {
    if (target !== undefined && this.#answered.includes(target.id)) return;
    if (this.#skipped.includes(topic)) return;
    remember(this.#skipped, topic);
    this.#refuse(this.#parts.allowed.find((op) => op === target?.op) ?? "", "too_large");
  }

  /** The next answer to publish; the same one until it has been `sent`. */
  next(): CommandAnswer | undefined {
    return this.#answers[0];
  }

  sent(answer: CommandAnswer): void {
    const at = this.#answers.indexOf(answer);
    if (at !== -1) this.#answers.splice(at, 1);
  }

  #isEcho(id: string, payload: Uint8Array): boolean {
    if (!this.#answered.includes(id)) return false;
    const text = Buffer.from(payload).toString("utf8");
    return /^\{"status":"(executing|successful|failed)"/.test(text);
  }

  #refuse(op: string, reason: CommandRefusal): void {
    const count = this.#refusals.count(this.#parts.clock.boot());
    if (count !== undefined) this.#parts.log.warn("COMMAND_REFUSED", { op, reason, count });
  }

  async #carryOut(op: RemoteCommand, id: string): Promise<void> {
    const { log, commands, clock } = this.#parts;
    this.#busy = true;
    remember(this.#answered, id);
    log.info("COMMAND_STARTED", { op, command: id });
    this.#answer({ op, id, payload: JSON.stringify({ status: "executing" }) });
    const ending = new AbortController();
    try {
      const late = () => new AgentError("ATTEMPT_TIMEOUT.line", { ms: LONGEST_MS });
      const result = await withDeadline(commands[op](ending.signal), LONGEST_MS, clock, late);
      const payload = JSON.stringify({ status: "successful", result });
      if (payload.length > LARGEST_RESULT)
        throw new AgentError("INTERNAL.unexpected", { error: "the result is too large" });
      this.#answer({ op, id, payload });
      log.info("COMMAND_ENDED", { op, command: id, outcome: "successful" });
    } catch (error) {
      ending.abort();
      const failure = asAgentError(error);
      const result = { code: failure.code, detail: failureInEnglish(failure) };
      this.#answer({ op, id, payload: JSON.stringify({ status: "failed", result }) });
      log.info("COMMAND_ENDED", { op, command: id, outcome: "failed", cause: failure.code });
    } finally {
      this.#busy = false;
    }
  }

  #answer(answer: CommandAnswer): void {
    this.#answers.push(answer);
    // Without a broker the oldest is no longer needed.
    if (this.#answers.length > ANSWERS_KEPT) this.#answers.shift();
    this.#parts.onAnswer();
  }
}

const KEPT = 32;

function remember(list: string[], entry: string): void {
  list.push(entry);
  if (list.length > KEPT) list.shift();
}
