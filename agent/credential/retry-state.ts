import { type AgentError, factsOf } from "../common/errors.ts";
import type { RefreshConfig } from "../config/config.ts";
import type { Cause } from "./credential-types.ts";
import {
  type Decision,
  decide,
  type Failure,
  holdOffMs,
  linkDelayMs,
  retryDelayMs,
  type Situation,
  stretchedFraction,
  stretchLeft,
  stretchMore,
} from "./refresh-policy.ts";

const UNSTEADY_MS = 24 * 3_600_000;

/** What outlives the keeper at a reload: promises to WeChat Pay and to the fleet, and what is known of the network. */
export interface RetryMemory {
  readonly lastEndedMs: number;
  readonly heldOffUntilMs: number;
  readonly unsteadyUntilMs: number;
  readonly stretch: number;
  readonly stretchedAtMs: number;
}

/** The book of attempts: what has failed since when, and how long the next one is held back. Times on the boot clock, ms. */
export class RetryState {
  #failures = 0;
  /** Failures since the last start, success or change of the network: the exponent of the back-off. */
  #exponent = 0;
  #onlyAPersonHelps = false;
  #throttled = false;
  /** Not kept over a restart: the credential keeps the instant drawn with it, and the next 429 sets it again. */
  #stretch = 1;
  #stretchedAt = 0;
  #cause: Cause | undefined;
  #retryAt = 0;
  #heldOffUntil = 0;
  #urgentAt: number | undefined;
  #lastEnded = Number.NEGATIVE_INFINITY;
  #unsteadyUntil: number;

  constructor(nowMs: number, unsteadyLeftMs: number, former?: RetryMemory) {
    this.#unsteadyUntil = nowMs + Math.min(Math.max(unsteadyLeftMs, 0), UNSTEADY_MS);
    if (former === undefined) return;
    this.#unsteadyUntil = Math.max(this.#unsteadyUntil, former.unsteadyUntilMs);
    this.#lastEnded = former.lastEndedMs;
    this.#heldOffUntil = former.heldOffUntilMs;
    this.#stretch = former.stretch;
    this.#stretchedAt = former.stretchedAtMs;
  }

  memory(): RetryMemory {
    return {
      lastEndedMs: this.#lastEnded,
      heldOffUntilMs: this.#heldOffUntil,
      unsteadyUntilMs: this.#unsteadyUntil,
      stretch: this.#stretch,
      stretchedAtMs: this.#stretchedAt,
    };
  }

  get failures(): number {
    return this.#failures;
  }

  /** The last failure, while it lasts. */
  get cause(): Cause | undefined {
    return this.#cause;
  }

  /** Someone needs an attempt out of turn. */
  urge(atMs: number): void {
    this.#urgentAt = Math.min(this.#urgentAt ?? Number.POSITIVE_INFINITY, atMs);
  }

  /** Whether an attempt out of turn is wished for, but only later. */
  urgedAfter(nowMs: number): boolean {
    return this.#urgentAt !== undefined && this.#urgentAt > nowMs;
  }

  /**
   * The network has changed: what failed on the old one says little about the new one, so the back-off begins anew and
   * an attempt follows. Not after an answer that only a person can mend, which its five minutes hold. With a good
   * authinfo nothing is drawn when an attempt is due within that time anyway: drawing at each flap and going by the
   * earliest would cost calls, and bring a whole mall together again.
   */
  networkChanged(held: Situation["held"], nowMs: number, chance: () => number): void {
    if (this.#onlyAPersonHelps) return;
    this.#exponent = 0;
    const remaining = held?.remainingMs ?? 0;
    const next = this.decide(held, nowMs);
    const soon = next.do === "refresh" || next.untilBootMs <= nowMs + linkDelayMs(remaining, 1);
    if (remaining <= 0 || !soon) this.urge(nowMs + linkDelayMs(remaining, chance()));
  }

  started(): void {
    this.#urgentAt = undefined;
  }

  /** The attempt was given up because the work ends, here or for a reload. */
  interrupted(nowMs: number): void {
    this.#lastEnded = nowMs;
  }

  succeeded(nowMs: number): void {
    this.#failures = 0;
    this.#exponent = 0;
    this.#onlyAPersonHelps = false;
    this.#throttled = false;
    this.#cause = undefined;
    this.#heldOffUntil = 0;
    this.#lastEnded = nowMs;
  }

  /**
   * Returns whether the cause is another one than before.
   * @param remainingMs of the held authinfo, undefined without one
   */
  failed(
    error: AgentError,
    now: { boot: number; wall: number },
    remainingMs: number | undefined,
    chance: () => number,
  ): boolean {
    const { rule, context } = error;
    const throttled = rule.retry === "throttled";
    const expired = remainingMs !== undefined && remainingMs <= 0;
    const failure: Failure = {
      retry: rule.retry,
      ...(context.retryAfterS === undefined ? {} : { retryAfterS: context.retryAfterS }),
      ...(throttled && expired && !this.#throttled ? { spread: true } : {}),
    };
    this.#throttled = throttled;
    if (rule.stretches) {
      this.#stretch = stretchMore(this.#stretchAt(now.boot));
      this.#stretchedAt = now.boot;
    }
    this.#failures++;
    this.#exponent++;
    this.#onlyAPersonHelps = rule.retry === "slow";
    this.#lastEnded = now.boot;
    this.#retryAt = now.boot + retryDelayMs(failure, this.#exponent, remainingMs ?? 0, chance());
    this.#heldOffUntil = Math.max(this.#heldOffUntil, now.boot + holdOffMs(failure, chance()));
    // A failure that leads to the next base URL is one of the network: the next authinfo is refreshed earlier.
    if (rule.failover) this.#unsteadyUntil = now.boot + UNSTEADY_MS;
    const former = this.#cause?.code === error.code ? this.#cause : undefined;
    // The words are the last ones: what is to be done may have changed under the same code.
    const sinceWallMs = former?.sinceWallMs ?? now.wall;
    this.#cause = { code: error.code, sinceWallMs, params: error.params, ...factsOf(error) };
    return former === undefined;
  }

  /** Milliseconds for which the network still counts as unsteady, 0 when it does not. */
  unsteadyLeftMs(nowMs: number): number {
    return Math.max(this.#unsteadyUntil - nowMs, 0);
  }

  /** Where in a new credential's life its first refresh comes, at the latest, as a fraction. */
  refreshFraction({ refreshAt, refreshAtUnsteady }: RefreshConfig, nowMs: number): number {
    const fraction = this.unsteadyLeftMs(nowMs) > 0 ? refreshAtUnsteady : refreshAt;
    return stretchedFraction(fraction, this.#stretchAt(nowMs));
  }

  /** Seconds left of a kept `Retry-After`, 0 when there is none. */
  heldOffS(nowMs: number): number {
    return Math.max(Math.ceil((this.#heldOffUntil - nowMs) / 1_000), 0);
  }

  decide(held: Situation["held"], nowMs: number): Decision {
    const situation: Situation = {
      failures: this.#failures,
      retryAtBootMs: this.#retryAt,
      heldOffUntilBootMs: this.#heldOffUntil,
      lastAttemptEndedBootMs: this.#lastEnded,
      ...(this.#urgentAt === undefined ? {} : { urgentAtBootMs: this.#urgentAt }),
      ...(held === undefined ? {} : { held }),
    };
    return decide(situation, nowMs);
  }

  #stretchAt(nowMs: number): number {
    return stretchLeft(this.#stretch, nowMs - this.#stretchedAt);
  }
}
