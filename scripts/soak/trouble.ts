import { setTimeout as delay } from "node:timers/promises";
import { type Chance, seeded } from "../../test/support/faults/seeded.ts";
import { type Act, allActs } from "./acts.ts";
import type { Cast } from "./cast.ts";
import { allFaults, type Fault, PROMISE_MS } from "./faults.ts";

export interface TroublePlan {
  readonly minutes: number;
  readonly seed: number;
  /** Nobody else's network cards are here. */
  readonly ownNetwork: boolean;
}

/** Of the soak's time: from here on no process is ended any more, so that one long life shows whether anything grows. */
const LONG_LIFE_FROM = 0.45;
/** A run shorter than this is a small one, with everything closer together: it has to see something, too. */
const FULL_SIZE_MINUTES = 3;
const SHORTEST_PACE = 0.15;
const REMEMBERED = 4;

/** What goes wrong, and when: drawn from the seed, faults of the world and acts upon the agent side by side. */
export class ReconnectBackoff {
  /** How often each has happened. */
  readonly seen: Record<string, number> = {};
  readonly #cast: Cast;
  readonly #plan: TroublePlan;
  readonly #pace: number;
  readonly #beganMs = performance.now();
  readonly #lately: string[] = [];

  constructor(cast: Cast, plan: TroublePlan) {
    this.#cast = cast;
    this.#plan = plan;
    this.#pace = Math.min(1, Math.max(SHORTEST_PACE, plan.minutes / FULL_SIZE_MINUTES));
  }

  /** In words, the last few. */
  get lately(): string {
    return this.#lately.join(", ");
  }

  /** Resolves when the time is over or the cast's signal has fallen, and nothing is wrong any more. */
  async run(): Promise<void> {
    await Promise.all([this.#faulting(), this.#acting()]);
  }

  /** One thing wrong with the world after the other; the next only when the last has been recovered from. */
  async #faulting(): Promise<void> {
    const { recovery, signal } = this.#cast;
    const chance = seeded(this.#plan.seed + 1);
    const faults = allFaults();
    for (;;) {
      await this.#pause(2_000 + chance.unit() * 10_000);
      await withTimeout(4 * PROMISE_MS, () => recovery.settled, signal);
      if (signal.aborted) return;
      const fault = draw(faults, chance);
      this.#happens(fault.name);
      if (!fault.harmless) recovery.begin(fault.name);
      await fault.begin(this.#cast);
      await this.#pause(lengthMs(chance));
      await fault.end(this.#cast);
      if (!fault.harmless) recovery.end(fault.name, fault.promiseMs, performance.now());
    }
  }

  async #acting(): Promise<void> {
    const chance = seeded(this.#plan.seed + 2);
    const acts = allActs(this.#plan.ownNetwork);
    const mild = acts.filter(({ fatal }) => !fatal);
    const longLifeFrom = this.#beganMs + this.#plan.minutes * 60_000 * LONG_LIFE_FROM;
    for (;;) {
      await this.#pause(3_000 + chance.unit() * 25_000);
      if (this.#cast.signal.aborted) return;
      const act = draw(performance.now() < longLifeFrom ? acts : mild, chance);
      this.#happens(act.name);
      await act.do(this.#cast);
    }
  }

  #happens(name: string): void {
    this.seen[name] = (this.seen[name] ?? 0) + 1;
    const seconds = ((performance.now() - this.#beganMs) / 1_000).toFixed(0);
    this.#lately.push(`${name} at ${seconds} s`);
    if (this.#lately.length > REMEMBERED) this.#lately.shift();
  }

  async #pause(ms: number): Promise<void> {
    await delay(this.#pace * ms, undefined, { signal: this.#cast.signal }).catch(() => undefined);
  }
}

/** Waits until it is so, at most so long. */
export async function withTimeout(ms: number, isIt: () => boolean, signal: AbortSignal): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end && !isIt() && !signal.aborted; ) await delay(50);
}

/** A third short, a quarter longer than a life. */
function lengthMs({ unit }: Chance): number {
  const kind = unit();
  if (kind < 0.35) return 3_000 + unit() * 12_000;
  if (kind < 0.75) return 15_000 + unit() * 35_000;
  return 60_000 + unit() * 45_000;
}

function draw<T extends Fault | Act>(from: readonly T[], { unit }: Chance): T {
  const total = from.reduce((sum, { weight }) => sum + weight, 0);
  let left = unit() * total;
  const found = from.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  return found ?? (from[0] as T);
}
