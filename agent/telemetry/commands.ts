import type { RemoteCommand } from "../config/config.ts";

/** Why a command is refused; each is an event and nothing else (specification 10). */
export type CommandRefusal =
  | "topic"
  | "not_allowed"
  | "id"
  | "too_large"
  | "not_utf8"
  | "not_json"
  | "form"
  | "status"
  | "not_after"
  | "expired"
  | "too_far"
  | "clock"
  | "repeated"
  | "busy"
  | "too_many";

export type CommandVerdict =
  | { readonly kind: "accepted"; readonly op: RemoteCommand; readonly id: string }
  | { readonly kind: "refused"; readonly reason: CommandRefusal; readonly op: string }
  /** Our own answer come back, one that somebody left there, or a cleared topic. */
  | { readonly kind: "ignored" };

export interface CommandMessage {
  /** Undefined: on a topic that is none of ours. */
  readonly target: { readonly op: string; readonly id: string } | undefined;
  readonly payload: Uint8Array;
  /** It stood there before we subscribed. */
  readonly retained: boolean;
}

export interface CommandMoment {
  readonly wallMs: number;
  readonly bootMs: number;
  /** Without a confirmed clock it is unknown whether a command is of today. */
  readonly clockTrusted: boolean;
  /** A command is at work. */
  readonly busy: boolean;
}

const LARGEST = 4 * 1024;
const FURTHEST_MS = 600_000;
const ID = /^[0-9A-Za-z_-]{1,64}$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const ANSWERS: readonly unknown[] = ["executing", "successful", "failed"];
/** A fleet's operator asks now and then; a broker that asks for more is not the operator's any longer. */
const MOST_AN_HOUR = 12;
const HOUR_MS = 3_600_000;

/** Judges what comes on the command topics. Remembers for as long as a repeated command could still be in time. */
export class CommandJudge {
  readonly #allowed: readonly RemoteCommand[];
  /** Ids that were accepted, and when on the boot clock: at most as many as may be in an hour. */
  readonly #seen = new Map<string, number>();

  constructor(allowed: readonly RemoteCommand[]) {
    this.#allowed = allowed;
  }

  judge({ target, payload, retained }: CommandMessage, now: CommandMoment): CommandVerdict {
    if (payload.length === 0) return { kind: "ignored" };
    const shown = target !== undefined && /^[a-z_-]{1,32}$/.test(target.op) ? target.op : "";
    const refused = (reason: CommandRefusal): CommandVerdict => ({ kind: "refused", reason, op: shown });
    if (target === undefined) return refused("topic");
    const op = this.#allowed.find((one) => one === target.op);
    if (op === undefined) return refused("not_allowed");
    if (!ID.test(target.id)) return refused("id");
    const said = read(payload);
    // What ran and was not cleared is there again at each connection, and a report may be longer than any command.
    if (retained && said.kind === "object" && ANSWERS.includes(said.value.status)) return { kind: "ignored" };
    if (payload.length > LARGEST) return refused("too_large");
    if (said.kind !== "object") return refused(said.kind);
    const { status, not_after, ...rest } = said.value;
    if (Object.keys(rest).length > 0) return refused("form");
    if (status !== "init") return refused("status");
    if (typeof not_after !== "string" || !RFC3339.test(not_after)) return refused("not_after");
    const lastMs = Date.parse(not_after);
    if (Number.isNaN(lastMs)) return refused("not_after");
    this.#forget(now.bootMs);
    // By id alone: the same one under another op is no new one.
    if (this.#seen.has(target.id)) return refused("repeated");
    if (!now.clockTrusted) return refused("clock");
    if (lastMs <= now.wallMs) return refused("expired");
    if (lastMs > now.wallMs + FURTHEST_MS) return refused("too_far");
    if (now.busy) return refused("busy");
    if (this.#seen.size >= MOST_AN_HOUR) return refused("too_many");
    this.#seen.set(target.id, now.bootMs);
    return { kind: "accepted", op, id: target.id };
  }

  #forget(bootMs: number): void {
    for (const [id, at] of this.#seen) if (bootMs - at >= HOUR_MS) this.#seen.delete(id);
  }
}

type Said =
  | { readonly kind: "not_utf8" | "not_json" | "form" }
  | { readonly kind: "object"; readonly value: Record<string, unknown> };

function read(payload: Uint8Array): Said {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    return { kind: "not_utf8" };
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return { kind: "form" };
    return { kind: "object", value: { ...value } };
  } catch {
    return { kind: "not_json" };
  }
}

const WINDOW_MS = 60_000;
const EACH_TOLD = 20;

/** Each refusal is an event, until they become a flood: then one event a minute counts them. */
export class RefusalCounter {
  #from = Number.NEGATIVE_INFINITY;
  #told = 0;
  #untold = 0;

  /** How many refusals the event for this one stands for; undefined when it is only counted. */
  count(bootMs: number): number | undefined {
    if (bootMs - this.#from >= WINDOW_MS) {
      this.#from = bootMs;
      this.#told = 0;
    }
    this.#untold++;
    if (this.#told >= EACH_TOLD) return undefined;
    this.#told++;
    const count = this.#untold;
    this.#untold = 0;
    return count;
  }
}
