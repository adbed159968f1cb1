/** Chance that is the same on every machine and in every run. */
export interface Chance {
  /** In [0, 1). */
  unit(): number;
  /** An integer from 0 to below `limit`. */
  below(limit: number): number;
}

/** mulberry32, by Tommy Ettinger. */
export function seeded(seed: number): Chance {
  let state = seed;
  const unit = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { unit, below: (limit) => Math.floor(unit() * limit) };
}
