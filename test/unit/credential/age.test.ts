import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, wallStep } from "../../../agent/common/clock-sync.ts";
import { type Anchor, ageToWrite, anchor, anchorAgain, remainingMs } from "../../../agent/credential/age.ts";
import type { Credential } from "../../../agent/store/credential.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const born = Date.UTC(2026, 5, 1, 8);
const credential: Credential = {
  authinfo: "x",
  generation: 3,
  deviceId: "D1",
  bootId: "first-boot",
  obtainedBootMs: 500_000,
  obtainedWallMs: born,
  skewMs: 0,
  lifetimeMs: HOUR,
  expirySource: "assumed",
  refreshAfterMs: HOUR / 3,
};
const sameBoot = (boot: number, wall: number): Instant => ({ wall, boot, bootId: "first-boot", wallTrusted: false });
const nextBoot = (wall: number, wallTrusted: boolean): Instant => ({
  wall,
  boot: 7_000,
  bootId: "second-boot",
  wallTrusted,
});
const known = (wallFloorMs = born, ageAtLeastMs?: number) => ({
  wallFloorMs,
  ...(ageAtLeastMs === undefined ? {} : { ageAtLeastMs }),
});
const left = (c: Credential, now: Instant, floor = born, lived?: number) =>
  remainingMs(c, anchor(c, now, known(floor, lived)), now.boot);

describe("age within one boot", () => {
  it("counts by the boot clock whatever the wall clock says", () => {
    for (const wall of [born + 60_000, born - 365 * 24 * HOUR, born + 365 * 24 * HOUR, 0]) {
      expect(left(credential, sameBoot(560_000, wall))).toBe(HOUR - 60_000);
    }
  });
  it("is negative after the end of life", () => {
    expect(left(credential, sameBoot(500_000 + HOUR + 1, born))).toBe(-1);
  });
  it("is trusted", () => {
    expect(anchor(credential, sameBoot(560_000, 0), known()).trusted).toBe(true);
  });
  it("is nothing, not less, within what two processes read apart", () => {
    const now = sameBoot(498_500, born);
    expect(left(credential, now)).toBe(HOUR);
    expect(anchor(credential, now, known()).trusted).toBe(true);
  });
});

describe("age in the next boot, by a clock that WeChat Pay's own confirms", () => {
  it("counts on WeChat Pay's clock, however far ours is behind or ahead of it", () => {
    for (const aheadMs of [-59_000, 0, 59_000]) {
      const now = { ...nextBoot(born + 45 * MINUTE - aheadMs, true), aheadMs };
      expect(left(credential, now)).toBe(15 * MINUTE);
    }
  });
});

describe("a birth ahead of the boot clock", () => {
  it("is another boot's: the wall clock judges, and is not trusted", () => {
    const now = sameBoot(100_000, born + 45 * MINUTE);
    expect(left(credential, now)).toBe(15 * MINUTE);
    for (const wallTrusted of [false, true]) {
      expect(anchor(credential, { ...now, wallTrusted }, known()).trusted).toBe(false);
    }
    expect(left(credential, sameBoot(100_000, born + 61 * MINUTE))).toBe(-MINUTE);
  });
});

describe("age across boots", () => {
  it("counts by a confirmed wall clock, corrected by what the old clock was off", () => {
    expect(left(credential, nextBoot(born + 600_000, true))).toBe(HOUR - 600_000);
    const fast = { ...credential, skewMs: -200_000 };
    expect(left(fast, nextBoot(born + 600_000, true))).toBe(HOUR - 800_000);
  });
  it("is not made younger by a skew that no answer can have had", () => {
    expect(left({ ...credential, skewMs: HOUR }, nextBoot(born + HOUR, true))).toBe(300_000);
  });
  it("does not believe an unconfirmed clock that woke in the past", () => {
    expect(left(credential, nextBoot(0, false), born + 40 * MINUTE)).toBeLessThanOrEqual(20 * MINUTE);
    expect(anchor(credential, nextBoot(0, false), known(born + 900_000)).trusted).toBe(false);
  });
  it("takes the older reading while the clock is unconfirmed", () => {
    expect(left({ ...credential, skewMs: -200_000 }, nextBoot(born + 600_000, false))).toBe(HOUR - 800_000);
    expect(left({ ...credential, skewMs: 200_000 }, nextBoot(born + 600_000, false))).toBe(HOUR - 600_000);
    expect(left(credential, nextBoot(born + 600_000, false), born, 900_000)).toBe(HOUR - 900_000);
  });
});

