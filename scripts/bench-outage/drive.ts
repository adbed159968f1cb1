import { Account, type Balance, type Weigh } from "./account.ts";
import type { Rule } from "./rule.ts";
import { ATTEMPTS, Cursor, eventsOf, HOUR, MINUTE, type Trace } from "./trace.ts";

export interface Drive {
  readonly balance: Balance;
  readonly attempts: number;
  /** Attempts that WeChat Pay itself answered, with whatever. */
  readonly answered: number;
  /** For each authinfo that ran out for want of an answer: attempts in its last five minutes. */
  readonly inLastFiveMinutes: readonly number[];
}

export interface DriveOptions {
  /** Whether the rule hears of changes of the interfaces. */
  readonly hearsLink?: boolean;
  readonly onAttempt?: (atMs: number) => void;
  /** What a minute without an authinfo counts; all the same by default. */
  readonly weigh?: Weigh;
}

/** The life of every authinfo on the bench. */
export const LIFE_MS = HOUR;
const LAST_MS = 5 * MINUTE;

/** Lets a rule live through a trace. Virtual time jumps from one event to the next. */
export function drive(rule: Rule, trace: Trace, options: DriveOptions = {}): Drive {
  const events = eventsOf(trace).filter(({ type }) => type !== "link" || options.hearsLink === true);
  const account = new Account(trace, options.weigh);
  const paths = new Cursor(trace);
  const inLastFiveMinutes: number[] = [];
  let attempts = 0;
  let answered = 0;
  let now = 0;
  let next = 0;
  let powered = false;
  let bootedAt = 0;
  let validUntil = 0;
  let late = 0;

  /** Tells the rule what happens up to `untilMs`. Returns false when the power went. */
  const passEvents = (untilMs: number): boolean => {
    for (let event = events[next]; event !== undefined && event.atMs <= untilMs; event = events[next]) {
      next++;
      now = event.atMs;
      if (event.type === "boot") {
        powered = true;
        bootedAt = now;
        rule.boot(now);
      } else if (event.type === "off") {
        powered = false;
        return false;
      } else rule.linkChanged(now);
    }
    return true;
  };

  while (now < trace.endMs) {
    const upcoming = events[next]?.atMs ?? Number.POSITIVE_INFINITY;
    const at = powered ? rule.nextAt(now) : Number.POSITIVE_INFINITY;
    if (upcoming <= at) {
      if (upcoming >= trace.endMs) break;
      passEvents(upcoming);
      continue;
    }
    if (at >= trace.endMs) break;
    now = at;
    attempts++;
    options.onAttempt?.(at);
    if (at >= validUntil - LAST_MS && at < validUntil) late++;
    const state = paths.state(at);
    if (state === "up" || state === "server_error") answered++;
    rule.started(at);
    const met = ATTEMPTS[state];
    const endsAt = at + met.ms;
    if (!passEvents(endsAt)) continue;
    now = endsAt;
    if ("code" in met) {
      rule.failed(met.code, endsAt);
      if (rule.dropsOnFailure) validUntil = Math.min(validUntil, endsAt);
      continue;
    }
    // One that was asked for in time is no gap, or the second it takes would cost hourly cron two hours a year.
    if (at > validUntil) {
      if (bootedAt < validUntil - LAST_MS && !rule.dropsOnFailure) inLastFiveMinutes.push(late);
      account.gap(validUntil, endsAt, true);
    }
    late = 0;
    validUntil = at + LIFE_MS;
    rule.succeeded(at, endsAt);
  }
  if (validUntil < trace.endMs) account.gap(validUntil, trace.endMs, false);
  return { balance: account.balance(), attempts, answered, inLastFiveMinutes };
}
