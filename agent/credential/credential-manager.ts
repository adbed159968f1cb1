import { AgentError } from "../common/errors.ts";
import type { Store } from "../store/store-types.ts";
import type { AuthinfoView, Cause, CredentialService, Rejection } from "./credential-types.ts";
import { CurrentCredential, retryFactsOf } from "./current-credential.ts";
import { DemandMeter, type DemandStatus, demandStatus } from "./demand-meter.ts";
import type { CredentialSources } from "./fetch-credential.ts";
import { lifeOf, viewOf } from "./held-credential.ts";
import type { Occasion } from "./rate-limiter.ts";
import { RefreshLoop, type RefreshLoopParts } from "./refresh-loop.ts";
import { type RefreshReason, waitMs } from "./refresh-policy.ts";
import { RetryState, type RetryStateOptions } from "./retry-state.ts";

export interface CredentialManagerParts
  extends Omit<RefreshLoopParts, "demand">,
    Pick<RetryStateOptions, "former" | "keepsRetryAfter"> {
  readonly store: Store;
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
  /** Absent when demand is not to be followed. */
  readonly demand?: DemandStatus;
}

export interface StateChange {
  readonly atWallMs: number;
  readonly from: string;
  readonly to: string;
  readonly generation: number;
  readonly code?: string;
}

/** How many state changes are kept for the status. */
const HISTORY = 20;

/**
 * Keeps the credential valid and answers for it. From construction on it serves what the store holds; `run` adds the
 * bridge and WeChat Pay, which may come seconds later.
 */
export class CredentialManager implements CredentialService {
  /** For the manager after a reload. To be taken when `run` has ended. */
  readonly retryState: RetryState;
  readonly #parts: CredentialManagerParts;
  readonly #current: CurrentCredential;
  readonly #refreshLoop: RefreshLoop;
  readonly #demand: DemandMeter | undefined;
  readonly #listeners = new Set<(view: AuthinfoView) => void>();
  readonly #history: StateChange[] = [];
  #announced: AuthinfoView;
  #driver: CredentialSources["driver"] | undefined;
  #lineCause: Cause | undefined;

  constructor(parts: CredentialManagerParts) {
    const { store, clock, clockSync, log, identity, former, keepsRetryAfter } = parts;
    const announce = () => this.#announce();
    this.#parts = parts;
    this.#current = new CurrentCredential({ store, clock, clockSync, log, onPersisted: announce }, identity.deviceId);
    const now = clockSync.now();
    const facts = retryFactsOf(store.state, now);
    this.retryState = new RetryState(now.boot, { facts, former, keepsRetryAfter });
    this.#demand = parts.refresh.demand === "learn" ? new DemandMeter(parts.refresh, store.state.demand) : undefined;
    this.#refreshLoop = new RefreshLoop({ ...parts, demand: this.#demand }, this.#current, this.retryState, announce);
    const { held } = this.#current;
    this.#announced = this.view();
    if (held?.anchor.trusted !== true) this.#refreshLoop.request("start");
    else if (held.rejected) this.#refreshLoop.request("rejection");
  }