describe("a clock that reads a time before the birth", () => {
  const early = nextBoot(born - HOUR, true);
  it("leaves the age unknown, never zero: half a life may have passed unwritten, and each start costs a step", () => {
    expect(left(credential, early)).toBe(HOUR - 20 * MINUTE - 5 * MINUTE);
    expect(anchor(credential, early, known()).trusted).toBe(false);
    const late = { ...credential, refreshAfterMs: 0.9 * HOUR };
    expect(left(late, early)).toBe(HOUR - 30 * MINUTE - 5 * MINUTE);
    expect(left(credential, early, born, 40 * MINUTE)).toBe(HOUR - 45 * MINUTE);
  });

  it("ends the life after a dozen starts at most, each killed at once", () => {
    let writtenMs: number | undefined;
    let starts = 0;
    for (let remaining = HOUR; remaining > 0; starts++) {
      const from = anchor(credential, early, known(born, writtenMs));
      const before = remaining;
      remaining = remainingMs(credential, from, early.boot);
      expect(remaining).toBeLessThan(before);
      writtenMs = ageToWrite(credential, from, early.boot, { writtenMs, refreshAfterMs: HOUR / 3 }) ?? writtenMs;
    }
    expect(starts).toBeLessThanOrEqual(12);
  });
});

describe("the wall clock set while the age is unsure", () => {
  const awake = nextBoot(0, false);
  const first = anchor(credential, awake, known());
  const later = (wall: number, wallTrusted: boolean) => ({ ...nextBoot(wall, wallTrusted), boot: 7_000 + 10 * MINUTE });
  it("to another time before the birth changes nothing", () => {
    expect(anchorAgain(credential, first, later(born - 1_000_000, false), known())).toBe(first);
  });
  it("to a time after it, and unconfirmed, gives nothing back of what has been lived", () => {
    const again = anchorAgain(credential, first, later(born + MINUTE, false), known());
    expect(remainingMs(credential, again, 7_000 + 10 * MINUTE)).toBe(25 * MINUTE);
    expect(again.trusted).toBe(false);
  });
  it("and confirmed tells the age", () => {
    const again = anchorAgain(credential, first, later(born + 12 * MINUTE, true), known());
    expect(remainingMs(credential, again, 7_000 + 10 * MINUTE)).toBe(48 * MINUTE);
    expect(again.trusted).toBe(true);
  });
});

describe("the age that is written down", () => {
  const refreshAfterMs = HOUR / 3;
  const writesOf = (from: Anchor, untilMs: number) => {
    const writes: number[] = [];
    let writtenMs: number | undefined;
    for (let boot = 7_000; boot <= 7_000 + untilMs; boot += 5_000) {
      const age = ageToWrite(credential, from, boot, { writtenMs, refreshAfterMs });
      if (age !== undefined) {
        writtenMs = age;
        writes.push(age);
      }
    }
    return writes;
  };
  const fresh: Anchor = { obtainedBootMs: 7_000, latestBootMs: 7_000, trusted: true };

  it("is none while renewals come in time, then every quarter of the life, its end, and few in the day after", () => {
    expect(writesOf(fresh, 21 * MINUTE - 5_000)).toEqual([]);
    const day = writesOf(fresh, 24 * HOUR);
    expect(day.slice(0, 4)).toEqual([21 * MINUTE, 36 * MINUTE, 51 * MINUTE, HOUR]);
    expect(day.length).toBeLessThanOrEqual(11);
  });

  it("is written more often where no clock tells it", () => {
    expect(writesOf({ ...fresh, trusted: false }, HOUR)).toHaveLength(12);
  });

  it("is what has been lived for certain, not what an unconfirmed clock says", () => {
    const from = anchor(credential, nextBoot(born + 1000 * HOUR, false), known());
    expect(remainingMs(credential, from, 7_000)).toBeLessThan(0);
    expect(writesOf(from, 6 * MINUTE)).toEqual([5 * MINUTE]);
  });
});

