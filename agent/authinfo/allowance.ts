/**
 * The extra renewals that rejections may cost: at most `limit` in any `windowMs` (contract 5: six an hour), so that a
 * cashier app that refuses everything cannot use up the merchant's call quota.
 */
export class Allowance {
  readonly #limit: number;
  readonly #windowMs: number;
  #spentAt: number[] = [];

  constructor(limit = 6, windowMs = 3_600_000) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Boot time at which the next one may be had: `nowMs` when one is free. */
  freeAt(nowMs: number): number {
    this.#spentAt = this.#spentAt.filter((at) => nowMs - at < this.#windowMs);
    const oldest = this.#spentAt[this.#spentAt.length - this.#limit];
    return oldest === undefined ? nowMs : oldest + this.#windowMs;
  }

  /** Notes one for the instant at which it will be used. */
  spend(atMs: number): void {
    this.#spentAt.push(atMs);
  }
}
