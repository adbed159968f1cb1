import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DemandProfile,
  demandOf,
  emptyProfile,
  isFollowed,
  learn,
  SLOT_MS,
  SLOTS,
  slotOf,
  UNSEEN,
} from "../../../agent/credential/demand-profile.ts";
import { boundsOf, drawByDemandMs, relativeSpacing, spacingOf } from "../../../agent/credential/demand-spacing.ts";

const MINUTE = 60_000;
const STEADY = { lifetimeMs: 60 * MINUTE, fraction: 0.5, leastFraction: 0.25 };
const UNSTEADY = { ...STEADY, fraction: 0.25 };
const MONDAY = Date.UTC(2026, 0, 5);

/** Meals of each day, in slots of the day, UTC. */
const isMeal = (slot: number) => [0, 1, 6, 7, 8, 9, 18, 19, 20, 21].includes(slot % 48);

/** What is left of so many weeks of one count for each slot. */
function learned(weeks: number, countOf: (slot: number, week: number) => number, from = emptyProfile): DemandProfile {
  let profile = from;
  for (let week = 0; week < weeks; week++) {
    for (let slot = 0; slot < SLOTS; slot++) {
      const relative = relativeSpacing(profile, STEADY, slot);
      profile = learn(profile, slot, countOf(slot, week), relative);
    }
  }
  return profile;
}

const canteen = learned(4, (slot) => (isMeal(slot) ? 80 : 0));

describe("what a terminal learns of its trade", () => {
  it("counts the half-hours of a week in UTC", () => {
    expect(slotOf(0)).toBe(0);
    expect(slotOf(MONDAY)).toBe(4 * 48);
    expect(slotOf(MONDAY + SLOT_MS - 1)).toBe(4 * 48);
    expect(slotOf(MONDAY + 7 * 48 * SLOT_MS)).toBe(4 * 48);
  });

  it("keeps half of a count for two weeks", () => {
    const once = learn(emptyProfile, 5, 64, 1);
    expect(once.trades[5]).toBe(64);
    const later = learn(learn(once, 5, 0, 1), 5, 0, 1);
    expect(later.trades[5]).toBeCloseTo(32, 9);
    expect(later.trades[6]).toBe(UNSEEN);
  });

  it("follows nothing in the first week, and the meals soon after", () => {
    expect(isFollowed(emptyProfile)).toBe(false);
    const week = learned(1, (slot) => (isMeal(slot) ? 80 : 0));
    expect(isFollowed(week)).toBe(false);
    expect(isFollowed(learned(1, (slot) => (isMeal(slot) ? 80 : 0), week))).toBe(true);
  });

  it("learns nothing from a client that polls evenly", () => {
    const polls = learned(6, (slot, week) => 60 + ((slot * 7 + week) % 3));
    expect(demandOf(polls.trades).every((each) => each === 0)).toBe(true);
    expect(isFollowed(polls)).toBe(false);
    expect(new Set(spacingOf(polls, STEADY))).toEqual(new Set([boundsOf(STEADY).evenMs]));
  });

  it("finds the meals behind a client that polls evenly", () => {
    const both = learned(4, (slot) => (isMeal(slot) ? 140 : 60));
    expect(isFollowed(both)).toBe(true);
    expect(demandOf(both.trades).map((each) => each > 0)).toEqual(demandOf(canteen.trades).map((each) => each > 0));
  });

  it("gives up a profile that has become wrong by six hours, within two days, and learns the new one", () => {
    let profile = canteen;
    const counts = (slot: number) => (isMeal((slot + SLOTS - 12) % SLOTS) ? 80 : 0);
    let lost: number | undefined;
    for (let slot = 0; slot < SLOTS; slot++) {
      const relative = relativeSpacing(profile, STEADY, slot);
      profile = learn(profile, slot, counts(slot), relative);
      if (!isFollowed(profile)) lost ??= slot;
    }
    expect(lost).toBeLessThan(96);
    expect(isFollowed(learned(4, counts, profile))).toBe(true);
  });
});