  view(): AuthinfoView {
    const { clock, refresh } = this.#parts;
    return viewOf(this.#current.held, {
      bootMs: clock.boot(),
      staleMs: refresh.staleS * 1_000,
      trying: this.#refreshLoop.attempting || this.retryState.failures > 0,
      cause: this.retryState.cause ?? this.#lineProblem(),
    });
  }

  /** Before the first attempt has ended, the line's own problem says why there is no authinfo. */
  #lineProblem(): Cause | undefined {
    const problem = this.#current.held === undefined ? this.#driver?.status().problem : undefined;
    if (problem && this.#lineCause?.code !== problem.code) {
      this.#lineCause = { ...problem, sinceWallMs: this.#parts.clock.wall() };
    }
    return problem && this.#lineCause;
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
    const unsteadyMs = this.retryState.unsteadySinceMs(now);
    return {
      attempting,
      failures: this.retryState.failures,
      next: { why: next.why, atWallMs: clock.wall() + waitMs(next, now) },
      ...(lastSuccessWallMs === undefined ? {} : { lastSuccessWallMs }),
      ...(unsteadyMs === undefined ? {} : { unsteadySinceWallMs: Math.round(clock.wall() + unsteadyMs - now) }),
      excessive: this.retryState.rateLimiter.excessive(now),
      history: this.#history,
      ...(this.#demand === undefined ? {} : { demand: demandStatus(this.#demand.profile) }),
    };
  }

  /** False when the loop that watches time has stood still for long: something blocks this process. */
  isAlive(): boolean {
    return this.#refreshLoop.isAlive();
  }

  /** To be called when an interface, an address or a MAC of this terminal has changed. */
  networkChanged(): void {
    const { clock, random, log } = this.#parts;
    const now = clock.boot();
    this.retryState.rateLimiter.note("link", now);
    this.retryState.networkChanged(lifeOf(this.#current.held, now), now, () => random.unit());
    log.info("NETWORK_CHANGED", { attempt_in_s: Math.round(waitMs(this.#refreshLoop.decide(now), now) / 1_000) });
    this.#refreshLoop.wake();
  }

  /** To be called when keys, certificates or tokens have been replaced: what was refused with the former ones may be granted now. */
  secretsRenewed(): void {
    this.retryState.rateLimiter.note("keys", this.#parts.clock.boot());
    if (this.retryState.failures > 0) this.#refreshLoop.request("keys");
  }

  used(): void {
    this.#demand?.used();
  }

  subscribe(listener: (view: AuthinfoView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reject(rejection: Rejection): "renewing" | "limited" | "outdated" {
    const { held } = this.#current;
    if (held === undefined || held.credential.generation !== rejection.generation) return "outdated";
    const now = this.#parts.clock.boot();
    if (held.rejected) return this.retryState.isDelayed(now) ? "limited" : "renewing";
    const freeAt = this.retryState.rateLimiter.freeAt("rejection", now);
    this.#current.markRejected();
    this.#parts.log.warn("AUTHINFO_REJECTED", { ...rejection, renewing_in_s: Math.ceil((freeAt - now) / 1_000) });
    this.#refreshLoop.request("rejection");
    this.#announce();
    return freeAt > now ? "limited" : "renewing";
  }

  async refresh(signal: AbortSignal): Promise<AuthinfoView> {
    if (!this.#refreshLoop.attempting) {
      const seconds = this.retryState.heldOffS(this.#parts.clock.boot());
      if (seconds > 0) throw new AgentError("PAY_RATE_LIMITED.held", { seconds });
      this.#refreshLoop.request("technician");
    }
    await this.#refreshLoop.join(signal);
    return this.view();
  }

  /** Runs until the signal aborts; never rejects for a reason outside this process. */
  run(sources: CredentialSources, signal: AbortSignal): Promise<void> {
    this.#driver = sources.driver;
    return this.#refreshLoop.run(sources, signal);
  }

  /** Tells the listeners when there is anything new to them. */
  #announce(): void {
    const view = this.view();
    const before = this.#announced;
    const isChange = signature(view) !== signature(before);
    // In a long outage the cause may change at every attempt: listeners are told, but it is no change of state.
    if (!isChange && view.cause?.code === before.cause?.code) return;
    this.#announced = view;
    if (isChange) this.#record(before.state, view);
    for (const listener of [...this.#listeners]) listener(view);
  }

  #record(from: string, { state, credential, persisted, cause, remainingMs }: AuthinfoView): void {
    const { clock, log } = this.#parts;
    const generation = credential?.generation;
    const change = { atWallMs: clock.wall(), from, to: state, generation: generation ?? 0 };
    this.#history.push(cause === undefined ? change : { ...change, code: cause.code });
    if (this.#history.length > HISTORY) this.#history.shift();
    log.info("AUTHINFO_STATE", { state, generation, persisted, remaining_s: Math.floor(remainingMs / 1_000) });
  }
}

/** What a reader sees besides the passing of time. */
function signature({ state, credential, persisted, clockTrusted, cause }: AuthinfoView): string {
  // Without an authinfo to serve, the reason is what the reader shows.
  const reason = state === "absent" || state === "expired" ? cause?.code : undefined;
  const life = credential && `${credential.generation}@${credential.obtainedWallMs}+${credential.lifetimeMs}`;
  return [state, life, persisted, clockTrusted, reason].join("|");
}
