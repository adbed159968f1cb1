import type { Clock } from "../../agent/common/clock.ts";

interface Timer {
  readonly dueAt: number;
  readonly number: number;
  act: (() => void) | undefined;
}

/** Shorter waits are latencies of the world; longer ones are polls and deadlines, which may be grouped in quiet hours. */
const TIGHT_MS = 1_000;

/**
 * Time that jumps from one timer to the next. `now` is the time that passes for the world, in ms since the simulation began; timers count the
 * time in which the terminal is awake, as CLOCK_MONOTONIC does.
 */
export class VirtualTime {
  /** How late a long timer may fire, as with the timer slack of Linux: in quiet hours one look serves for several. */
  slackMs = 0;
  /** Jumps so far. */
  steps = 0;
  #now = 0;
  #asleepMs = 0;
  #made = 0;
  readonly #tight = new TimerHeap();
  readonly #loose = new TimerHeap();

  get now(): number {
    return this.#now;
  }

  /** The time in which the terminal was awake, ms. */
  get awake(): number {
    return this.#now - this.#asleepMs;
  }

  timer(ms: number, act: () => void): () => void {
    const wait = Math.max(ms, 0);
    const timer: Timer = { dueAt: Math.ceil(this.#now - this.#asleepMs + wait), number: this.#made++, act };
    if (Number.isFinite(wait)) (wait < TIGHT_MS ? this.#tight : this.#loose).push(timer);
    return () => {
      timer.act = undefined;
    };
  }

  /** The terminal sleeps until `atMs`: no timer runs meanwhile. */
  suspendUntil(atMs: number): void {
    this.#asleepMs += Math.max(atMs - this.#now, 0);
    this.#now = Math.max(this.#now, atMs);
  }

  /** Nothing of the terminal is running; the world goes on. */
  skipTo(atMs: number): void {
    this.#now = Math.max(this.#now, atMs);
  }

  /** Lets the terminal run until `atMs`; `afterStep` follows each jump, when all that it has set going has come to rest. */
  async runUntil(atMs: number, afterStep: () => Promise<void>): Promise<void> {
    await settle();
    for (;;) {
      const next = this.#nextAt();
      if (next === undefined || next > atMs) break;
      this.#now = Math.max(this.#now, next);
      this.steps++;
      await this.#fire();
      await afterStep();
    }
    this.#now = Math.max(this.#now, atMs);
  }

  #nextAt(): number | undefined {
    const tight = this.#tight.first()?.dueAt ?? Number.POSITIVE_INFINITY;
    const loose = this.#loose.first()?.dueAt ?? Number.POSITIVE_INFINITY;
    const at = Math.min(tight, loose + this.slackMs);
    return at === Number.POSITIVE_INFINITY ? undefined : at + this.#asleepMs;
  }

  /** All that is due, in order, each with all that follows from it. */
  async #fire(): Promise<void> {
    const awake = this.#now - this.#asleepMs;
    for (;;) {
      const [tight, loose] = [this.#tight.first(), this.#loose.first()];
      const heap = loose === undefined || (tight !== undefined && before(tight, loose)) ? this.#tight : this.#loose;
      const timer = heap.first();
      if (timer === undefined || timer.dueAt > awake) return;
      heap.shift();
      const { act } = timer;
      if (act === undefined) continue;
      timer.act = undefined;
      act();
      await settle();
    }
  }
}

/** All promises, ticks and streams come to rest: the next macrotask begins when no microtask is left. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The clocks of one process, from its start to its end. */
export class ProcessClock implements Clock {
  readonly #time: VirtualTime;
  readonly #bootedAt: number;
  readonly #wallAt: (now: number) => number;
  #dead = false;

  /** @param bootedAt `now` of the world at the boot; @param wallAt what the wall clock shows */
  constructor(time: VirtualTime, bootedAt: number, wallAt: (now: number) => number) {
    this.#time = time;
    this.#bootedAt = bootedAt;
    this.#wallAt = wallAt;
  }

  wall(): number {
    return this.#wallAt(this.#time.now);
  }

  boot(): number {
    return this.#time.now - this.#bootedAt;
  }

  timer(ms: number, act: () => void): () => void {
    if (this.#dead) return () => {};
    return this.#time.timer(ms, () => {
      if (!this.#dead) act();
    });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        callOff();
        reject(signal?.reason);
      };
      const callOff = this.timer(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** The process is gone: nothing that it waits for ever comes. */
  kill(): void {
    this.#dead = true;
  }
}

const before = (a: Timer, b: Timer) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.number < b.number);

class TimerHeap {
  readonly #heap: Timer[] = [];

  /** The one that is due first and has not been called off. */
  first(): Timer | undefined {
    while (this.#heap.length > 0 && this.#heap[0]?.act === undefined) this.shift();
    return this.#heap[0];
  }

  push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Timer;
      if (before(above, timer)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  shift(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as Timer)) child++;
      const below = heap[child] as Timer;
      if (before(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}
