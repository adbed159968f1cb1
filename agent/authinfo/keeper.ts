import { AgentError } from "../errors.ts";
import type { Store } from "../store/store-types.ts";
import { Allowance } from "./allowance.ts";
import type { Line } from "./attempt.ts";
import type { StateChange } from "./history.ts";
import { Holder } from "./holder.ts";
import { situationOf, takeUpKept } from "./holding.ts";
import type { AuthinfoView, Keeper, Rejection } from "./keeper-types.ts";
import { Pacing, type PacingMemory } from "./pacing.ts";
import { type RefreshReason, waitMs } from "./policy.ts";
import { Renewal, type RenewalParts } from "./renewal.ts";

export interface KeeperParts extends RenewalParts {
  readonly store: Store;
  /** Of the keeper before a reload. */
  readonly former?: KeeperMemory;
}

export interface KeeperMemory {
  readonly pacing: PacingMemory;
  readonly allowance: Allowance;
}

export interface KeeperStatus {
  readonly attempting: boolean;
  readonly failures: number;
  readonly next: { readonly why: RefreshReason; readonly atWallMs: number };
  readonly lastSuccessWallMs?: number;
  readonly unsteady: boolean;
  readonly history: readonly StateChange[];
}

/**
 * Keeps the held authinfo good, and answers for it. From construction on it serves what the store holds; `run` adds the
 * bridge and WeChat Pay, which may come seconds later.
 */
export class AuthinfoKeeper implements Keeper {
  readonly #parts: KeeperParts;
  readonly #holder: Holder;
  readonly #pacing: Pacing;
  readonly #renewal: Renewal;
  readonly #allowance: Allowance;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    const { store, timebase, identity, clock, log, refresh, former } = parts;
    const now = timebase.now();
    const held = takeUpKept(store.state, identity.deviceId, now, !store.status().dirty);
    const around = () => this.#renewal.around();
    this.#holder = new Holder({ store, clock, timebase, log, staleMs: refresh.staleS * 1_000, around }, held);
    this.#pacing = new Pacing(now.boot, store.state.unsteadyUntilWallMs - now.wall, former?.pacing);
    this.#renewal = new Renewal(parts, this.#holder, this.#pacing);
    this.#allowance = former?.allowance ?? new Allowance();
    if (held?.rejected) this.#renewal.urge(now.boot);
  }

  view(): AuthinfoView {
    return this.#holder.view();
  }

  retryAfterS(): number {
    if (this.#renewal.attempting) return 1;
    const now = this.#parts.clock.boot();
    return Math.max(1, Math.ceil(waitMs(this.#renewal.decide(now), now) / 1_000));
  }

  status(): KeeperStatus {
    const { clock } = this.#parts;
    const now = clock.boot();
    const next = this.#renewal.decide(now);
    const { attempting, lastSuccessWallMs } = this.#renewal;
    return {
      attempting,
      failures: this.#pacing.failures,
      next: { why: next.why, atWallMs: clock.wall() + waitMs(next, now) },
      ...(lastSuccessWallMs === undefined ? {} : { lastSuccessWallMs }),
      unsteady: this.#pacing.unsteadyLeftMs(now) > 0,
      history: this.#holder.history,
    };
  }

  /** What the keeper after a reload has to know besides the state. To be asked when `run` has ended. */
  memory(): KeeperMemory {
    return { pacing: this.#pacing.memory(), allowance: this.#allowance };
  }

  /** False when the loop that watches time has stood still for long: something blocks this process. */
  turning(): boolean {
    return this.#renewal.turning();
  }

  /** To be called when an interface, an address or a MAC of this terminal has changed. */
  networkChanged(): void {
    const { clock, entropy, log } = this.#parts;
    const now = clock.boot();
    this.#pacing.networkChanged(situationOf(this.#holder.held, now), now, () => entropy.unit());
    log.info("NETWORK_CHANGED", { attempt_in_s: Math.round(waitMs(this.#renewal.decide(now), now) / 1_000) });
    this.#renewal.look();
  }

  /** To be called when keys, certificates or tokens have been replaced: what was refused with the former ones may be granted now. */
  credentialsRenewed(): void {
    if (this.#pacing.failures > 0) this.#renewal.urge(this.#parts.clock.boot());
  }

  subscribe(listener: (view: AuthinfoView) => void): () => void {
    return this.#holder.subscribe(listener);
  }

  reject(rejection: Rejection): "renewing" | "limited" | "outdated" {
    const { held } = this.#holder;
    if (held === undefined || held.credential.generation !== rejection.generation) return "outdated";
    const now = this.#parts.clock.boot();
    if (held.rejected) return this.#pacing.urgedAfter(now) ? "limited" : "renewing";
    const freeAt = this.#allowance.freeAt(now);
    this.#allowance.spend(freeAt);
    this.#holder.refuse(held);
    this.#parts.log.warn("AUTHINFO_REJECTED", { ...rejection, renewing_in_s: Math.ceil((freeAt - now) / 1_000) });
    this.#renewal.urge(freeAt);
    this.#holder.announce();
    return freeAt > now ? "limited" : "renewing";
  }

  async refresh(signal: AbortSignal): Promise<AuthinfoView> {
    const now = this.#parts.clock.boot();
    const heldForS = this.#pacing.heldOffS(now);
    if (!this.#renewal.attempting && heldForS > 0) {
      throw new AgentError("PAY_RATE_LIMITED.held", { seconds: heldForS });
    }
    if (!this.#renewal.attempting) this.#renewal.urge(now);
    await this.#renewal.join(signal);
    return this.view();
  }

  /** Runs until the signal aborts; never rejects for a reason outside this process. */
  run(line: Line, signal: AbortSignal): Promise<void> {
    return this.#renewal.run(line, signal);
  }
}
