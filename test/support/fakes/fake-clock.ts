import { setImmediate as turn } from "node:timers/promises";
import { type Clock, sleepOn } from "../../../agent/common/clock.ts";

interface Sleeper {
  readonly dueAt: number;
  wake(): void;
}

/** Time stands still until the test moves it. */
export class FakeClock implements Clock {
  #wall: number;
  #boot: number;
  #sleepers = new Set<Sleeper>();
  readonly #turns: number;

  /** @param turns of the event loop after each waking: what goes through streams needs more than the default's half */
  constructor(at: { wall?: number; boot?: number } = {}, turns = 10) {
    this.#turns = turns;
    this.#wall = at.wall ?? Date.UTC(2026, 5, 1, 4, 0, 0);
    this.#boot = at.boot ?? 60_000;
  }

  wall(): number {
    return this.#wall;
  }

  boot(): number {
    return this.#boot;
  }

  /** How many sleeps and timers are under way: a part that has ended must leave none. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Milliseconds until the next sleeper wakes, undefined when nobody sleeps. */
  get nextWakeIn(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : next.dueAt - this.#boot;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((dueIn, act) => this.timer(dueIn, act), ms, signal);
  }

  timer(ms: number, act: () => void): () => void {
    const sleeper: Sleeper = {
      dueAt: this.#boot + Math.max(0, ms),
      wake: () => {
        this.#sleepers.delete(sleeper);
        act();
      },
    };
    this.#sleepers.add(sleeper);
    return () => this.#sleepers.delete(sleeper);
  }

  /** Lets everything run that needs no passing of time (microtasks, ticks, in-memory streams). */
  async settle(): Promise<void> {
    for (let i = 0; i < this.#turns; i++) await turn();
  }

  /** Moves both clocks on by `ms`; sleepers wake in order, each at its own instant, and what they start may sleep again. */
  async advance(ms: number): Promise<void> {
    const until = this.#boot + ms;
    await this.settle();
    for (let next = this.#next(); next !== undefined && next.dueAt <= until; next = this.#next()) {
      this.#move(next.dueAt);
      next.wake();
      await this.settle();
    }
    this.#move(until);
    await this.settle();
  }

  /** A wall-clock step, as NTP or a person makes it; durations are not touched. */
  stepWall(ms: number): void {
    this.#wall += ms;
  }

  #next(): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of this.#sleepers) if (next === undefined || sleeper.dueAt < next.dueAt) next = sleeper;
    return next;
  }

  #move(boot: number): void {
    const passed = Math.max(0, boot - this.#boot);
    this.#boot += passed;
    this.#wall += passed;
  }
}
