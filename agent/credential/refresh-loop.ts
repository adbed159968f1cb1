import type { DriverEvent } from "../../drivers/sdk/driver.ts";
import { type Clock, withDeadline } from "../common/clock.ts";
import { type ClockSync, type Instant, wallStep } from "../common/clock-sync.ts";
import { AgentError, asAgentError } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import { Nap } from "../common/nap.ts";
import type { Random } from "../common/random.ts";
import type { Identity, RefreshConfig } from "../config/config.ts";
import type { CurrentCredential } from "./current-credential.ts";
import { type DemandMeter, storedDemand } from "./demand-meter.ts";
import { type AttemptTimes, type CredentialSources, fetchCredential } from "./fetch-credential.ts";
import { applyResponse, isRepeated, lifeOf, nextTickMs, TICK_MS } from "./held-credential.ts";
import { bridgeAction, type Decision, type RefreshReason, waitMs } from "./refresh-policy.ts";
import type { RetryState, Trigger } from "./retry-state.ts";

export interface RefreshLoopParts {
  readonly identity: Identity;
  readonly refresh: RefreshConfig;
  readonly times: AttemptTimes;
  readonly clockSync: ClockSync;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Absent when demand is not to be followed. */
  readonly demand?: DemandMeter | undefined;
  /** One call per finished attempt: "ok", or the error code in lower case. */
  readonly onAttempt: (outcome: string) => void;
}

type Hello = Exclude<DriverEvent, { type: "lost" }>;

/** Before an attempt the second that keeps it from the last one, after it a slow disk (2 s); more only while the agent is still starting. */
const AROUND_ATTEMPT_MS = 5_000;

/** Gets the next credential: asks the policy, makes the attempts, and watches the clocks meanwhile. */
export class RefreshLoop {
  readonly #parts: RefreshLoopParts;
  readonly #current: CurrentCredential;
  readonly #retryState: RetryState;
  /** Something that readers see may have changed. */
  readonly #onChange: () => void;
  readonly #nap = new Nap();
  readonly #tick = new Nap();
  /** Settles with the attempt under way, or the next one; all waiters share it. */
  #attemptEnd = Promise.withResolvers<void>();
  #attempting = false;
  #lastSuccessWallMs: number | undefined;
  /** The last `hello` of the bridge. */
  #hello: Hello | undefined;
  #tickedAt: number | undefined;
  /** When an attempt failed because this terminal's clock is wrong, while that lasts. */
  #clockFault: Pick<Instant, "wall" | "boot"> | undefined;

  constructor(parts: RefreshLoopParts, current: CurrentCredential, retryState: RetryState, onChange: () => void) {
    this.#parts = parts;
    this.#current = current;
    this.#retryState = retryState;
    this.#onChange = onChange;
  }

  get attempting(): boolean {
    return this.#attempting;
  }

  get lastSuccessWallMs(): number | undefined {
    return this.#lastSuccessWallMs;
  }

  /** False when the loop that watches time has stood still for long: something blocks this process. */
  isAlive(): boolean {
    return this.#tickedAt === undefined || this.#parts.clock.boot() - this.#tickedAt < 6 * TICK_MS;
  }

  decide(now: number = this.#parts.clock.boot()): Decision {
    return this.#retryState.decide(lifeOf(this.#current.held, now), now);
  }

  /** Requests an attempt out of turn, at once if the rate limit allows one. */
  request(trigger: Trigger): void {
    this.#retryState.request(trigger, this.#parts.clock.boot());
    this.wake();
  }

  /** What decides on the next attempt may have changed. */
  wake(): void {
    this.#nap.end();
  }

