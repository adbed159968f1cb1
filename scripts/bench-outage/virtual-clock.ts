import { setImmediate as turn } from "node:timers/promises";
import { type Clock, sleepOn } from "../../agent/common/clock.ts";

interface Sleeper {
  readonly dueAt: number;
  readonly number: number;
  readonly wake: () => void;
  gone: boolean;
}

/** Time that jumps from one sleeper to the next. Whole milliseconds, as real timers have them: nobody wakes early. */
export class VirtualClock implements Clock {
  #boot: number;
  #wallOffset: number;
  #heap: Sleeper[] = [];
  #slept = 0;

  constructor(at: { boot: number; wall: number }) {
    this.#boot = at.boot;
    this.#wallOffset = at.wall - at.boot;
  }

  wall(): number {
    return this.#boot + this.#wallOffset;
  }

  boot(): number {
    return this.#boot;
  }

  /** The wall clock is set; durations are not touched. */
  setWall(wallMs: number): void {
    this.#wallOffset = wallMs - this.#boot;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((dueIn, act) => this.timer(dueIn, act), ms, signal);
  }

  timer(ms: number, wake: () => void): () => void {
    const dueAt = Math.ceil(this.#boot + Math.max(ms, 0));
    const sleeper: Sleeper = { dueAt, number: this.#slept++, gone: false, wake };
    this.#push(sleeper);
    return () => {
      sleeper.gone = true;
    };
  }

  /** Moves on to `bootMs`, waking each sleeper at its own instant and letting it run before the next. */
  async advanceTo(bootMs: number): Promise<void> {
    await turn();
    for (let first = this.#heap[0]; first !== undefined && first.dueAt <= bootMs; first = this.#heap[0]) {
      this.#shift();
      if (first.gone) continue;
      this.#boot = Math.max(this.#boot, first.dueAt);
      first.wake();
      // Everything woken runs in microtasks; the next macrotask begins when they are done.
      await turn();
    }
    this.#boot = Math.max(this.#boot, bootMs);
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap;
    let at = heap.push(sleeper) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, sleeper)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = sleeper;
  }

  #shift(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let below = heap[child];
      const other = heap[child + 1];
      if (below !== undefined && other !== undefined && before(other, below)) {
        child++;
        below = other;
      }
      if (below === undefined || before(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Sleeper, b: Sleeper): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.number < b.number);
}
