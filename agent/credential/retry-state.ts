import { type AgentError, factsOf } from "../common/errors.ts";
import type { RefreshConfig } from "../config/config.ts";
import type { Cause } from "./credential-types.ts";
import { isOfBridge } from "./held-credential.ts";
import { type Occasion, RateLimiter } from "./rate-limiter.ts";
import {
  type Decision,
  decide,
  type Failure,
  holdOffMs,
  linkDelayMs,
  type RefreshReason,
  retryDelayMs,
  type Situation,
  stretchedFraction,
  stretchLeft,
  stretchMore,
} from "./refresh-policy.ts";

const UNSTEADY_MS = 24 * 3_600_000;

/**
 * Who wants an attempt out of turn. A technician's costs no allowance, nor does a bridge that is ready again after failures that were all its
 * own: nothing has gone to WeChat Pay in that row.
 */
export type Wisher = Occasion | "technician" | "fixed";

/** What outlives the `CredentialManager` at a reload: promises to WeChat Pay and to the fleet, and what is known of the network. */
export interface RetryMemory {
  readonly lastEndedMs: number;
  readonly heldOffUntilMs: number;
  readonly evenAtMs: number;
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
  /** An attempt since the last success has failed beyond the bridge. */
  #hasAsked = false;
  #heldOffUntil = 0;
  /** Who wants an attempt out of turn, and from when on. */
  readonly #wishes = new Map<Wisher, number>();
  readonly #allowance: RateLimiter;
  #evenAt: number;
  #lastEnded = Number.NEGATIVE_INFINITY;
  #unsteadyUntil: number;

  constructor(nowMs: number, unsteadyLeftMs: number, former?: RetryMemory, allowance = new RateLimiter()) {
    this.#allowance = allowance;
    this.#evenAt = former?.evenAtMs ?? allowance.freeAt("start", nowMs);
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
      evenAtMs: this.#evenAt,
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

  /** An attempt is wanted out of turn; beyond the allowance it waits until there is one, or for the planned instant. */
  wish(who: Wisher, nowMs: number, atMs: number = nowMs): void {
    this.#wishes.set(who, Math.min(this.#wishes.get(who) ?? Number.POSITIVE_INFINITY, atMs));
    if (isCounted(who) && this.#allowance.freeAt(who, nowMs) > nowMs) this.#allowance.holdBack(who, nowMs);
  }

  /** The bridge whose fault the last failure was is ready. */
  fixed(nowMs: number): void {
    this.wish(this.#hasAsked ? "bridge" : "fixed", nowMs);
  }

  /** Whether an attempt out of turn is wished for, but only later. */
  wishedAfter(nowMs: number): boolean {
    return (this.#firstWish(nowMs)?.atMs ?? nowMs) > nowMs;
  }

  /**
   * The network has changed: what failed on the old one says little about the new one, so the back-off begins anew and
   * an attempt follows. Not after an answer that only a person can fix, which its five minutes hold. With a good
   * authinfo nothing is drawn when an attempt is due within that time anyway: drawing at each flap and going by the
   * earliest would cost calls, and bring a whole mall together again. Beyond the allowance the back-off stays as it is.
   */
  networkChanged(held: Situation["held"], nowMs: number, chance: () => number): void {
    if (this.#onlyAPersonHelps) return;
    if (this.#allowance.freeAt("link", nowMs) > nowMs) {
      this.#allowance.holdBack("link", nowMs);
      return;
    }
    this.#exponent = 0;
    const remaining = held?.remainingMs ?? 0;
    const next = this.decide(held, nowMs);
    const soon = next.do === "refresh" || next.untilBootMs <= nowMs + linkDelayMs(remaining, 1);
    if (remaining <= 0 || !soon) this.wish("link", nowMs, nowMs + linkDelayMs(remaining, chance()));
  }

  /** An attempt begins, which is the answer to all that is wished for. One that is neither planned nor a retry is out of turn. */
  started(why: RefreshReason, nowMs: number): void {
    const first = this.#firstWish(nowMs)?.who;
    const missing = why === "absent" || why === "age_unknown" ? "start" : undefined;
    const who = why === "urgent" ? first : missing;
    const free = who === undefined || !isCounted(who) || this.#wishes.has("technician");
    if (!free) this.#allowance.spend(who, nowMs);
    this.#wishes.clear();
  }

  /** The attempt was given up because the work ends, here or for a reload. */
  interrupted(nowMs: number): void {
    this.#lastEnded = nowMs;
  }

  /** @param refreshInMs until the refresh that has been drawn for the new authinfo */
  succeeded(nowMs: number, refreshInMs = 0): void {
    this.#evenAt = nowMs + refreshInMs;
    this.#hasAsked = false;
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
    this.#hasAsked ||= !isOfBridge(error.code);
    this.#exponent++;
    this.#onlyAPersonHelps = rule.retry === "slow";
    this.#lastEnded = now.boot;
    this.#retryAt = now.boot + retryDelayMs(failure, this.#exponent, remainingMs ?? 0, chance());
    this.#heldOffUntil = Math.max(this.#heldOffUntil, now.boot + holdOffMs(failure, chance()));
    if (rule.unsteady) this.#unsteadyUntil = now.boot + UNSTEADY_MS;
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

  /** The last sign of an unsteady network, on the clock of `nowMs`; undefined when none is within the day. */
  unsteadySinceMs(nowMs: number): number | undefined {
    return this.#unsteadyUntil > nowMs ? this.#unsteadyUntil - UNSTEADY_MS : undefined;
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
    const urgentAtBootMs = this.#firstWish(nowMs)?.atMs;
    const situation: Situation = {
      failures: this.#failures,
      retryAtBootMs: this.#retryAt,
      heldOffUntilBootMs: this.#heldOffUntil,
      lastAttemptEndedBootMs: this.#lastEnded,
      evenAtBootMs: this.#evenAt,
      ...(urgentAtBootMs === undefined ? {} : { urgentAtBootMs }),
      ...(held === undefined ? {} : { held }),
    };
    return decide(situation, nowMs);
  }

  /** Those that are counted wait for the allowance. */
  #firstWish(nowMs: number): { readonly who: Wisher; readonly atMs: number } | undefined {
    let first: { who: Wisher; atMs: number } | undefined;
    for (const [who, wishedAt] of this.#wishes) {
      const freeAt = isCounted(who) ? this.#allowance.freeAt(who, nowMs) : nowMs;
      // What is free now was free at the instant of the wish.
      const atMs = freeAt > nowMs ? Math.max(wishedAt, freeAt) : wishedAt;
      if (first === undefined || atMs < first.atMs) first = { who, atMs };
    }
    return first;
  }

  #stretchAt(nowMs: number): number {
    return stretchLeft(this.#stretch, nowMs - this.#stretchedAt);
  }
}

function isCounted(who: Wisher): who is Occasion {
  return who !== "technician" && who !== "fixed";
}
