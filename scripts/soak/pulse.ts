const EVERY_MS = 20;
const REMEMBERED_MS = 3_000;

/** How late this very process is: on a busy machine it sees things after they have happened. */
export class Pulse {
  readonly #timer: NodeJS.Timeout;
  #last = performance.now();
  #late: { readonly atMs: number; readonly ms: number }[] = [];

  constructor() {
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      const ms = nowMs - this.#last - EVERY_MS;
      this.#last = nowMs;
      this.#late = [...this.#late.filter(({ atMs }) => nowMs - atMs < REMEMBERED_MS), { atMs: nowMs, ms }];
    }, EVERY_MS);
  }

  /** The most it has been late within the last seconds. */
  lateMs(): number {
    return Math.max(0, performance.now() - this.#last - EVERY_MS, ...this.#late.map(({ ms }) => ms));
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
