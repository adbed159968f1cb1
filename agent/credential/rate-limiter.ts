const LIMIT = 6;
const WINDOW_MS = 3_600_000;

/**
 * The extra renewals that rejections may cost: at most six in any hour (specification 5), so that a cashier app that refuses
 * everything cannot use up the merchant's call quota.
 */
export class RateLimiter {
  #spentAt: number[] = [];

  /** Boot time at which the next one may be had: `nowMs` when one is free. */
  freeAt(nowMs: number): number {
    this.#spentAt = this.#spentAt.filter((at) => nowMs - at < WINDOW_MS);
    const oldest = this.#spentAt[this.#spentAt.length - LIMIT];
    return oldest === undefined ? nowMs : oldest + WINDOW_MS;
  }

  /** Notes one for the instant at which it will be used. */
  spend(atMs: number): void {
    this.#spentAt.push(atMs);
  }
}
