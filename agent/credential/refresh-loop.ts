import type { DriverEvent } from "../../drivers/sdk/driver.ts";
import { type Clock, withDeadline } from "../common/clock.ts";
import type { ClockSync } from "../common/clock-sync.ts";
import { AgentError, asAgentError } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import type { Random } from "../common/random.ts";
import type { Identity, RefreshConfig } from "../config/config.ts";
import { applyResponse } from "./apply-response.ts";
import { ClockFault } from "./clock-fault.ts";
import type { Cause } from "./credential-types.ts";
import type { CurrentCredential } from "./current-credential.ts";
import { type AttemptTimes, type CredentialSources, fetchCredential } from "./fetch-credential.ts";
import { asksFor, lifeOf, PULSE_MS, situationOf, type ViewContext } from "./held-credential.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { type Decision, type RefreshReason, waitMs } from "./refresh-policy.ts";
import type { RetryState, Wisher } from "./retry-state.ts";
import { SingleFlight } from "./single-flight.ts";

export interface RefreshLoopParts {
  readonly identity: Identity;
  readonly refresh: RefreshConfig;
  readonly times: AttemptTimes;
  readonly clockSync: ClockSync;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** One call per finished attempt: "ok", or the error code in lower case. */
  readonly onAttempt: (outcome: string) => void;
}

type Greeting = Exclude<DriverEvent, { type: "lost" }>;

/** Before an attempt the second that keeps it from the last one, after it a slow disk (2 s); more only while the agent is still starting. */
const AROUND_ATTEMPT_MS = 5_000;

/** How the next authinfo is come by: asks the policy, acts on its answer, and looks at the clocks meanwhile. */
export class RefreshLoop {
  readonly #parts: RefreshLoopParts;
  readonly #current: CurrentCredential;
  readonly #retryState: RetryState;
  readonly #allowance: RateLimiter;
  readonly #singleFlight = new SingleFlight();
  readonly #clockFault = new ClockFault();
  #sources: CredentialSources | undefined;
  #lineCause: Cause | undefined;
  #attempting = false;
  #lastSuccessWallMs: number | undefined;
  /** What the bridge has said of itself last. */
  #heard: Greeting | undefined;
  #pulsedAt: number | undefined;
  /** Ends the present nap between two attempts. */
  #wake: () => void = () => {};
  /** Ends the pulse's present sleep. */
  #hurry: () => void = () => {};

  constructor(parts: RefreshLoopParts, current: CurrentCredential, retryState: RetryState, allowance: RateLimiter) {
    this.#allowance = allowance;
    this.#parts = parts;
    this.#current = current;
    this.#retryState = retryState;
  }

  get attempting(): boolean {
    return this.#attempting;
  }

  get lastSuccessWallMs(): number | undefined {
    return this.#lastSuccessWallMs;
  }

  /** What a reader is to know of it. */
  context(): Pick<ViewContext, "trying" | "cause"> {
    return {
      trying: this.#attempting || this.#retryState.failures > 0,
      cause: this.#retryState.cause ?? this.#lineProblem(),
    };
  }

  /** False when the loop that watches time has stood still for long: something blocks this process. */
  isAlive(): boolean {
    return this.#pulsedAt === undefined || this.#parts.clock.boot() - this.#pulsedAt < 6 * PULSE_MS;
  }

  decide(now: number = this.#parts.clock.boot()): Decision {
    return this.#retryState.decide(situationOf(this.#current.held, now), now);
  }

  /** An attempt is wanted out of turn, at once if the allowance has one. */
  wish(who: Wisher): void {
    this.#retryState.wish(who, this.#parts.clock.boot());
    this.look();
  }

  /** What decides on the next attempt may have changed. */
  look(): void {
    this.#wake();
  }

