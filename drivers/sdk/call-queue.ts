import { AgentError } from "../../agent/common/errors.ts";

/** `caller`: what a cashier app or a technician has asked for. `agent`: the agent's own work. */
export type Requester = "caller" | "agent";

interface Item {
  run(): Promise<void>;
  reject(reason: unknown): void;
}

/** The local API admits fewer callers than this; more can only be a defect. */
const MOST_WAITING = 64;

/**
 * One piece of work at a time, because the line carries one call at a time. Callers go first, but the agent's work waits for one of
 * their calls at most, however many follow (docs/specification.md section 5). The agent has a renewal and a hello or init to do at
 * one time, with pauses between, so that callers cannot starve either.
 */
export class CallQueue {
  readonly #waiting: Record<Requester, Item[]> = { caller: [], agent: [] };
  #busy = false;
  /** A caller's call has been on the line since the agent last had no work waiting, or just before. */
  #callerServed = false;

  /**
   * Runs `task` when its turn comes. When the signal aborts, the caller is let go at once: work that waits leaves the
   * queue, work that runs keeps the line until it has ended, since its answer is still to come.
   */
  run<T>(requester: Requester, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const queue = this.#waiting[requester];
      if (queue.length >= MOST_WAITING) {
        return reject(new AgentError("BRIDGE_NOT_READY.queue_full", {}));
      }
      const onAbort = () => {
        const place = queue.indexOf(item);
        if (place !== -1) queue.splice(place, 1);
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
      queue.push(item);
      this.#next();
    });
  }

  /** Rejects all that waits; what runs is ended by the loss of its line. */
  clear(reason: unknown): void {
    for (const queue of Object.values(this.#waiting)) for (const item of queue.splice(0)) item.reject(reason);
  }

  #next(): void {
    if (this.#busy) return;
    const { caller, agent } = this.#waiting;
    const queue = agent.length > 0 && (this.#callerServed || caller.length === 0) ? agent : caller;
    const item = queue.shift();
    if (!item) return;
    this.#busy = true;
    this.#callerServed = queue === caller || (this.#callerServed && agent.length > 0);
    void item.run().finally(() => {
      this.#busy = false;
      this.#next();
    });
  }
}
