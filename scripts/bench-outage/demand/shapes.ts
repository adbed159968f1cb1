import { SLOT_MS, SLOTS, slotOf } from "../../../agent/credential/demand-profile.ts";
import type { Weigh } from "../account.ts";
import { WALL_AT_START } from "../agent-rule.ts";

/** Trades in each slot of the week; the mean of all is 1. */
export type DemandShape = readonly number[];

/** The merchant's hours, China Standard Time. */
const ZONE_SLOTS = 16;

/** The same every day. `open` are half-open spans of local hours. */
function daily(open: readonly (readonly [from: number, to: number])[]): DemandShape {
  const isOpen = (hour: number) => open.some(([from, to]) => hour >= from && hour < to);
  const trades = Array.from({ length: SLOTS }, (_, slot) => (isOpen(((slot + ZONE_SLOTS) % 48) / 2) ? 1 : 0) as number);
  const mean = trades.reduce((sum, each) => sum + each, 0) / SLOTS;
  return trades.map((each) => each / mean);
}

/** Breakfast, lunch and dinner. */
export const MEALS = [
  [7, 8.5],
  [11, 13],
  [17, 19],
] as const;

export const shapes = {
  even: daily([[0, 24]]),
  canteen: daily(MEALS),
  shop: daily([[9, 22]]),
} as const satisfies Record<string, DemandShape>;

export type ShapeName = keyof typeof shapes;

export function shifted(shape: DemandShape, hours: number): DemandShape {
  return shape.map((_, slot) => shape[(slot - hours * 2 + SLOTS) % SLOTS] ?? 0);
}

/** Time on the trace weighted with the demand. */
export function weighBy(shape: DemandShape): Weigh {
  const before = [0];
  for (const each of shape) before.push((before.at(-1) ?? 0) + each * SLOT_MS);
  const week = before[SLOTS] ?? 0;
  const until = (ms: number) => {
    const wall = WALL_AT_START + ms;
    const slot = slotOf(wall);
    const weeks = Math.floor(wall / (SLOTS * SLOT_MS));
    return weeks * week + (before[slot] ?? 0) + (wall % SLOT_MS) * (shape[slot] ?? 0);
  };
  return (fromMs, toMs) => until(toMs) - until(fromMs);
}
