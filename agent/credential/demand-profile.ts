export const SLOT_MS = 30 * 60_000;
/** Half-hours of a week, counted in UTC from the epoch: the first is Thursday 00:00. */
export const SLOTS = 336;
/** A slot comes once a week: half of what it says is two weeks old (specification 12). */
const KEPT_A_WEEK = 2 ** -0.5;
/** How well the profile serves is judged by the trades of about a day. */
const KEPT_A_SLOT = 2 ** (-1 / 48);
/** A client that polls evenly makes the quietest tenth of the slots as loud as the others: that is no trade, nor is its irregularity. */
const QUIETEST = 0.1;
const ABOVE_QUIET = 1.2;
/** The profile is followed while the spacing that it gave the trades of the last days was a tenth closer than even spacing. */
const WORTH = 0.9;

/** What this terminal has learned of its trade. A value: learning makes a new one. */
export interface DemandProfile {
  /** Reads and SDK calls of each slot, decayed; `UNSEEN` where none has been observed. */
  readonly trades: readonly number[];
  /** The trades of the last days above those of an even client, decayed. */
  readonly weight: number;
  /** The same, each trade times the spacing that the profile gave it as a share of even spacing. */
  readonly spaced: number;
}

export const UNSEEN = -1;

export const emptyProfile: DemandProfile = { trades: Array<number>(SLOTS).fill(UNSEEN), weight: 0, spaced: 0 };

/**
 * UTC and not local time: the wall clock alone tells it, while the zone of a board is often set late or wrongly and would move the whole
 * profile. Summer time, where there is any, moves the trade by an hour twice a year, which is learned like any other change.
 */
export function slotOf(wallMs: number): number {
  return Math.floor(wallMs / SLOT_MS) % SLOTS;
}

/**
 * A whole slot has been observed.
 * @param relative the spacing that the profile gives it, as a share of even spacing
 */
export function learn(profile: DemandProfile, slot: number, count: number, relative: number): DemandProfile {
  const before = profile.trades[slot] ?? UNSEEN;
  const now = before === UNSEEN ? count : before * KEPT_A_WEEK + count * (1 - KEPT_A_WEEK);
  const above = Math.max(count - quietOf(profile.trades), 0);
  return {
    trades: profile.trades.with(slot, now),
    weight: profile.weight * KEPT_A_SLOT + above,
    spaced: profile.spaced * KEPT_A_SLOT + above * relative,
  };
}

/** Whether refreshes follow it. A wrong profile loses this within a day or two; one that says nothing never gets it. */
export function isFollowed({ weight, spaced }: DemandProfile): boolean {
  return spaced < weight * WORTH;
}

/** The demand of each slot above what an even client makes of it; `UNSEEN` stays. */
export function demandOf(trades: DemandProfile["trades"]): readonly number[] {
  const quiet = quietOf(trades);
  return trades.map((each) => (each === UNSEEN ? UNSEEN : Math.max(each - quiet, 0)));
}

const quiets = new WeakMap<DemandProfile["trades"], number>();

/** Computed once for what has been learned. */
function quietOf(trades: DemandProfile["trades"]): number {
  const known = quiets.get(trades);
  if (known !== undefined) return known;
  const seen = Float64Array.from(trades.filter((each) => each !== UNSEEN)).sort();
  const quiet = (seen[Math.floor(seen.length * QUIETEST)] ?? 0) * ABOVE_QUIET;
  quiets.set(trades, quiet);
  return quiet;
}
