import {
  drawRefreshAfterMs,
  type Failure,
  holdOffMs,
  retryDelayMs,
  stretchedFraction,
  stretchLeft,
  stretchMore,
} from "../../agent/credential/refresh-policy.ts";
import { RetryState } from "../../agent/credential/retry-state.ts";
import { failureWith } from "../../test/support/checks/failures.ts";
import { DEFAULTS } from "./agent-rule.ts";

export type FleetAnswer = "ok" | "429" | "503";

/** The terminals of a fleet by number. Times in s since the common return. */
export interface FleetTerminals {
  begin(terminal: number, expiresS: number): void;
  /** Returns when the next request follows. */
  renewed(terminal: number, sentS: number): number;
  refused(terminal: number, endS: number, said: "429" | "503"): number;
  /** How many have no valid authinfo. */
  expired(nowS: number): number;
}

const LIFE_S = DEFAULTS.lifetimeS;

/** Each terminal the pure functions of the policy and six numbers. */
export class ArrayTerminals implements FleetTerminals {
  readonly #unit: () => number;
  readonly #fraction: number;
  readonly #expiresS: Float64Array;
  readonly #failures: Uint8Array;
  readonly #throttled: Uint8Array;
  readonly #stretch: Float64Array;
  readonly #stretchedS: Float64Array;

  /** @param fraction `refresh_at` in force: after an outage that for an unsteady network, for a day */
  constructor(count: number, fraction: number, unit: () => number) {
    this.#unit = unit;
    this.#fraction = fraction;
    this.#expiresS = new Float64Array(count);
    this.#failures = new Uint8Array(count);
    this.#throttled = new Uint8Array(count);
    this.#stretch = new Float64Array(count).fill(1);
    this.#stretchedS = new Float64Array(count);
  }

  begin(terminal: number, expiresS: number): void {
    this.#expiresS[terminal] = expiresS;
  }

  renewed(terminal: number, sentS: number): number {
    const fraction = stretchedFraction(this.#fraction, this.#stretchAt(terminal, sentS));
    this.#expiresS[terminal] = sentS + LIFE_S;
    this.#failures[terminal] = 0;
    this.#throttled[terminal] = 0;
    return sentS + drawRefreshAfterMs(LIFE_S * 1_000, fraction, this.#unit()) / 1_000;
  }

  refused(terminal: number, endS: number, said: "429" | "503"): number {
    const leftMs = ((this.#expiresS[terminal] ?? 0) - endS) * 1_000;
    const failures = Math.min((this.#failures[terminal] ?? 0) + 1, 255);
    const spread = leftMs <= 0 && this.#throttled[terminal] === 0;
    if (said === "429") {
      this.#stretch[terminal] = stretchMore(this.#stretchAt(terminal, endS));
      this.#stretchedS[terminal] = endS;
    }
    this.#failures[terminal] = failures;
    this.#throttled[terminal] = 1;
    const failure: Failure = { retry: "throttled", ...(spread ? { spread } : {}) };
    const delayMs = retryDelayMs(failure, failures, leftMs, this.#unit());
    return endS + Math.max(delayMs, holdOffMs(failure, this.#unit())) / 1_000;
  }

  expired(nowS: number): number {
    return this.#expiresS.reduce((sum, at) => sum + (at <= nowS ? 1 : 0), 0);
  }

  #stretchAt(terminal: number, nowS: number): number {
    return stretchLeft(this.#stretch[terminal] ?? 1, (nowS - (this.#stretchedS[terminal] ?? 0)) * 1_000);
  }
}

/** The same by the agent's own book of attempts, far slower: what the arrays must agree with. */
export class PacingTerminals implements FleetTerminals {
  readonly #unit: () => number;
  readonly #refresh: typeof DEFAULTS;
  readonly #pacings: RetryState[];
  readonly #expiresS: number[] = [];

  constructor(count: number, fraction: number, unit: () => number) {
    this.#unit = unit;
    this.#refresh = { ...DEFAULTS, refreshAt: fraction, refreshAtUnsteady: fraction };
    this.#pacings = Array.from({ length: count }, () => new RetryState(0));
  }

  begin(terminal: number, expiresS: number): void {
    this.#expiresS[terminal] = expiresS;
  }

  renewed(terminal: number, sentS: number): number {
    const retryState = this.#retryState(terminal);
    retryState.started("planned", sentS * 1_000);
    const fraction = retryState.refreshFraction(this.#refresh, sentS * 1_000);
    const refreshInMs = drawRefreshAfterMs(LIFE_S * 1_000, fraction, this.#unit());
    retryState.succeeded(sentS * 1_000, refreshInMs);
    this.#expiresS[terminal] = sentS + LIFE_S;
    const held = { remainingMs: LIFE_S * 1_000, refreshInMs, ageUnknown: false };
    return this.#next(retryState, held, sentS);
  }

  refused(terminal: number, endS: number, said: "429" | "503"): number {
    const retryState = this.#retryState(terminal);
    const remainingMs = ((this.#expiresS[terminal] ?? 0) - endS) * 1_000;
    const error = failureWith(said === "429" ? "PAY_RATE_LIMITED" : "PAY_UNAVAILABLE");
    retryState.started("retry", endS * 1_000);
    retryState.failed(error, { boot: endS * 1_000, wall: 0 }, remainingMs, this.#unit);
    return this.#next(retryState, { remainingMs, refreshInMs: 0, ageUnknown: false }, endS);
  }

  expired(nowS: number): number {
    return this.#expiresS.filter((at) => at <= nowS).length;
  }

  #retryState(terminal: number): RetryState {
    const retryState = this.#pacings[terminal];
    if (retryState === undefined) throw new RangeError(`no terminal ${terminal}`);
    return retryState;
  }

  #next(retryState: RetryState, held: Parameters<RetryState["decide"]>[0], nowS: number): number {
    const decision = retryState.decide(held, nowS * 1_000);
    return decision.do === "wait" ? decision.untilBootMs / 1_000 : nowS;
  }
}
