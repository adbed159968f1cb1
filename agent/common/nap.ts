import { type Clock, unlessAborted } from "./clock.ts";

/** A sleep that can be ended early. */
export class Nap {
  #end: () => void = () => {};

  /** Resolves after `ms`, when it is ended, or when the signal aborts. */
  async sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>();
    this.#end = over.resolve;
    const callOff = clock.timer(ms, over.resolve);
    await unlessAborted(over.promise, signal).catch(() => undefined);
    callOff();
  }

  end(): void {
    this.#end();
  }
}
