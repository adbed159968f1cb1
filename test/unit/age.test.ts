import { describe, expect, it } from "vitest";
import { anchor, remainingMs } from "../../agent/authinfo/age.ts";
import type { Credential } from "../../agent/authinfo/credential.ts";
import { type Instant, wallStep } from "../../agent/timebase.ts";

const HOUR = 3_600_000;
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
  refreshAfterMs: HOUR / 2,
};
const sameBoot = (boot: number, wall: number): Instant => ({ wall, boot, bootId: "first-boot", wallTrusted: false });
const nextBoot = (wall: number, wallTrusted: boolean): Instant => ({
  wall,
  boot: 7_000,
  bootId: "second-boot",
  wallTrusted,
});
const left = (c: Credential, now: Instant, floor = born) => remainingMs(c, anchor(c, now, floor), now.boot);

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
    expect(anchor(credential, sameBoot(560_000, 0), born).trusted).toBe(true);
  });
});

describe("age across boots", () => {
  it("counts by a confirmed wall clock, corrected by what the old clock was off", () => {
    expect(left(credential, nextBoot(born + 600_000, true))).toBe(HOUR - 600_000);
    const fast = { ...credential, skewMs: -200_000 };
    expect(left(fast, nextBoot(born + 600_000, true))).toBe(HOUR - 800_000);
  });
  it("does not believe an unconfirmed clock that woke in the past", () => {
    expect(left(credential, nextBoot(0, false), born + 900_000)).toBe(HOUR - 900_000);
    expect(anchor(credential, nextBoot(0, false), born + 900_000).trusted).toBe(false);
  });
  it("takes the older reading while the clock is unconfirmed", () => {
    expect(left({ ...credential, skewMs: -200_000 }, nextBoot(born + 600_000, false))).toBe(HOUR - 800_000);
    expect(left({ ...credential, skewMs: 200_000 }, nextBoot(born + 600_000, false))).toBe(HOUR - 600_000);
  });
  it("never makes it younger than new, and does not trust a confirmed clock from before its birth", () => {
    const early = nextBoot(born - HOUR, true);
    expect(left(credential, early)).toBe(HOUR);
    expect(anchor(credential, early, born).trusted).toBe(false);
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
