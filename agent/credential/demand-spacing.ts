import type { RefreshConfig } from "../config/config.ts";
import { type DemandProfile, demandOf, SLOT_MS, SLOTS, slotOf, UNSEEN } from "./demand-profile.ts";

/** What a spacing is chosen within. */
export interface SpacingTerms {
  readonly lifetimeMs: number;
  /** `refresh_at` in force: it says how many calls there are to distribute. */
  readonly fraction: number;
  /** The least `refresh_at` that may be in force: no interval is shorter than its shortest. */
  readonly leastFraction: number;
}

export interface DemandDraw extends SpacingTerms {
  /** Wall clock when the authinfo was requested. */
  readonly bornMs: number;
  /** Attempts had failed before it. */
  readonly isAfterOutage?: boolean;
}

/** Trade at any time, as a share of the mean demand: where nothing has been seen little is expected, not nothing. */
const ANYTIME = 0.02;
const BISECTIONS = 24;
/** Following the demand costs a little more calls than even spacing: 79 a day instead of 77, retries included (`bench:outage`). */
const MORE_CALLS = 1.03;
/** Even spacing draws from half of `refresh_at` to the whole. */
const EVEN_MEAN = 0.75;
const EVEN_SHORTEST = 0.5;
/** What follows the demand leaves an eighth of the life for retries: 7.5 minutes of an hour, in which they are frequent. */
const LATEST = 7 / 8;
/** Even spacing is drawn a third around its mean. */
const WIDTH = 1 / 3;
/** So close to a bound the mean of a draw may come: an instant that all share would bring a fleet together. */
const FROM_SHORTEST = 0.1;
const FROM_LONGEST = 0.05;

export function boundsOf({ lifetimeMs, fraction, leastFraction }: SpacingTerms) {
  return {
    evenMs: lifetimeMs * fraction * EVEN_MEAN,
    shortestMs: lifetimeMs * Math.min(leastFraction, fraction) * EVEN_SHORTEST,
    longestMs: lifetimeMs * Math.max(LATEST, fraction),
  };
}

/** Computed once for what has been learned, which changes every half-hour at most. */
const known = new WeakMap<readonly number[], Map<string, readonly number[]>>();

/**
 * The mean interval between refreshes for the demand of each slot, ms. The loss by an interval is the demand one lifetime ahead times the
 * square of the interval: for a given number of calls it is least when their rate follows the root of that demand. The number is about that
 * of even spacing in the slots that have been seen; the others stay even.
 */
export function spacingOf({ trades }: DemandProfile, terms: SpacingTerms): readonly number[] {
  const { evenMs, shortestMs, longestMs } = boundsOf(terms);
  const tables = known.get(trades) ?? new Map<string, readonly number[]>();
  known.set(trades, tables);
  const key = `${evenMs}/${shortestMs}/${longestMs}`;
  const table = tables.get(key) ?? distribute(demandOf(trades), evenMs, shortestMs, longestMs);
  tables.set(key, table);
  return table;
}

/** The spacing of a slot as a share of even spacing. */
export function relativeSpacing(profile: DemandProfile, terms: SpacingTerms, slot: number): number {
  const { evenMs } = boundsOf(terms);
  return (spacingOf(profile, terms)[slot] ?? evenMs) / evenMs;
}

/** On a steady network: what a profile is judged by. */
export function fractionsOf({ refreshAt, refreshAtUnsteady }: Pick<RefreshConfig, "refreshAt" | "refreshAtUnsteady">) {
  return { fraction: refreshAt, leastFraction: Math.min(refreshAt, refreshAtUnsteady) };
}

function distribute(demand: readonly number[], evenMs: number, shortestMs: number, longestMs: number): number[] {
  const closestMs = Math.min(shortestMs * (1 + FROM_SHORTEST), evenMs);
  const seen = demand.filter((each) => each !== UNSEEN);
  const mean = seen.reduce((sum, each) => sum + each, 0) / seen.length;
  if (!(mean > 0)) return demand.map(() => evenMs);
  const rootOf = (each: number) => Math.sqrt(each / mean + ANYTIME);
  const rateOf = (root: number, factor: number) => Math.min(Math.max(root * factor, 1 / longestMs), 1 / closestMs);
  const roots = seen.map(rootOf);
  let low = 0;
  let high = 1 / closestMs / Math.sqrt(ANYTIME);
  for (let i = 0; i < BISECTIONS; i++) {
    const factor = (low + high) / 2;
    const calls = roots.reduce((sum, root) => sum + rateOf(root, factor), 0);
    if (calls * evenMs < roots.length * MORE_CALLS) low = factor;
    else high = factor;
  }
  return demand.map((each) => (each === UNSEEN ? evenMs : 1 / rateOf(rootOf(each), low)));
}

/**
 * The life after which the first refresh follows, ms: drawn evenly around the mean interval, as widely as with even spacing where the bounds leave
 * room for it. After an outage, which a fleet may have in common, it is drawn as what is left of an interval at any moment of it (the equilibrium
 * of a renewal process): from then on as many requests fall on each minute as if the fleet had never been together.
 * @param chance in [0, 1)
 */
export function drawByDemandMs(profile: DemandProfile, draw: DemandDraw, chance: number): number {
  const { shortestMs, longestMs } = boundsOf(draw);
  const spacing = spacingOf(profile, draw);
  const aheadMs = draw.bornMs + draw.lifetimeMs;
  const most = longestMs * (1 - FROM_LONGEST);
  const mid = Math.min(Math.max(passed(spacing, aheadMs, 1), shortestMs * (1 + FROM_SHORTEST)), most);
  const early = mid - passed(spacing, aheadMs, 1 - WIDTH);
  const half = Math.max(Math.min(early, mid - shortestMs, longestMs - mid), mid * FROM_LONGEST);
  // Sums are rounded: the bounds are exact.
  if (draw.isAfterOutage !== true) return Math.max(mid + half * (2 * chance - 1), shortestMs);
  const width = half / mid;
  const residual = chance < 1 - width ? chance : 1 + width - 2 * Math.sqrt(width * (1 - chance));
  const after = mid * (1 - width + residual);
  return after < most ? Math.max(after, shortestMs) : most + (longestMs - most) * chance;
}

/** How long it takes from `fromMs` until as many mean intervals have passed as `share` says. */
function passed(spacing: readonly number[], fromMs: number, share: number): number {
  let after = 0;
  let left = share;
  // No life is longer than a week.
  for (let i = 0; i < SLOTS; i++) {
    const mean = spacing[slotOf(fromMs + after)] ?? 0;
    const toEnd = SLOT_MS - ((fromMs + after) % SLOT_MS);
    if (left * mean <= toEnd) return after + left * mean;
    left -= toEnd / mean;
    after += toEnd;
  }
  return after;
}
