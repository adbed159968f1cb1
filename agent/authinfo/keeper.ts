import type { DriverEvent } from "../../drivers/driver.ts";
import type { Clock } from "../clock.ts";
import type { Identity, RefreshConfig } from "../config/config.ts";
import type { Entropy } from "../entropy.ts";
import { AgentError, asAgentError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import type { Store } from "../store/store-types.ts";
import type { Timebase } from "../timebase.ts";
import { adopt } from "./adopt.ts";
import { Allowance } from "./allowance.ts";
import { type Line, obtain } from "./attempt.ts";
import { ClockFault } from "./clock-fault.ts";
import { History, type StateChange } from "./history.ts";
import { type Held, lifeOf, meaningFor, nextBoundaryMs, takeUp, viewOf } from "./holding.ts";
import { Joiners } from "./joiners.ts";
import type { AuthinfoView, Cause, Keeper, Rejection } from "./keeper-types.ts";
import { Pacing, type PacingMemory } from "./pacing.ts";
import type { Decision, RefreshReason, Situation } from "./policy.ts";
import { Safekeeping } from "./safekeeping.ts";

/** The longest nap: after a suspend, timers are late by its whole length, so nobody relies on a long one. */
const PULSE_MS = 5_000;
/** While a wrong clock is all that stands in the way: five seconds after it is set the authinfo has to be there. */
const CLOCK_FAULT_PULSE_MS = 1_000;

export interface KeeperParts {
  readonly identity: Identity;
  readonly refresh: RefreshConfig;
  /** How long an attempt waits for a bridge that is not ready, ms. */
  readonly bridgeWaitMs: number;
  readonly store: Store;
  readonly timebase: Timebase;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** One call per finished attempt: "ok", or the error code in lower case. */
  readonly onAttempt: (outcome: string) => void;
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
 * Keeps the held authinfo good: asks the policy, acts on its answer, tells the readers. From construction on it serves
 * what the store holds; `run` adds the bridge and WeChat Pay, which may come seconds later.
 */
export class AuthinfoKeeper implements Keeper {
  readonly #parts: KeeperParts;
  readonly #history: History;
  readonly #pacing: Pacing;
  readonly #safekeeping: Safekeeping;
  readonly #allowance: Allowance;
  readonly #listeners = new Set<(view: AuthinfoView) => void>();
  readonly #joiners = new Joiners();
  readonly #clockFault = new ClockFault();
  #held: Held | undefined;
  #line: Line | undefined;
  #lineCause: Cause | undefined;
  #attempting = false;
  #lastSuccessWall: number | undefined;
  #newestSignedAtS: number;
  #pulsedAt: number | undefined;
  #wake: () => void = () => {};
  /** Ends the pulse's present sleep. */
  #hurry: () => void = () => {};

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    const { store, timebase, identity } = parts;
    const { state } = store;
    const now = timebase.now();
    const kept = state.credential;
    if (kept && (identity.deviceId === undefined || identity.deviceId === kept.deviceId)) {
      this.#held = { ...takeUp(kept, now, state), persisted: !store.status().dirty };
    }
    this.#newestSignedAtS = state.newestSignedAtS;
    this.#pacing = new Pacing(now.boot, state.unsteadyUntilWallMs - now.wall, parts.former?.pacing);
    this.#allowance = parts.former?.allowance ?? new Allowance();
    if (this.#held?.rejected) this.#pacing.urge(now.boot);
    this.#safekeeping = new Safekeeping(store, parts.clock, parts.log, (credential) => {
      if (this.#held?.credential !== credential) return;
      this.#held = { ...this.#held, persisted: true };
      this.#changed();
    });
    this.#history = new History(this.view());
    // Read, but not sure to be found once more: announced as persisted when it is.
    if (store.status().dirty) this.#safekeeping.forget(state);
  }

  view(): AuthinfoView {
    return viewOf(this.#held, {
      bootMs: this.#parts.clock.boot(),
      trying: this.#attempting || this.#pacing.failures > 0,
      staleMs: this.#parts.refresh.staleS * 1_000,
      cause: this.#pacing.cause ?? this.#lineProblem(),
    });
  }

  retryAfterS(): number {
    if (this.#attempting) return 1;
    const now = this.#parts.clock.boot();
    const next = this.#decide(now);
    return next.do === "wait" ? Math.max(1, Math.ceil((next.untilBootMs - now) / 1_000)) : 1;
  }

  status(): KeeperStatus {
    const next = this.#decide();
    const { clock } = this.#parts;
    const nextAtWallMs = next.do === "refresh" ? clock.wall() : clock.wall() + next.untilBootMs - clock.boot();
    return {
      attempting: this.#attempting,
      failures: this.#pacing.failures,
      next: { why: next.why, atWallMs: nextAtWallMs },
      ...(this.#lastSuccessWall === undefined ? {} : { lastSuccessWallMs: this.#lastSuccessWall }),
      unsteady: this.#pacing.unsteadyLeftMs(clock.boot()) > 0,
      history: this.#history.entries(),
    };
  }

  /** What the keeper after a reload has to know besides the state. To be asked when `run` has ended. */
  memory(): KeeperMemory {
    return { pacing: this.#pacing.memory(), allowance: this.#allowance };
  }

  /** False when the loop that watches time has stood still for long: something blocks this process. */
  turning(): boolean {
    return this.#pulsedAt === undefined || this.#parts.clock.boot() - this.#pulsedAt < 6 * PULSE_MS;
  }

  /** To be called when an interface, an address or a MAC of this terminal has changed. */
  networkChanged(): void {
    const { clock, entropy, log } = this.#parts;
    const now = clock.boot();
    this.#pacing.networkChanged(this.#heldAt(now), now, () => entropy.unit());
    const next = this.#decide();
    log.info("NETWORK_CHANGED", {
      attempt_in_s: next.do === "wait" ? Math.round((next.untilBootMs - now) / 1_000) : 0,
    });
    this.#wake();
  }

  /** To be called when keys, certificates or tokens have been replaced: what was refused with the former ones may be granted now. */
  credentialsRenewed(): void {
    if (this.#pacing.failures > 0) this.#urge(this.#parts.clock.boot());
  }

  subscribe(listener: (view: AuthinfoView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reject(rejection: Rejection): "renewing" | "limited" | "outdated" {
    const held = this.#held;
    if (held === undefined || held.credential.generation !== rejection.generation) return "outdated";
    const now = this.#parts.clock.boot();
    if (held.rejected) return this.#pacing.urgedAfter(now) ? "limited" : "renewing";
    const freeAt = this.#allowance.freeAt(now);
    this.#allowance.spend(freeAt);
    this.#held = { ...held, rejected: true };
    this.#safekeeping.forget({ ...this.#parts.store.state, rejectedGeneration: rejection.generation });
    this.#parts.log.warn("AUTHINFO_REJECTED", { ...rejection, renewing_in_s: Math.ceil((freeAt - now) / 1_000) });
    this.#urge(freeAt);
    this.#changed();
    return freeAt > now ? "limited" : "renewing";
  }

  async refresh(signal: AbortSignal): Promise<AuthinfoView> {
    const now = this.#parts.clock.boot();
    const heldForS = this.#pacing.heldOffS(now);
    if (!this.#attempting && heldForS > 0) {
      throw new AgentError("PAY_RATE_LIMITED", `WeChat Pay asked to wait ${heldForS} s more`, {
        context: { heldForS },
      });
    }
    if (!this.#attempting) this.#urge(now);
    await this.#joiners.join(signal);
    return this.view();
  }

  /** Runs until the signal aborts; never rejects for a reason outside this process. */
  async run(line: Line, signal: AbortSignal): Promise<void> {
    this.#line = line;
    const unsubscribe = line.driver.subscribe((event) => this.#onDriver(event));
    try {
      await Promise.all([this.#attend(line, signal), this.#pulse(signal)]);
    } finally {
      unsubscribe();
    }
  }

  async #attend(line: Line, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const decision = this.#decide();
      if (decision.do === "refresh") await this.#attempt(line, decision, signal);
      else await this.#nap(decision.untilBootMs - this.#parts.clock.boot(), signal);
    }
  }

  /** Time alone changes states, and clocks are set: looked at when the next change is due, and every few seconds. */
  async #pulse(signal: AbortSignal): Promise<void> {
    const { clock, timebase, refresh, log, store } = this.#parts;
    while (!signal.aborted) {
      const boundary = nextBoundaryMs(this.#held, clock.boot(), refresh.staleS * 1_000) ?? PULSE_MS;
      const longest = this.#clockFault.stands ? CLOCK_FAULT_PULSE_MS : PULSE_MS;
      const hurried = new AbortController();
      this.#hurry = () => hurried.abort();
      // One more millisecond: a timer may fire a fraction early, and the look must find the change.
      await clock
        .sleep(Math.min(boundary + 1, longest), AbortSignal.any([signal, hurried.signal]))
        .catch(() => undefined);
      this.#pulsedAt = clock.boot();
      const { steppedMs, becameTrusted } = timebase.observe();
      if (steppedMs !== 0) log.warn("CLOCK_STEPPED", { stepped_ms: Math.round(steppedMs) });
      if (this.#clockFault.isMended(timebase.now())) this.#urge(clock.boot());
      if ((steppedMs !== 0 || becameTrusted) && this.#held?.anchor.trusted === false) {
        const again = takeUp(this.#held.credential, timebase.now(), store.state);
        this.#held = { ...this.#held, anchor: again.anchor };
      }
      this.#safekeeping.tend();
      this.#changed();
      this.#wake();
    }
  }

  async #nap(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#parts.clock
      .sleep(Math.min(Math.max(ms, 0), PULSE_MS), AbortSignal.any([signal, woken.signal]))
      .catch(() => undefined);
    this.#wake = () => {};
  }

  async #attempt(line: Line, { why }: Decision, signal: AbortSignal): Promise<void> {
    const { clock, log, identity, timebase } = this.#parts;
    this.#attempting = true;
    this.#pacing.started();
    this.#clockFault.ask(timebase.now());
    this.#changed();
    let failure: AgentError | undefined;
    try {
      const obtained = await obtain(line, {
        ...(identity.deviceId === undefined ? {} : { configuredDeviceId: identity.deviceId }),
        bridgeWaitMs: this.#parts.bridgeWaitMs,
        planned: why === "planned",
        newestSignedAtS: this.#newestSignedAtS,
        clock,
        signal,
      });
      const { answer } = obtained;
      timebase.confirm(answer.skewMs);
      this.#newestSignedAtS = Math.max(this.#newestSignedAtS, answer.signedAtS);
      const { entropy, refresh, store } = this.#parts;
      const adopted = adopt(obtained, this.#held, {
        generation: store.state.generation,
        bootId: timebase.now().bootId,
        lifetimeMs: refresh.lifetimeS * 1_000,
        fraction: this.#pacing.refreshFraction(refresh, clock.boot()),
        chance: entropy.unit(),
        bootMs: clock.boot(),
      });
      const persisted = adopted.write ? await this.#keep(adopted.held) : adopted.held.persisted;
      this.#held = { ...adopted.held, persisted };
      this.#succeeded(why);
    } catch (error) {
      if (signal.aborted) {
        failure = new AgentError("BRIDGE_CLOSED", "The agent is stopping");
        this.#pacing.interrupted(clock.boot());
      } else {
        failure = asAgentError(error);
        this.#failed(failure, why);
      }
    } finally {
      this.#attempting = false;
      if (!signal.aborted) log.debug("ATTEMPT_ENDED", { why, outcome: failure?.code ?? "ok" });
      this.#changed();
      this.#joiners.tell(failure);
    }
  }

  /** Writes first, announces after; a slow or broken disk holds the authinfo back for two seconds at most. */
  #keep(held: Held): Promise<boolean> {
    const { clock, store } = this.#parts;
    const { credential } = held;
    const wall = clock.wall();
    return this.#safekeeping.keep({
      ...store.state,
      generation: Math.max(store.state.generation, credential.generation),
      credential,
      newestSignedAtS: this.#newestSignedAtS,
      wallFloorMs: Math.max(store.state.wallFloorMs, wall),
      unsteadyUntilWallMs: wall + this.#pacing.unsteadyLeftMs(clock.boot()),
    });
  }

  #succeeded(why: string): void {
    const { log, clock, onAttempt } = this.#parts;
    const { failures, cause } = this.#pacing;
    if (failures > 0) log.info("RECOVERED", { after_failures: failures, cause: cause?.code });
    this.#pacing.succeeded(clock.boot());
    this.#clockFault.clear();
    this.#lastSuccessWall = clock.wall();
    log.info("AUTHINFO_OBTAINED", { generation: this.#held?.credential.generation, why });
    onAttempt("ok");
  }

  #failed(error: AgentError, why: string): void {
    const { clock, entropy, log, onAttempt, timebase } = this.#parts;
    const { rule, context } = error;
    if (typeof context.skewMs === "number") timebase.confirm(context.skewMs);
    const now = { boot: clock.boot(), wall: clock.wall() };
    const remaining = this.#held && lifeOf(this.#held, now.boot).remainingMs;
    const another = this.#pacing.failed(error, now, remaining, () => entropy.unit());
    if (rule.clock !== true) this.#clockFault.clear();
    else {
      if (this.#clockFault.blame(now)) this.#urge(now.boot);
      this.#hurry();
    }
    // An outage is told once for each cause, not at each attempt (contract 9).
    const level = another ? "warn" : "debug";
    log[level]("REFRESH_FAILED", { cause: error.code, detail: error.message, why, remedy: rule.remedy });
    onAttempt(error.code.toLowerCase());
  }

  #onDriver(event: DriverEvent): void {
    if (event.type === "lost") return;
    const { clock, log, store } = this.#parts;
    const held = this.#held;
    const meaning = held && meaningFor(held, event.identity);
    if (held && meaning === "another_device") {
      log.warn("DEVICE_CHANGED", { was: held.credential.deviceId, is: event.identity.deviceId });
      this.#held = undefined;
      const { credential: _dropped, ...rest } = store.state;
      this.#safekeeping.forget(rest);
    }
    if (meaning) this.#urge(clock.boot());
    if (event.type === "ready" && /^(BRIDGE|SDK|DEVICE)_/.test(this.#pacing.cause?.code ?? "")) {
      this.#urge(this.#parts.clock.boot());
    }
    this.#changed();
  }

  #urge(atBootMs: number): void {
    this.#pacing.urge(atBootMs);
    this.#wake();
  }

  #decide(now: number = this.#parts.clock.boot()): Decision {
    return this.#pacing.decide(this.#heldAt(now), now);
  }

  #heldAt(bootMs: number): Situation["held"] {
    return this.#held && { ...lifeOf(this.#held, bootMs), ageUnknown: !this.#held.anchor.trusted };
  }

  /** Before the first attempt has ended, the line's own problem says why there is no authinfo. */
  #lineProblem(): Cause | undefined {
    const problem = this.#held === undefined ? this.#line?.driver.status().problem : undefined;
    if (problem && this.#lineCause?.code !== problem.code) {
      this.#lineCause = { ...problem, sinceWallMs: this.#parts.clock.wall() };
    }
    return problem && this.#lineCause;
  }

  #changed(): void {
    const view = this.view();
    if (!this.#history.note(view, this.#parts.clock.wall())) return;
    this.#parts.log.info("AUTHINFO_STATE", {
      state: view.state,
      generation: view.credential?.generation,
      persisted: view.persisted,
      remaining_s: Math.floor(view.remainingMs / 1_000),
    });
    for (const listener of [...this.#listeners]) listener(view);
  }
}