  /** Resolves when the attempt under way, or the next one, has succeeded; rejects with its failure, and in any case within its time. */
  join(signal: AbortSignal): Promise<void> {
    const { times, clock } = this.#parts;
    const late = () => new AgentError("BRIDGE_NOT_READY.starting", {});
    return withDeadline(this.#singleFlight.join(signal), times.attemptMs + AROUND_ATTEMPT_MS, clock, late);
  }

  /** Runs until the signal aborts; never rejects for a reason outside this process. */
  async run(sources: CredentialSources, signal: AbortSignal): Promise<void> {
    this.#sources = sources;
    const unsubscribe = sources.driver.subscribe((event) => this.#onDriver(event));
    try {
      await Promise.all([this.#attend(sources, signal), this.#pulse(signal)]);
    } finally {
      unsubscribe();
      this.#singleFlight.tell(stopping());
    }
  }

  async #attend(sources: CredentialSources, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const decision = this.decide();
      if (decision.do === "refresh") await this.#attempt(sources, decision.why, signal);
      else await this.#nap(waitMs(decision, this.#parts.clock.boot()), signal);
    }
  }

  /** Time alone changes states, and clocks are set: looked at when the next change is due, and every few seconds. */
  async #pulse(signal: AbortSignal): Promise<void> {
    const { clock, clockSync, log } = this.#parts;
    while (!signal.aborted) {
      const hurried = new AbortController();
      this.#hurry = () => hurried.abort();
      await clock
        .sleep(this.#current.nextLookMs(this.#clockFault.stands), AbortSignal.any([signal, hurried.signal]))
        .catch(() => undefined);
      this.#pulsedAt = clock.boot();
      const { steppedMs, becameTrusted } = clockSync.observe();
      if (steppedMs !== 0) this.#allowance.see("clock", clock.boot());
      if (steppedMs !== 0) log.warn("CLOCK_STEPPED", { stepped_ms: Math.round(steppedMs) });
      if (this.#clockFault.isMended(clockSync.now())) this.wish("clock");
      if (steppedMs !== 0 || becameTrusted) this.#current.rebase(clockSync.now());
      this.#current.flush();
      this.#current.announce();
      this.#wake();
    }
  }

  async #nap(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#parts.clock
      .sleep(Math.min(ms, PULSE_MS), AbortSignal.any([signal, woken.signal]))
      .catch(() => undefined);
    this.#wake = () => {};
  }

  async #attempt(sources: CredentialSources, why: RefreshReason, signal: AbortSignal): Promise<void> {
    const { clock, log, identity, clockSync, random, refresh } = this.#parts;
    const current = this.#current;
    this.#attempting = true;
    this.#retryState.started(why, clock.boot());
    this.#clockFault.ask(clockSync.now());
    current.announce();
    let failure: AgentError | undefined;
    try {
      const fetched = await fetchCredential(sources, {
        ...(identity.deviceId === undefined ? {} : { configuredDeviceId: identity.deviceId }),
        times: this.#parts.times,
        planned: why === "planned",
        newestSignedAtS: current.newestSignedAtS,
        ...(current.held === undefined ? {} : { held: current.held.credential.authinfo }),
        clock,
        signal,
      });
      const { answer } = fetched;
      clockSync.confirm(answer.skewMs);
      current.verified(answer.signedAtS);
      const applied = applyResponse(fetched, current.held, {
        generation: current.generation,
        bootId: clockSync.now().bootId,
        lifetimeMs: refresh.lifetimeS * 1_000,
        fraction: this.#retryState.refreshFraction(refresh, clock.boot()),
        chance: random.unit(),
        bootMs: clock.boot(),
      });
      await current.take(applied, {
        unsteadyLeftMs: this.#retryState.unsteadyLeftMs(clock.boot()),
        spent: this.#allowance.spent(clock.boot()),
      });
      this.#succeeded(why);
    } catch (error) {
      if (signal.aborted) {
        failure = stopping();
        this.#retryState.interrupted(clock.boot());
      } else {
        failure = asAgentError(error);
        this.#failed(failure, why);
      }
    } finally {
      this.#attempting = false;
      if (!signal.aborted) log.debug("ATTEMPT_ENDED", { why, outcome: failure?.code ?? "ok" });
      if (failure === undefined) this.#follow(this.#heard);
      current.announce();
      this.#singleFlight.tell(failure);
    }
  }

  #succeeded(why: RefreshReason): void {
    const { log, clock, onAttempt } = this.#parts;
    const { failures, cause } = this.#retryState;
    if (failures > 0) log.info("RECOVERED", { after_failures: failures, cause: cause?.code });
    const { held } = this.#current;
    this.#retryState.succeeded(clock.boot(), held === undefined ? 0 : lifeOf(held, clock.boot()).refreshInMs);
    this.#clockFault.clear();
    this.#lastSuccessWallMs = clock.wall();
    log.info("AUTHINFO_OBTAINED", { generation: held?.credential.generation, why });
    onAttempt("ok");
  }

  #failed(error: AgentError, why: RefreshReason): void {
    const { clock, random, log, onAttempt, clockSync } = this.#parts;
    const { rule, context } = error;
    if (typeof context.skewMs === "number") clockSync.confirm(context.skewMs);
    const now = { boot: clock.boot(), wall: clock.wall() };
    const { held } = this.#current;
    const remaining = held && lifeOf(held, now.boot).remainingMs;
    const another = this.#retryState.failed(error, now, remaining, () => random.unit());
    if (rule.clock !== true) this.#clockFault.clear();
    else {
      if (this.#clockFault.blame(now)) this.wish("clock");
      this.#hurry();
    }
    // An outage is told once for each cause, not at each attempt (specification 9).
    const level = another ? "warn" : "debug";
    log[level]("REFRESH_FAILED", { cause: error.code, params: error.params, why, remedy: rule.remedy });
    onAttempt(error.code.toLowerCase());
  }

  #onDriver(event: DriverEvent): void {
    if (event.type === "lost") return;
    const now = this.#parts.clock.boot();
    // The first one is the opening of the line.
    if (event.type === "ready" && this.#heard !== undefined) this.#allowance.see("bridge", now);
    if (event.type === "changed" && event.what.includes("device")) this.#allowance.see("device", now);
    if (event.type === "changed" && event.what.includes("network")) this.#allowance.see("network_card", now);
    this.#heard = event;
    this.#follow(event);
    this.#current.announce();
  }

  /** Does what the bridge's word asks for. An attempt under way takes it up by itself, so that renewing is only looked at when it is over. */
  #follow(event: Greeting | undefined): void {
    if (event === undefined) return;
    const { held } = this.#current;
    const { drop, renew } = asksFor(event, held, this.#retryState.cause);
    if (drop) {
      this.#parts.log.warn("DEVICE_CHANGED", { was: held?.credential.deviceId, is: event.identity.deviceId });
      this.#current.drop();
    }
    if (renew === undefined || this.#attempting) return;
    if (renew === "bridge") this.#retryState.fixed(this.#parts.clock.boot());
    else this.#retryState.wish(renew, this.#parts.clock.boot());
    this.look();
  }

  /** Before the first attempt has ended, the line's own problem says why there is no authinfo. */
  #lineProblem(): Cause | undefined {
    const problem = this.#current.held === undefined ? this.#sources?.driver.status().problem : undefined;
    if (problem && this.#lineCause?.code !== problem.code) {
      this.#lineCause = { ...problem, sinceWallMs: this.#parts.clock.wall() };
    }
    return problem && this.#lineCause;
  }
}

function stopping(): AgentError {
  return new AgentError("BRIDGE_CLOSED.stopping", {});
}