describe("whatever has been kept and whatever the clocks read", () => {
  const time = fc.oneof(
    fc.double({ min: 0, max: Date.UTC(2200, 0), noNaN: true }),
    fc.integer({ min: born - 2 * HOUR, max: born + 2 * HOUR }),
  );
  const boot = fc.oneof(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.integer({ min: 0, max: 2 * HOUR }));
  const kept = fc.record({
    obtainedBootMs: boot,
    obtainedWallMs: time,
    skewMs: fc.oneof(fc.integer({ min: -400_000, max: 400_000 }), fc.double({ noNaN: true, min: -1e13, max: 1e13 })),
    lifetimeMs: fc.integer({ min: 1, max: 86_400_000 }),
    bootId: fc.constantFrom("first-boot", "second-boot"),
    fraction: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const now = fc.record({ wall: time, boot, bootId: fc.constant("second-boot"), wallTrusted: fc.boolean() });
  const floor = fc.record({ wallFloorMs: time, ageAtLeastMs: fc.option(time, { nil: undefined }) });

  it("no life is longer than whole, none that is written ends later at the next start, and an unknown age is never fresh", () => {
    fc.assert(
      fc.property(
        kept,
        now,
        floor,
        fc.nat(HOUR),
        ({ fraction, ...drawn }, start, { ageAtLeastMs, wallFloorMs }, on) => {
          const one = { ...credential, ...drawn, refreshAfterMs: fraction * drawn.lifetimeMs };
          const from = anchor(one, start, known(wallFloorMs, ageAtLeastMs));
          for (const at of [start.boot, start.boot + on]) {
            const remaining = remainingMs(one, from, at);
            expect(remaining).toBeLessThanOrEqual(one.lifetimeMs);
            expect(Number.isFinite(remaining)).toBe(true);
          }
          expect(from.latestBootMs).toBeGreaterThanOrEqual(from.obtainedBootMs);
          if (one.bootId === start.bootId && one.obtainedBootMs > start.boot + 2_000) expect(from.trusted).toBe(false);
          // What is lived to the end in this boot is over in every later one whose clock knows nothing.
          if (from.trusted || remainingMs(one, from, start.boot) <= 0) return;
          const written = Math.max(ageAtLeastMs ?? 0, start.boot + one.lifetimeMs - from.latestBootMs);
          const asleep = { wall: 0, boot: 0, bootId: "third-boot", wallTrusted: false };
          expect(remainingMs(one, anchor(one, asleep, known(0, written)), 0)).toBeLessThanOrEqual(0);
        },
      ),
      { seed: 20261130, numRuns: 2_000 },
    );
  });
});

describe("wallStep", () => {
  it("sees steps either way and no drift", () => {
    expect(wallStep({ wall: 0, boot: 0 }, { wall: 5_000, boot: 5_000 })).toBe(0);
    expect(wallStep({ wall: 0, boot: 0 }, { wall: 6_900, boot: 5_000 })).toBe(0);
    expect(wallStep({ wall: 0, boot: 0 }, { wall: 5_000 + HOUR, boot: 5_000 })).toBe(HOUR);
    expect(wallStep({ wall: 0, boot: 0 }, { wall: 5_000 - HOUR, boot: 5_000 })).toBe(-HOUR);
  });
});
