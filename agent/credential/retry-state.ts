import { type AgentError, factsOf } from "../common/errors.ts";
import type { RefreshConfig } from "../config/config.ts";
import type { Cause } from "./credential-types.ts";
import type { RetryFacts } from "./current-credential.ts";
import { type Occasion, RateLimiter } from "./rate-limiter.ts";
import {
  type Decision,
  decide,
  type Failure,
  holdOffMs,
  isBridgeFailure,
  type Life,
  linkDelayMs,
  type RefreshReason,
  retryDelayMs,
  stretchedFraction,
  stretchLeft,
  stretchMore,
} from "./refresh-policy.ts";

const UNSTEADY_MS = 24 * 3_600_000;

/**
 * What requests an attempt out of turn. Not limited in rate: a technician, and `repair`, a bridge that is ready again after failures that
 * were all its own, since nothing has gone to WeChat Pay in that row.
 */
export type Trigger = Occasion | "technician" | "repair";

export interface RetryStateOptions {
  /** From the state of the process before. */
  readonly facts?: RetryFacts;
  /** Of the manager before a reload: promises to WeChat Pay and to the fleet, and what is known of the network, are kept. */
  readonly former?: RetryState | undefined;
  /** Whether a `Retry-After` of `former` still binds. */
  readonly keepsRetryAfter?: boolean | undefined;
}

/** The attempts so far: what has failed since when, and how long the next one is delayed. Times on the boot clock, ms. */
export class RetryState {
  readonly rateLimiter: RateLimiter;
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
  /** The requests for an attempt out of turn, and from when on. */
  readonly #requests = new Map<Trigger, number>();
  #plannedAt: number;
  #lastEnded = Number.NEGATIVE_INFINITY;
  #unsteadyUntil: number;

  constructor(nowMs: number, { facts, former, keepsRetryAfter = true }: RetryStateOptions = {}) {
    this.rateLimiter = former?.rateLimiter ?? new RateLimiter(facts?.spent);
    this.#plannedAt = former ? former.#plannedAt : this.rateLimiter.freeAt("start", nowMs);
    this.#unsteadyUntil = nowMs + Math.min(Math.max(facts?.unsteadyLeftMs ?? 0, 0), UNSTEADY_MS);
    if (former === undefined) return;
    this.#unsteadyUntil = Math.max(this.#unsteadyUntil, former.#unsteadyUntil);
    this.#lastEnded = former.#lastEnded;
    if (keepsRetryAfter) this.#heldOffUntil = former.#heldOffUntil;
    this.#stretch = former.#stretch;
    this.#stretchedAt = former.#stretchedAt;
  }

  get failures(): number {
    return this.#failures;
  }

  /** The last failure, while it lasts. */
  get cause(): Cause | undefined {
    return this.#cause;
  }

  /** Requests an attempt out of turn; beyond the rate limit it waits until one is allowed, or for the planned instant. */
  request(trigger: Trigger, nowMs: number, atMs: number = nowMs): void {
    this.#requests.set(trigger, Math.min(this.#requests.get(trigger) ?? Number.POSITIVE_INFINITY, atMs));
    if (isLimited(trigger) && this.rateLimiter.freeAt(trigger, nowMs) > nowMs) this.rateLimiter.delayed(trigger, nowMs);
  }