describe("the spacing of refreshes by demand", () => {
  it("makes about as many calls as even spacing over the week", () => {
    const calls = spacingOf(canteen, STEADY).reduce((sum, each) => sum + SLOT_MS / each, 0);
    expect((calls * boundsOf(STEADY).evenMs) / (SLOTS * SLOT_MS)).toBeCloseTo(1.03, 3);
  });

  it("follows the root of the demand between its bounds", () => {
    const profile = learned(1, (slot) => [0, 40, 90, 160][slot % 4] ?? 0);
    const spacing = spacingOf(profile, STEADY);
    const [none = 0, few = 0, some = 0, many = 0] = spacing;
    expect(none).toBeGreaterThan(few);
    expect(few / some).toBeCloseTo(1.5, 1);
    expect(some / many).toBeCloseTo(4 / 3, 1);
  });

  it("is even where a slot has never been seen", () => {
    const spacing = spacingOf(learn(canteen, 0, 80, 1), STEADY);
    const partly = { ...canteen, trades: canteen.trades.with(100, UNSEEN) };
    expect(spacingOf(partly, STEADY)[100]).toBe(boundsOf(STEADY).evenMs);
    expect(spacing[100]).not.toBe(boundsOf(STEADY).evenMs);
  });

  it("looks one lifetime ahead", () => {
    // Slot 6 is the first of lunch: an hour before it, two hours after breakfast.
    const lunch = MONDAY + 6 * SLOT_MS;
    expect(drawByDemandMs(canteen, { ...STEADY, bornMs: lunch - 60 * MINUTE }, 0.5)).toBeLessThan(12 * MINUTE);
    expect(drawByDemandMs(canteen, { ...STEADY, bornMs: lunch + 4 * SLOT_MS - 60 * MINUTE }, 0.5)).toBeGreaterThan(
      35 * MINUTE,
    );
  });

  const trades = fc.array(fc.oneof(fc.constant(UNSEEN), fc.double({ min: 0, max: 60_000, noNaN: true })), {
    minLength: SLOTS,
    maxLength: SLOTS,
  });
  const fraction = fc.double({ min: 0.01, max: 0.99, noNaN: true });
  it("is never later than the floor, never earlier than the shortest interval of even spacing", () => {
    fc.assert(
      fc.property(
        trades,
        fraction,
        fraction,
        fc.integer({ min: 5_000, max: 86_400_000 }),
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.boolean(),
        (each, at, unsteady, lifetimeMs, bornMs, chance, isAfterOutage) => {
          const terms = { lifetimeMs, fraction: at, leastFraction: Math.min(at, unsteady), bornMs, isAfterOutage };
          const after = drawByDemandMs({ trades: each, weight: 0, spaced: 0 }, terms, chance);
          expect(after).toBeGreaterThanOrEqual(lifetimeMs * Math.min(at, unsteady) * 0.5);
          expect(after).toBeLessThanOrEqual(lifetimeMs * Math.max(7 / 8, at));
          expect(after).toBeLessThan(lifetimeMs);
        },
      ),
      { numRuns: 300, seed: 20 },
    );
  });

  it("differs among terminals that have learned the same: a fleet comes apart", () => {
    for (const [terms, isAfterOutage] of [
      [STEADY, false],
      [UNSTEADY, false],
      [UNSTEADY, true],
    ] as const) {
      for (let hour = 0; hour < 24; hour++) {
        const draw = (chance: number) =>
          drawByDemandMs(canteen, { ...terms, bornMs: MONDAY + hour * 60 * MINUTE, isAfterOutage }, chance);
        const draws = Array.from({ length: 100 }, (_, i) => draw(i / 100));
        const steps = draws.slice(1).map((after, i) => after - (draws[i] ?? 0));
        // No two fall on the same instant, at either bound either.
        expect(Math.min(...steps)).toBeGreaterThan(0);
        expect(draw(0.99) - draw(0)).toBeGreaterThan(0.1 * draw(0.5));
      }
    }
  });
});
