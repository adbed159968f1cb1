import { emptyProfile, learn } from "../../../agent/credential/demand-profile.ts";
import { fractionsOf, relativeSpacing } from "../../../agent/credential/demand-spacing.ts";
import { DEFAULTS } from "../agent-rule.ts";
import { LIFE_MS } from "../drive.ts";
import type { DemandShape } from "./shapes.ts";

const STEADY = { lifetimeMs: LIFE_MS, ...fractionsOf(DEFAULTS) };
/** Reads and SDK calls in half an hour of mean demand. */
export const READS = 20;
const LEARNED_WEEKS = 8;

/** What an agent has learned after eight weeks. The number in each half-hour is drawn: a normal law of the variance of a Poisson one. */
export function learnedOf(shape: DemandShape, unit: () => number, isOn: (slot: number) => boolean = () => true) {
  let profile = emptyProfile;
  for (let week = 0; week < LEARNED_WEEKS; week++) {
    shape.forEach((demand, slot) => {
      const expected = demand * READS;
      if (!isOn(slot)) return;
      const normal = Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit());
      const count = Math.max(Math.round(expected + Math.sqrt(expected) * normal), 0);
      profile = learn(profile, slot, count, relativeSpacing(profile, STEADY, slot));
    });
  }
  return profile;
}