  /** The bridge is ready that caused the last failure. */
  bridgeRepaired(nowMs: number): void {
    this.request(this.#hasAsked ? "bridge" : "repair", nowMs);
  }

  /** Whether an attempt out of turn is requested that has to wait. */
  isDelayed(nowMs: number): boolean {
    return (this.#firstRequest(nowMs)?.atMs ?? nowMs) > nowMs;
  }

  /**
   * The network has changed: what failed on the old one says little about the new one, so the back-off begins anew and
   * an attempt follows. Not after an answer that only a person can fix, which keeps its five minutes. With a good
   * authinfo nothing is drawn when an attempt is due within that time anyway: drawing at each flap and taking the
   * earliest would cost calls, and bring a whole mall together again. Beyond the rate limit the back-off stays as it is.
   */
  networkChanged(held: Life | undefined, nowMs: number, chance: () => number): void {
    if (this.#onlyAPersonHelps) return;
    if (this.rateLimiter.freeAt("link", nowMs) > nowMs) {
      this.rateLimiter.delayed("link", nowMs);
      return;
    }
    this.#exponent = 0;
    const remaining = held?.remainingMs ?? 0;
    const next = this.decide(held, nowMs);
    const soon = next.do === "refresh" || next.untilBootMs <= nowMs + linkDelayMs(remaining, 1);
    if (remaining <= 0 || !soon) this.request("link", nowMs, nowMs + linkDelayMs(remaining, chance()));
  }

  /** An attempt begins, which answers all requests. One that is neither planned nor a retry counts towards the rate limit. */
  started(why: RefreshReason, nowMs: number): void {
    const missing = why === "absent" || why === "age_unknown" ? "start" : undefined;
    const trigger = why === "urgent" ? this.#firstRequest(nowMs)?.trigger : missing;
    if (trigger !== undefined && isLimited(trigger) && !this.#requests.has("technician")) {
      this.rateLimiter.spend(trigger, nowMs);
    }
    this.#requests.clear();
  }

  /** The attempt was abandoned because the work ends, here or for a reload. */
  interrupted(nowMs: number): void {
    this.#lastEnded = nowMs;
  }

  /** @param refreshInMs until the refresh that has been drawn for the new authinfo */
  succeeded(nowMs: number, refreshInMs = 0): void {
    // What was requested meanwhile is answered: what has been obtained is newer than what the request was about.
    this.#requests.clear();
    this.#plannedAt = nowMs + refreshInMs;
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
    this.#hasAsked ||= !isBridgeFailure(error.code);
    this.#exponent++;
    this.#onlyAPersonHelps = rule.retry === "slow";
    this.#lastEnded = now.boot;
    this.#retryAt = now.boot + retryDelayMs(failure, this.#exponent, remainingMs ?? 0, chance());
    this.#heldOffUntil = Math.max(this.#heldOffUntil, now.boot + holdOffMs(failure, chance()));
    if (rule.unsteady) this.#unsteadyUntil = now.boot + UNSTEADY_MS;
    const former = this.#cause?.code === error.code ? this.#cause : undefined;
    // The parameters are the last ones: what is to be done may have changed under the same code.
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

  /** To be written with a new credential. */
  facts(nowMs: number): RetryFacts {
    return { unsteadyLeftMs: this.unsteadyLeftMs(nowMs), spent: this.rateLimiter.spent(nowMs) };
  }

  /** Where in a new credential's life its first refresh comes, at the latest, as a fraction. */
  refreshFraction({ refreshAt, refreshAtUnsteady }: RefreshConfig, nowMs: number): number {
    const fraction = this.unsteadyLeftMs(nowMs) > 0 ? refreshAtUnsteady : refreshAt;
    return stretchedFraction(fraction, this.#stretchAt(nowMs));
  }

  /** For a refresh that follows demand. The least fraction is that of an unsteady network, under the stretch of this moment. */
  demandTerms({ refreshAt, refreshAtUnsteady }: RefreshConfig, nowMs: number) {
    return {
      leastFraction: stretchedFraction(Math.min(refreshAt, refreshAtUnsteady), this.#stretchAt(nowMs)),
      isAfterOutage: this.#failures > 0,
    };
  }

  /** Seconds left of a kept `Retry-After`, 0 when there is none. */
  heldOffS(nowMs: number): number {
    return Math.max(Math.ceil((this.#heldOffUntil - nowMs) / 1_000), 0);
  }

  decide(held: Life | undefined, nowMs: number): Decision {
    const urgentAtBootMs = this.#firstRequest(nowMs)?.atMs;
    const situation = {
      failures: this.#failures,
      retryAtBootMs: this.#retryAt,
      heldOffUntilBootMs: this.#heldOffUntil,
      lastAttemptEndedBootMs: this.#lastEnded,
      plannedAtBootMs: this.#plannedAt,
      ...(urgentAtBootMs === undefined ? {} : { urgentAtBootMs }),
      ...(held === undefined ? {} : { held }),
    };
    return decide(situation, nowMs);
  }

  #firstRequest(nowMs: number): { readonly trigger: Trigger; readonly atMs: number } | undefined {
    let first: { trigger: Trigger; atMs: number } | undefined;
    for (const [trigger, requestedAt] of this.#requests) {
      const freeAt = isLimited(trigger) ? this.rateLimiter.freeAt(trigger, nowMs) : nowMs;
      // What is allowed now was allowed at the instant of the request.
      const atMs = freeAt > nowMs ? Math.max(requestedAt, freeAt) : requestedAt;
      if (first === undefined || atMs < first.atMs) first = { trigger, atMs };
    }
    return first;
  }

  #stretchAt(nowMs: number): number {
    return stretchLeft(this.#stretch, nowMs - this.#stretchedAt);
  }
}

function isLimited(trigger: Trigger): trigger is Occasion {
  return trigger !== "technician" && trigger !== "repair";
}
