/** The middle value; of an even number the mean of the two. NaN for none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two values in proportion. NaN for none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export interface Ratio {
  /** Of the medians. */
  readonly value: number;
  /** First and third quartile of the ratios round by round. */
  readonly spread: readonly [number, number];
}

/** How ours stands to the other, both measured in turn: round by round in the same order. */
export function ratio(ours: readonly number[], other: readonly number[]): Ratio {
  const rounds = ours.map((value, i) => value / (other[i] ?? Number.NaN));
  return {
    value: median(ours) / median(other),
    spread: [quantile(rounds, 0.25), quantile(rounds, 0.75)],
  };
}
