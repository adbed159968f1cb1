import { AgentError } from "../agent/errors.ts";

/** `cashier`: calls of the cashier app, always ahead of the `agent`'s own work (contract 5). */
export type Lane = "cashier" | "agent";

interface Item {
  run(): Promise<void>;
  reject(reason: unknown): void;
}

/** The local API admits fewer callers than this; more can only be a defect. */
const MOST_WAITING = 64;

/** One piece of work at a time, because the line carries one call at a time. */
export class CallQueue {
  readonly #waiting: Record<Lane, Item[]> = { cashier: [], agent: [] };
  #busy = false;

  /** True when a piece of the agent's work that has several calls should let the cashier app go first. */
  get cashierWaits(): boolean {
    return this.#waiting.cashier.length > 0;
  }

  /**
   * Runs `task` when its turn comes. When the signal aborts, the caller is let go at once: work that waits leaves the
   * queue, work that runs keeps the line until it has ended, since its answer is still to come.
   */
  run<T>(lane: Lane, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const line = this.#waiting[lane];
      if (line.length >= MOST_WAITING) {
        return reject(new AgentError("BRIDGE_NOT_READY.queue_full", {}));
      }
      const onAbort = () => {
        const place = line.indexOf(item);
        if (place !== -1) line.splice(place, 1);
        reject(signal.reason);
      };
      const leave = () => signal.removeEventListener("abort", onAbort);
      const item: Item = {
        run: () => task().then(resolve, reject).finally(leave),
        reject(reason) {
          leave();
          reject(reason);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      line.push(item);
      this.#next();
    });
  }

  /** Rejects all that waits; what runs is ended by the loss of its line. */
  clear(reason: unknown): void {
    for (const line of Object.values(this.#waiting)) for (const item of line.splice(0)) item.reject(reason);
  }

  #next(): void {
    if (this.#busy) return;
    const item = this.#waiting.cashier.shift() ?? this.#waiting.agent.shift();
    if (!item) return;
    this.#busy = true;
    void item.run().finally(() => {
      this.#busy = false;
      this.#next();
    });
  }
}
