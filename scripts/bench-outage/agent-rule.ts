import type { AgentError, ErrorCode } from "../../agent/common/errors.ts";
import type { RefreshConfig } from "../../agent/config/config.ts";
import { retryFactsOf, stateWith } from "../../agent/credential/current-credential.ts";
import { type DemandProfile, learn, SLOT_MS, SLOTS } from "../../agent/credential/demand-profile.ts";
import { fractionsOf, relativeSpacing } from "../../agent/credential/demand-spacing.ts";
import { applyResponse, type HeldCredential, lifeOf, restore } from "../../agent/credential/held-credential.ts";
import { RetryState } from "../../agent/credential/retry-state.ts";
import { emptyState, type State } from "../../agent/store/credential.ts";
import { failureWith } from "../../test/support/checks/failures.ts";
import type { Rule } from "./rule.ts";
import { SECOND } from "./trace.ts";

export const DEFAULTS: RefreshConfig = {
  lifetimeS: 3600,
  refreshAt: 0.5,
  refreshAtUnsteady: 0.25,
  demand: "learn",
  staleS: 82_800,
};

/** The wall clock at the start of a trace, and the boot clock when the agent starts. */
export const WALL_AT_START = Date.UTC(2026, 0, 1);
export const BOOT_AT_START = 20 * SECOND;

/** What an agent does besides its defaults. */
export interface AgentOptions {
  /** What it has learned. It goes on believing it, and judges it by `observes`. */
  readonly profile?: DemandProfile;
  /** Reads and SDK calls in each slot of the week. */
  readonly observes?: (slot: number) => number;
  /** Another plan in the place of the policy's: the life after which an authinfo requested then is refreshed, ms. */
  readonly plan?: (sentWallMs: number, outageSeenWallMs: number) => number;
}

/**
 * This agent: the real book of attempts, policy and adoption, asked only when something happens, so that decades fit in
 * a minute. What is left out is the loop that looks every five seconds; `real-refresh-loop.ts` shows that it changes no instant.
 */
export class AgentRule implements Rule {
  readonly #refresh: RefreshConfig;
  readonly #unit: () => number;
  readonly #options: AgentOptions;
  readonly #errors = new Map<ErrorCode, AgentError>();
  #kept: State = emptyState;
  #held: HeldCredential | undefined;
  #retryState = new RetryState(BOOT_AT_START);
  #boots = 0;
  /** Boot clock minus time on the trace. */
  #offset = BOOT_AT_START;
  #authinfos = 0;
  #profile: DemandProfile | undefined;
  /** The first half-hour that has not been observed, counted from the epoch. */
  #toObserve = 0;
  /** The end of the last outage that an attempt has met. */
  #outageSeenWallMs = Number.NEGATIVE_INFINITY;

  constructor(refresh: RefreshConfig, unit: () => number, options: AgentOptions = {}) {
    this.#refresh = refresh;
    this.#unit = unit;
    this.#options = options;
    this.#profile = options.profile;
  }

  boot(atMs: number): void {
    this.#boots++;
    this.#toObserve = Math.ceil((WALL_AT_START + atMs) / SLOT_MS);
    this.#offset = BOOT_AT_START - atMs;
    const now = {
      wall: WALL_AT_START + atMs,
      boot: BOOT_AT_START,
      bootId: `boot-${this.#boots}`,
      wallTrusted: false,
    };
    this.#held = restore(this.#kept, undefined, now, true);
    this.#retryState = new RetryState(now.boot, { facts: retryFactsOf(this.#kept, now) });
    if (this.#held?.anchor.trusted !== true) this.#retryState.request("start", now.boot);
  }

  nextAt(nowMs: number): number {
    const boot = nowMs + this.#offset;
    const decision = this.#retryState.decide(lifeOf(this.#held, boot), boot);
    return decision.do === "refresh" ? nowMs : Math.ceil(decision.untilBootMs) - this.#offset;
  }

  started(nowMs: number): void {
    const boot = nowMs + this.#offset;
    this.#retryState.started(this.#retryState.decide(lifeOf(this.#held, boot), boot).why, boot);
  }

  succeeded(sentMs: number, nowMs: number): void {
    const boot = nowMs + this.#offset;
    const sentWallMs = WALL_AT_START + sentMs;
    this.#judge(sentWallMs);
    const profile = this.#profile;
    if (this.#retryState.failures > 0) this.#outageSeenWallMs = sentWallMs;
    const answer = {
      authinfo: `authinfo-${++this.#authinfos}`,
      signedAtS: Math.floor(sentWallMs / 1_000),
      skewMs: 0,
      baseUrl: "",
      sentBootMs: sentMs + this.#offset,
      sentWallMs,
    };
    const held = applyResponse({ answer, deviceId: "D1" }, this.#held, {
      generation: this.#kept.generation,
      newestSignedAtS: this.#kept.newestSignedAtS,
      bootId: `boot-${this.#boots}`,
      lifetimeMs: this.#refresh.lifetimeS * 1_000,
      fraction: this.#retryState.refreshFraction(this.#refresh, boot),
      chance: this.#unit(),
      bootMs: boot,
      ...(profile === undefined ? {} : { demand: { profile, ...this.#retryState.demandTerms(this.#refresh, boot) } }),
    });
    const refreshAfterMs = this.#options.plan?.(sentWallMs, this.#outageSeenWallMs) ?? held.refreshAfterMs;
    this.#held = { ...held, refreshAfterMs, credential: { ...held.credential, refreshAfterMs }, persisted: true };
    const wall = WALL_AT_START + nowMs;
    this.#kept = stateWith(this.#kept, this.#held.credential, {
      newestSignedAtS: answer.signedAtS,
      now: { wall, boot },
      ...this.#retryState.facts(boot),
    });
    this.#retryState.succeeded(boot, lifeOf(this.#held, boot).refreshInMs);
  }

  failed(code: ErrorCode, nowMs: number): void {
    const boot = nowMs + this.#offset;
    const remaining = lifeOf(this.#held, boot)?.remainingMs;
    this.#retryState.failed(this.#error(code), { boot, wall: WALL_AT_START + nowMs }, remaining, this.#unit);
  }

  linkChanged(nowMs: number): void {
    const boot = nowMs + this.#offset;
    this.#retryState.networkChanged(lifeOf(this.#held, boot), boot, this.#unit);
  }

  /** What the profile was worth in the half-hours that have passed. Its trades stay: relearning is not what is measured. */
  #judge(nowWallMs: number): void {
    const { profile, observes } = this.#options;
    if (profile === undefined || observes === undefined) return;
    const terms = { lifetimeMs: this.#refresh.lifetimeS * 1_000, ...fractionsOf(this.#refresh) };
    let judged = this.#profile ?? profile;
    for (; (this.#toObserve + 1) * SLOT_MS <= nowWallMs; this.#toObserve++) {
      const slot = this.#toObserve % SLOTS;
      const relative = relativeSpacing(profile, terms, slot);
      judged = { ...learn(judged, slot, observes(slot), relative), trades: profile.trades };
    }
    this.#profile = judged;
  }

  /** One error of a kind serves all: a stack trace costs more than an hour of virtual time. */
  #error(code: ErrorCode): AgentError {
    const known = this.#errors.get(code) ?? failureWith(code);
    this.#errors.set(code, known);
    return known;
  }
}
