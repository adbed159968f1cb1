import type { Random } from "../../agent/common/random.ts";

/** Repeatable chance (sfc32): the same seed draws the same numbers on every machine. */
export function seededChance(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // The first draws still show the seed.
  for (let i = 0; i < 15; i++) next();
  return { unit: () => next() / 2 ** 32, bytes: (length) => Buffer.alloc(length) };
}

/** Exponential with the given mean. */
export function exponential(mean: number, unit: () => number): number {
  return -mean * Math.log(1 - unit());
}

export function between(low: number, high: number, unit: () => number): number {
  return low + (high - low) * unit();
}
