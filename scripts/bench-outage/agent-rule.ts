import type { AgentError, ErrorCode } from "../../agent/common/errors.ts";
import type { RefreshConfig } from "../../agent/config/config.ts";
import { retryFactsOf, stateWith } from "../../agent/credential/current-credential.ts";
import { applyResponse, type HeldCredential, lifeOf, restore } from "../../agent/credential/held-credential.ts";
import { RetryState } from "../../agent/credential/retry-state.ts";
import { emptyState, type State } from "../../agent/store/credential.ts";
import { failureWith } from "../../test/support/checks/failures.ts";
import type { Rule } from "./rule.ts";
import { SECOND } from "./trace.ts";

export const DEFAULTS: RefreshConfig = { lifetimeS: 3600, refreshAt: 0.5, refreshAtUnsteady: 0.25, staleS: 82_800 };

/** The wall clock at the start of a trace, and the boot clock when the agent starts. */
export const WALL_AT_START = Date.UTC(2026, 0, 1);
export const BOOT_AT_START = 20 * SECOND;

/**
 * This agent: the real book of attempts, policy and adoption, asked only when something happens, so that decades fit in
 * a minute. What is left out is the loop that looks every five seconds; `real-refresh-loop.ts` shows that it changes no instant.
 */
export class AgentRule implements Rule {
  readonly #refresh: RefreshConfig;
  readonly #unit: () => number;
  readonly #errors = new Map<ErrorCode, AgentError>();
  #kept: State = emptyState;
  #held: HeldCredential | undefined;
  #retryState = new RetryState(BOOT_AT_START);
  #boots = 0;
  /** Boot clock minus time on the trace. */
  #offset = BOOT_AT_START;
  #authinfos = 0;

  constructor(refresh: RefreshConfig, unit: () => number) {
    this.#refresh = refresh;
    this.#unit = unit;
  }

  boot(atMs: number): void {
    this.#boots++;
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
      bootId: `boot-${this.#boots}`,
      lifetimeMs: this.#refresh.lifetimeS * 1_000,
      fraction: this.#retryState.refreshFraction(this.#refresh, boot),
      chance: this.#unit(),
      bootMs: boot,
    });
    this.#held = { ...held, persisted: true };
    const wall = WALL_AT_START + nowMs;
    this.#kept = stateWith(this.#kept, held.credential, {
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

  /** One error of a kind serves all: a stack trace costs more than an hour of virtual time. */
  #error(code: ErrorCode): AgentError {
    const known = this.#errors.get(code) ?? failureWith(code);
    this.#errors.set(code, known);
    return known;
  }
}
