export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Half the width of the 95 % interval of the mean (Student's t). */
export function halfInterval(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  const freedom = values.length - 1;
  // Good to a percent from four degrees of freedom on; 2.093 for 19.
  const t = 1.96 + 2.37 / freedom + 2.82 / freedom ** 2;
  return t * Math.sqrt(variance / values.length);
}

/** NaN without values. Sorts a copy. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? Number.NaN;
}
