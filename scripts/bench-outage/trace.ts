/** How the way from a terminal to an authinfo is at one moment. */
export type PathState =
  | "up"
  /** The link is dead behind the terminal's own router: nothing tells it, attempts hang. */
  | "silent"
  /** The terminal's own interface is down: attempts fail at once, and its return is an event. */
  | "visible"
  /** The link is up, WeChat Pay is not. */
  | "server_error"
  | "hang"
  | "dns"
  | "off";

export interface Segment {
  readonly fromMs: number;
  readonly state: PathState;
}

/** One terminal's life: gapless segments from 0 to `endMs`, whole milliseconds, no two neighbours alike. */
export interface Trace {
  readonly segments: readonly Segment[];
  readonly endMs: number;
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const YEAR = 365 * DAY;

/** What an attempt meets in each state: how long it takes and how it fails. */
export const ATTEMPTS = {
  up: { ms: SECOND },
  silent: { ms: 6 * SECOND, code: "PAY_CONNECT_TIMEOUT" },
  visible: { ms: 200, code: "PAY_UNREACHABLE" },
  server_error: { ms: 300, code: "PAY_UNAVAILABLE" },
  hang: { ms: 6 * SECOND, code: "PAY_TIMEOUT" },
  dns: { ms: 6 * SECOND, code: "PAY_DNS" },
  off: { ms: 0, code: "BRIDGE_CLOSED" },
} as const satisfies Record<PathState, { ms: number; code?: string }>;

export const linkIsUp = (state: PathState) => state !== "silent" && state !== "visible" && state !== "off";

/** Appends spells one after the other. */
export class TraceBuilder {
  readonly #segments: Segment[] = [];
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  add(state: PathState, ms: number): this {
    const whole = Math.round(ms);
    if (whole <= 0) return this;
    if (this.#segments.at(-1)?.state !== state) this.#segments.push({ fromMs: this.#nowMs, state });
    this.#nowMs += whole;
    return this;
  }

  build(): Trace {
    return { segments: this.#segments, endMs: this.#nowMs };
  }
}

/** Looks a trace up at instants that never fall. */
export class Cursor {
  readonly #trace: Trace;
  #at = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  state(ms: number): PathState {
    const { segments } = this.#trace;
    for (let next = segments[this.#at + 1]; next !== undefined && next.fromMs <= ms; next = segments[this.#at + 1]) {
      this.#at++;
    }
    return segments[this.#at]?.state ?? "off";
  }
}

export type TraceEvent = { readonly atMs: number; readonly type: "boot" | "off" | "link" };

/** Period of the real link watch: an interface's change is seen at the first look after it. */
const LOOK_MS = 2 * SECOND;

/** What happens to the terminal itself: power, and what its link watch sees, which starts at each boot. */
export function eventsOf({ segments }: Trace): TraceEvent[] {
  const events: TraceEvent[] = [];
  let bootMs = 0;
  let seen: boolean | undefined;
  segments.forEach(({ fromMs, state }, i) => {
    const untilMs = segments[i + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
    if (state === "off") {
      if (i > 0) events.push({ atMs: fromMs, type: "off" });
      seen = undefined;
      return;
    }
    const plugged = state !== "visible";
    if (seen === undefined) {
      bootMs = fromMs;
      events.push({ atMs: fromMs, type: "boot" });
      seen = plugged;
    }
    const lookMs = bootMs + Math.ceil((fromMs - bootMs) / LOOK_MS) * LOOK_MS;
    if (plugged !== seen && lookMs < untilMs) {
      events.push({ atMs: lookMs, type: "link" });
      seen = plugged;
    }
  });
  return events;
}
