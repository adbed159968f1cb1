import { longerThan } from "../published-outages.ts";
import { DAY, MINUTE } from "../trace.ts";

/** Minutes of a day, and of a life: the grid of the calculation. */
const STEPS = DAY / MINUTE;
const LIFE = 60;
/** Grid of the time since the last outage, min. */
const AGE_MIN = 10;
/** Days until the plan no longer changes. */
const ROUNDS = 3;

export interface OutageLaw {
  /** Outages a minute, so many minutes after the last one has ended. */
  readonly hazard: (sinceMin: number) => number;
  /** From then on the hazard is constant, min. */
  readonly steadyAfterMin: number;
}

export interface OptimumBounds {
  readonly shortestMin: number;
  readonly longestMin: number;
}

/** The interval to the next refresh, min, at a minute of the day and so many minutes after the last outage. */
export type OptimumPlan = (minuteOfDay: number, sinceMin: number) => number;

/**
 * The best that can be known beforehand: dynamic programming over the minute of the day and the time since the last outage, for a price in
 * weighted minutes that a call costs. It knows demand and law, not the outages, and that one has been met at its next attempt.
 */
export function optimumPlan(
  demand: (minuteOfDay: number) => number,
  law: OutageLaw,
  { shortestMin, longestMin: most }: OptimumBounds,
  price: number,
): OptimumPlan {
  const survives = Float64Array.from({ length: LIFE + 1 }, (_, min) => longerThan(min));
  // What the a-th minute of an interval that begins at t loses for each outage a minute: those who begin in it and outlast the life.
  const lost = new Float64Array(STEPS * most);
  for (let t = 0; t < STEPS; t++) {
    for (let a = 0; a < most; a++) {
      let sum = 0;
      for (let b = 0; b <= a; b++) sum += demand((t + LIFE + b) % STEPS) * (survives[LIFE - (a - b)] ?? 0);
      lost[t * most + a] = sum;
    }
  }
  const width = Math.ceil(law.steadyAfterMin / AGE_MIN) + 1;
  const hazards = Float64Array.from({ length: width }, (_, age) => law.hazard(age * AGE_MIN));
  const values = new Float64Array((STEPS + most) * width);
  const plan = new Uint8Array(STEPS * width);
  for (let round = 0; round < ROUNDS; round++) {
    // The first minutes of the day after, which the last ones of this day lead to.
    values.copyWithin(STEPS * width, 0, most * width);
    for (let t = STEPS - 1; t >= 0; t--) {
      for (let age = 0; age < width; age++) {
        let loss = 0;
        let best = Number.POSITIVE_INFINITY;
        for (let x = 1; x <= most; x++) {
          const then = Math.min(age + Math.round(x / AGE_MIN), width - 1);
          const during = Math.min(age + Math.floor(x / AGE_MIN), width - 1);
          loss += (hazards[during] ?? 0) * (lost[t * most + x - 1] ?? 0);
          if (x < shortestMin) continue;
          const value = loss + price + (values[(t + x) * width + then] ?? 0);
          if (value >= best) continue;
          best = value;
          plan[t * width + age] = x;
        }
        values[t * width + age] = best;
      }
    }
    // Only differences count: the sum would grow with each round.
    const base = values[0] ?? 0;
    for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) - base;
  }
  return (minute, since) =>
    plan[Math.floor(minute % STEPS) * width + Math.min(Math.floor(since / AGE_MIN), width - 1)] ?? most;
}
