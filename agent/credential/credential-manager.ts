import { AgentError } from "../common/errors.ts";
import type { Store } from "../store/store-types.ts";
import type { AuthinfoView, CredentialService, Rejection } from "./credential-types.ts";
import { CurrentCredential } from "./current-credential.ts";
import type { CredentialSources } from "./fetch-credential.ts";
import { restoreKept, situationOf, spentBefore } from "./held-credential.ts";
import type { StateChange } from "./history.ts";
import { type Occasion, RateLimiter } from "./rate-limiter.ts";
import { RefreshLoop, type RefreshLoopParts } from "./refresh-loop.ts";
import { type RefreshReason, waitMs } from "./refresh-policy.ts";
import { type RetryMemory, RetryState } from "./retry-state.ts";

export interface CredentialManagerParts extends RefreshLoopParts {
  readonly store: Store;
  /** Of the manager before a reload. */
  readonly former?: CredentialManagerMemory;
}

export interface CredentialManagerMemory {
  readonly retryState: RetryMemory;
  readonly allowance: RateLimiter;
}

export interface CredentialManagerStatus {
  readonly attempting: boolean;
  readonly failures: number;
  readonly next: { readonly why: RefreshReason; readonly atWallMs: number };
  readonly lastSuccessWallMs?: number;
  /** The last sign of an unsteady network within a day. */
  readonly unsteadySinceWallMs?: number;
  /** What comes so often that renewals no longer follow each time. */
  readonly excessive: readonly Occasion[];
  readonly history: readonly StateChange[];
}

/**
 * Keeps the held authinfo good, and answers for it. From construction on it serves what the store holds; `run` adds the
 * bridge and WeChat Pay, which may come seconds later.
 */
export class CredentialManager implements CredentialService {
  readonly #parts: CredentialManagerParts;
  readonly #current: CurrentCredential;
  readonly #retryState: RetryState;
  readonly #refreshLoop: RefreshLoop;
  readonly #allowance: RateLimiter;

  constructor(parts: CredentialManagerParts) {
    this.#parts = parts;
    const { store, clockSync, identity, clock, log, refresh, former } = parts;
    const now = clockSync.now();
    const held = restoreKept(store.state, identity.deviceId, now, !store.status().dirty);
    const context = () => this.#refreshLoop.context();
    this.#current = new CurrentCredential(
      { store, clock, clockSync, log, staleMs: refresh.staleS * 1_000, context },
      held,
    );
    this.#allowance = former?.allowance ?? new RateLimiter(spentBefore(store.state, now));
    const unsteadyLeftMs = store.state.unsteadyUntilWallMs - now.wall;
    this.#retryState = new RetryState(now.boot, unsteadyLeftMs, former?.retryState, this.#allowance);
    this.#refreshLoop = new RefreshLoop(parts, this.#current, this.#retryState, this.#allowance);
    if (held?.anchor.trusted !== true) this.#refreshLoop.wish("start");
    else if (held.rejected) this.#refreshLoop.wish("rejection");
  }

  view(): AuthinfoView {
    return this.#current.view();
  }

  retryAfterS(): number {
    if (this.#refreshLoop.attempting) return 1;
    const now = this.#parts.clock.boot();
    return Math.max(1, Math.ceil(waitMs(this.#refreshLoop.decide(now), now) / 1_000));
  }

  status(): CredentialManagerStatus {
    const { clock } = this.#parts;
    const now = clock.boot();
    const next = this.#refreshLoop.decide(now);
    const { attempting, lastSuccessWallMs } = this.#refreshLoop;
    const unsteadySinceMs = this.#retryState.unsteadySinceMs(now);
    return {
      attempting,
      failures: this.#retryState.failures,
      next: { why: next.why, atWallMs: clock.wall() + waitMs(next, now) },
      ...(lastSuccessWallMs === undefined ? {} : { lastSuccessWallMs }),
      ...(unsteadySinceMs === undefined
        ? {}
        : { unsteadySinceWallMs: Math.round(clock.wall() + unsteadySinceMs - now) }),
      excessive: this.#allowance.excessive(now),
      history: this.#current.history,
    };
  }

  /** What the manager after a reload has to know besides the state. To be asked when `run` has ended. */
  memory(): CredentialManagerMemory {
    return { retryState: this.#retryState.memory(), allowance: this.#allowance };
  }

  /** False when the loop that watches time has stood still for long: something blocks this process. */
  isAlive(): boolean {
    return this.#refreshLoop.isAlive();
  }

  /** To be called when an interface, an address or a MAC of this terminal has changed. */
  networkChanged(): void {
    const { clock, random, log } = this.#parts;
    const now = clock.boot();
    this.#allowance.see("link", now);
    this.#retryState.networkChanged(situationOf(this.#current.held, now), now, () => random.unit());
    log.info("NETWORK_CHANGED", { attempt_in_s: Math.round(waitMs(this.#refreshLoop.decide(now), now) / 1_000) });
    this.#refreshLoop.look();
  }

  /** To be called when keys, certificates or tokens have been replaced: what was refused with the former ones may be granted now. */
  credentialsRenewed(): void {
    this.#allowance.see("keys", this.#parts.clock.boot());
    if (this.#retryState.failures > 0) this.#refreshLoop.wish("keys");
  }

  subscribe(listener: (view: AuthinfoView) => void): () => void {
    return this.#current.subscribe(listener);
  }

  reject(rejection: Rejection): "renewing" | "limited" | "outdated" {
    const { held } = this.#current;
    if (held === undefined || held.credential.generation !== rejection.generation) return "outdated";
    const now = this.#parts.clock.boot();
    if (held.rejected) return this.#retryState.wishedAfter(now) ? "limited" : "renewing";
    const freeAt = this.#allowance.freeAt("rejection", now);
    this.#current.refuse(held);
    this.#parts.log.warn("AUTHINFO_REJECTED", { ...rejection, renewing_in_s: Math.ceil((freeAt - now) / 1_000) });
    this.#refreshLoop.wish("rejection");
    this.#current.announce();
    return freeAt > now ? "limited" : "renewing";
  }

  async refresh(signal: AbortSignal): Promise<AuthinfoView> {
    const now = this.#parts.clock.boot();
    const heldForS = this.#retryState.heldOffS(now);
    if (!this.#refreshLoop.attempting && heldForS > 0) {
      throw new AgentError("PAY_RATE_LIMITED.held", { seconds: heldForS });
    }
    if (!this.#refreshLoop.attempting) this.#refreshLoop.wish("technician");
    await this.#refreshLoop.join(signal);
    return this.view();
  }

  /** Runs until the signal aborts; never rejects for a reason outside this process. */
  run(sources: CredentialSources, signal: AbortSignal): Promise<void> {
    return this.#refreshLoop.run(sources, signal);
  }
}
