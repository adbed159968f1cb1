export interface Interval<T> {
  readonly from: number;
  readonly to: number;
  readonly value: T;
}

/**
 * What has stood since when, oldest first: at most `most` intervals, of which two neighbours become one when there is another.
 */
export class Timeline<T> {
  readonly #most: number;
  readonly #same: (one: T, other: T) => boolean;
  #entries: { from: number; readonly value: T }[] = [];
  merged = 0;

  constructor(most: number, same: (one: T, other: T) => boolean) {
    this.#most = most;
    this.#same = same;
  }

  put(at: number, value: T): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && this.#same(last.value, value)) return;
    this.#entries.push({ from: at, value });
    while (this.#entries.length > this.#most) this.#mergeShortest();
  }

  /** Forgets what was over before `time`. */
  dropBefore(time: number): void {
    const first = this.#entries.findIndex((_, index) => (this.#entries[index + 1]?.from ?? Infinity) > time);
    if (first > 0) this.#entries = this.#entries.slice(first);
  }

  /** What stood between `start` and `end`, cut to that. */
  between(start: number, end: number): Interval<T>[] {
    return this.#entries
      .map(({ from, value }, index) => ({
        from: Math.max(from, start),
        to: Math.min(this.#entries[index + 1]?.from ?? end, end),
        value,
      }))
      .filter(({ from, to }) => to > from || (from === end && to === end));
  }

  /** The two that together are shortest become one, of the value that lasted longer: what flaps for hours is thinned evenly. */
  #mergeShortest(): void {
    const entries = this.#entries;
    const start = (index: number) => entries[index]?.from ?? 0;
    let first = 0;
    let length = Number.POSITIVE_INFINITY;
    // The last one is not over yet.
    for (let i = 0; i + 2 < entries.length; i++) {
      const both = start(i + 2) - start(i);
      if (both < length) [first, length] = [i, both];
    }
    const kept = start(first + 1) - start(first) < length / 2 ? first + 1 : first;
    const value = (entries[kept] ?? entries[0])?.value;
    if (value === undefined) return;
    entries.splice(first, 2, { from: start(first), value });
    this.merged++;
    this.#joinAlike(first + 1);
    this.#joinAlike(first);
  }

  /** With the one before it, if they are the same by now. */
  #joinAlike(index: number): void {
    const [before, own] = [this.#entries[index - 1], this.#entries[index]];
    if (before !== undefined && own !== undefined && this.#same(before.value, own.value))
      this.#entries.splice(index, 1);
  }
}