  /** Resolves when the attempt under way, or the next one, has succeeded; rejects with its failure, and in any case within its time. */
  join(signal: AbortSignal): Promise<void> {
    const { times, clock } = this.#parts;
    const late = () => new AgentError("BRIDGE_NOT_READY.starting", {});
    return withDeadline(this.#attemptEnd.promise, times.attemptMs + AROUND_ATTEMPT_MS, clock, late, signal);
  }

  /** Runs until the signal aborts; never rejects for a reason outside this process. */
  async run(sources: CredentialSources, signal: AbortSignal): Promise<void> {
    const unsubscribe = sources.driver.subscribe((event) => this.#onDriver(event));
    try {
      await Promise.all([this.#attend(sources, signal), this.#watchTime(signal)]);
    } finally {
      unsubscribe();
      this.#endAttempt(stopping());
    }
  }

  async #attend(sources: CredentialSources, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      const decision = this.decide();
      if (decision.do === "refresh") await this.#attempt(sources, decision.why, signal);
      else await this.#nap.sleep(clock, Math.min(waitMs(decision, clock.boot()), TICK_MS), signal);
    }
  }

  /** Time alone changes states, and clocks are set: watched when the next change is due, and every few seconds. */
  async #watchTime(signal: AbortSignal): Promise<void> {
    const { clock, clockSync, log, refresh } = this.#parts;
    const current = this.#current;
    while (!signal.aborted) {
      const atFault = this.#clockFault !== undefined;
      const ms = nextTickMs(current.held, clock.boot(), refresh.staleS * 1_000, atFault);
      await this.#tick.sleep(clock, ms, signal);
      this.#tickedAt = clock.boot();
      const { steppedMs, becameTrusted } = clockSync.observe();
      if (steppedMs !== 0) {
        this.#retryState.rateLimiter.note("clock", clock.boot());
        log.warn("CLOCK_STEPPED", { stepped_ms: Math.round(steppedMs) });
      }
      this.#parts.demand?.observe(clockSync.now());
      if (this.#clockFault && wallStep(this.#clockFault, clockSync.now()) !== 0) this.request("clock");
      if (steppedMs !== 0 || becameTrusted) current.rebase(clockSync.now());
      current.flush();
      this.#onChange();
      this.wake();
    }
  }

  async #attempt(sources: CredentialSources, why: RefreshReason, signal: AbortSignal): Promise<void> {
    const { clock, log, clockSync } = this.#parts;
    const startedAt = clockSync.now();
    this.#attempting = true;
    this.#retryState.started(why, startedAt.boot);
    this.#onChange();
    let failure: AgentError | undefined;
    try {
      await this.#fetchAndApply(sources, why, signal);
      this.#succeeded(why);
    } catch (error) {
      if (signal.aborted) {
        failure = stopping();
        this.#retryState.interrupted(clock.boot());
      } else {
        failure = asAgentError(error);
        this.#failed(failure, why, startedAt);
      }
    } finally {
      this.#attempting = false;
      if (!signal.aborted) log.debug("ATTEMPT_ENDED", { why, outcome: failure?.code ?? "ok" });
      if (failure === undefined && this.#hello !== undefined) this.#obey(this.#hello);
      this.#onChange();
      this.#endAttempt(failure);
    }
  }

  /** raw_data in, authinfo out: fetched, verified, written, served. */
  async #fetchAndApply(sources: CredentialSources, why: RefreshReason, signal: AbortSignal): Promise<void> {
    const { clock, clockSync, random, refresh, times, identity, demand } = this.#parts;
    const current = this.#current;
    const fetched = await fetchCredential(sources, {
      ...(identity.deviceId === undefined ? {} : { configuredDeviceId: identity.deviceId }),
      ...(current.held === undefined ? {} : { held: current.held.credential.authinfo }),
      planned: why === "planned",
      newestSignedAtS: current.newestSignedAtS,
      ...{ times, clock, signal },
    });
    const { newestSignedAtS } = current;
    if (!isRepeated(fetched, current.held, newestSignedAtS)) clockSync.confirm(fetched.answer.skewMs);
    current.verified(fetched.answer.signedAtS);
    const next = applyResponse(fetched, current.held, {
      generation: current.generation,
      newestSignedAtS,
      bootId: clockSync.now().bootId,
      lifetimeMs: refresh.lifetimeS * 1_000,
      fraction: this.#retryState.refreshFraction(refresh, clock.boot()),
      chance: random.unit(),
      bootMs: clock.boot(),
      // Without a confirmed clock the time of the week is not known.
      ...(demand !== undefined && clockSync.now().wallTrusted
        ? { demand: { profile: demand.profile, ...this.#retryState.demandTerms(refresh, clock.boot()) } }
        : {}),
    });
    const facts = this.#retryState.facts(clock.boot());
    await current.replace(next, demand === undefined ? facts : { ...facts, demand: storedDemand(demand.profile) });
  }

  #succeeded(why: RefreshReason): void {
    const { log, clock, onAttempt } = this.#parts;
    const { failures, cause } = this.#retryState;
    if (failures > 0) log.info("RECOVERED", { after_failures: failures, cause: cause?.code });
    const { held } = this.#current;
    this.#retryState.succeeded(clock.boot(), lifeOf(held, clock.boot())?.refreshInMs);
    this.#clockFault = undefined;
    this.#lastSuccessWallMs = clock.wall();
    log.info("AUTHINFO_OBTAINED", { generation: held?.credential.generation, why });
    onAttempt("ok");
  }

  #failed(error: AgentError, why: RefreshReason, startedAt: Instant): void {
    const { clock, random, log, onAttempt, clockSync } = this.#parts;
    const { rule, context } = error;
    if (typeof context.skewMs === "number") clockSync.confirm(context.skewMs);
    const now = { boot: clock.boot(), wall: clock.wall() };
    const remaining = lifeOf(this.#current.held, now.boot)?.remainingMs;
    const isNew = this.#retryState.failed(error, now, remaining, () => random.unit());
    this.#clockFault = rule.clock === true ? now : undefined;
    if (this.#clockFault !== undefined) {
      // The clock has been set during the attempt: another one may succeed.
      if (wallStep(startedAt, now) !== 0) this.request("clock");
      this.#tick.end();
    }
    // An outage is logged once for each cause, not at each attempt (specification 9).
    log[isNew ? "warn" : "debug"]("REFRESH_FAILED", {
      cause: error.code,
      params: error.params,
      why,
      remedy: rule.remedy,
    });
    onAttempt(error.code.toLowerCase());
  }

  #endAttempt(failure: AgentError | undefined): void {
    const { promise, resolve, reject } = this.#attemptEnd;
    // Often there is no waiter.
    promise.catch(() => undefined);
    this.#attemptEnd = Promise.withResolvers<void>();
    if (failure === undefined) resolve();
    else reject(failure);
  }

  #onDriver(event: DriverEvent): void {
    if (event.type === "lost") return;
    const { rateLimiter } = this.#retryState;
    const now = this.#parts.clock.boot();
    // The first one is the opening of the line.
    if (event.type === "ready" && this.#hello !== undefined) rateLimiter.note("bridge", now);
    if (event.type === "changed" && event.what.includes("device")) rateLimiter.note("device", now);
    if (event.type === "changed" && event.what.includes("network")) rateLimiter.note("network_card", now);
    this.#hello = event;
    this.#obey(event);
    this.#onChange();
  }

  /** Drops or renews as the `hello` requires. An attempt under way uses the new identity by itself, so renewing waits until it has ended. */
  #obey(hello: Hello): void {
    const held = this.#current.held?.credential;
    const { drop, renew } = bridgeAction(hello, held, this.#retryState.cause?.code);
    if (drop) {
      this.#parts.log.warn("DEVICE_CHANGED", { was: held?.deviceId, is: hello.identity.deviceId });
      this.#current.drop();
    }
    if (renew === undefined || this.#attempting) return;
    if (renew === "bridge") this.#retryState.bridgeRepaired(this.#parts.clock.boot());
    else this.#retryState.request(renew, this.#parts.clock.boot());
    this.wake();
  }
}

function stopping(): AgentError {
  return new AgentError("BRIDGE_CLOSED.stopping", {});
}
