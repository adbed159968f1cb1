import { linkIsUp, MINUTE, type Trace, YEAR } from "./trace.ts";

/** What a terminal had of its authinfo over one trace. Only time with the power on counts. */
export interface Balance {
  readonly poweredMs: number;
  readonly unavailableMs: number;
  /** Of that, with the link up. */
  readonly unavailableLinkUpMs: number;
  /** From the return of the way to a fresh authinfo, ms, for each time it was missing then. */
  readonly recoveriesMs: readonly number[];
}

/** What the time from one instant to a later one counts, in ms of mean demand. */
export type Weigh = (fromMs: number, toMs: number) => number;

const plain: Weigh = (fromMs, toMs) => toMs - fromMs;

/** Adds up the gaps in which no valid authinfo was there. They are told in order. */
export class Account {
  readonly #trace: Trace;
  readonly #weigh: Weigh;
  #at = 0;
  #unavailable = 0;
  #unavailableLinkUp = 0;
  readonly #recoveries: number[] = [];

  constructor(trace: Trace, weigh: Weigh = plain) {
    this.#trace = trace;
    this.#weigh = weigh;
  }

  /** No valid authinfo from `fromMs` to `toMs`; `recovered` when the gap ended with a new one. */
  gap(fromMs: number, toMs: number, recovered: boolean): void {
    const { segments, endMs } = this.#trace;
    const to = Math.min(toMs, endMs);
    let cameBack: number | undefined;
    let at = this.#at;
    while (at + 1 < segments.length && (segments[at + 1]?.fromMs ?? endMs) <= fromMs) at++;
    this.#at = at;
    for (; at < segments.length; at++) {
      const segment = segments[at];
      if (segment === undefined || segment.fromMs >= to) break;
      const start = Math.max(segment.fromMs, fromMs);
      if (segment.state === "off") continue;
      const lasted = this.#weigh(start, Math.min(segments[at + 1]?.fromMs ?? endMs, to));
      this.#unavailable += lasted;
      if (linkIsUp(segment.state)) this.#unavailableLinkUp += lasted;
      if (segment.state === "up" && segment.fromMs >= fromMs) cameBack = segment.fromMs;
    }
    if (recovered && cameBack !== undefined) this.#recoveries.push(to - cameBack);
  }

  balance(): Balance {
    return {
      poweredMs: poweredMs(this.#trace),
      unavailableMs: this.#unavailable,
      unavailableLinkUpMs: this.#unavailableLinkUp,
      recoveriesMs: this.#recoveries,
    };
  }
}

function poweredMs({ segments, endMs }: Trace): number {
  let total = 0;
  segments.forEach(({ fromMs, state }, i) => {
    if (state !== "off") total += (segments[i + 1]?.fromMs ?? endMs) - fromMs;
  });
  return total;
}

/** Nobody can do better: a new authinfo at every instant the way is open, and its whole life when it closes. */
export function oracle(trace: Trace, lifetimeMs: number, weigh?: Weigh): Balance {
  const account = new Account(trace, weigh);
  let closedAt: number | undefined = Number.NEGATIVE_INFINITY;
  for (const { fromMs, state } of trace.segments) {
    if (state === "up" && closedAt !== undefined) {
      if (fromMs > closedAt + lifetimeMs) account.gap(closedAt + lifetimeMs, fromMs, true);
      closedAt = undefined;
    }
    if (state !== "up") closedAt ??= fromMs;
  }
  if (closedAt !== undefined) account.gap(closedAt + lifetimeMs, trace.endMs, false);
  return account.balance();
}

export function minutesAYear(ms: number, poweredMs: number): number {
  return (ms / MINUTE) * (YEAR / poweredMs);
}
