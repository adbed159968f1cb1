import type { AgentError } from "../common/errors.ts";

/** Those who wait for the attempt under way, or for the next one, to end: one attempt answers them all. */
export class SingleFlight {
  readonly #settle = new Set<(failure: AgentError | undefined) => void>();

  /** Resolves when an attempt succeeds, rejects with its failure, or with the signal's reason when the caller leaves first. */
  async join(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const ended = Promise.withResolvers<void>();
    const settle = (failure: AgentError | undefined) => (failure ? ended.reject(failure) : ended.resolve());
    const leave = () => ended.reject(signal.reason);
    this.#settle.add(settle);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await ended.promise;
    } finally {
      this.#settle.delete(settle);
      signal.removeEventListener("abort", leave);
    }
  }

  /** Tells everyone how the attempt has ended. */
  tell(failure: AgentError | undefined): void {
    for (const settle of [...this.#settle]) settle(failure);
  }
}
