import { describe, expect, it } from "vitest";
import { ReconnectPacing, untilHeartbeat } from "../../../agent/telemetry/pacing.ts";
import { seeded } from "../../support/faults/seeded.ts";

const MINUTE = 60_000;

/** Tries in each second after all have lost the broker at once, which is away for `awayS`. */
function triesBySecond(terminals: number, awayS: number, untilS: number): number[] {
  const seconds = new Array<number>(untilS).fill(0);
  const chance = seeded(7);
  for (let n = 0; n < terminals; n++) {
    const pacing = new ReconnectPacing();
    let at = pacing.after(2 * MINUTE, chance.unit()) / 1_000;
    while (at < untilS) {
      seconds[Math.floor(at)] = (seconds[Math.floor(at)] ?? 0) + 1;
      if (at >= awayS) break;
      at += pacing.after(0, chance.unit()) / 1_000;
    }
  }
  return seconds;
}

describe("reconnecting to the broker", () => {
  it("spreads the first try after the loss of a connection that has stood over a minute", () => {
    const pacing = new ReconnectPacing();
    expect(pacing.after(MINUTE, 0.5)).toBe(30_500);
    expect(pacing.after(MINUTE, 0.999_999)).toBeLessThan(MINUTE);
  });

  it("has a cap of two minutes, full jitter, and never hurries", () => {
    const pacing = new ReconnectPacing();
    pacing.after(0, 0);
    for (let n = 0; n < 50; n++) expect(pacing.after(0, 0.5)).toBe(60_500);
    expect(pacing.after(0, 0)).toBe(1_000);
    expect(pacing.after(0, 0.999_999)).toBeLessThan(2 * MINUTE);
  });

  it("takes a connection that is cut at once for one more failure, and one that has stood for none", () => {
    const pacing = new ReconnectPacing();
    pacing.after(0, 0.5);
    expect(pacing.after(59_000, 0.5)).toBe(60_500);
    expect(pacing.after(61_000, 0.5)).toBe(30_500);
  });

  it("brings no more than 3 % of 5 000 terminals in any second after a restart of the broker", () => {
    expect(Math.max(...triesBySecond(5_000, 0, 120)) / 5_000).toBeLessThan(0.03);
  });

  it("holds the peak below twice the mean in the first hour of an outage", () => {
    const seconds = triesBySecond(20_000, 3_600, 3_600);
    const mean = seconds.reduce((sum, each) => sum + each, 0) / seconds.length;
    // The chance of single seconds is not the rule's: ten of them together.
    const tens = seconds.map((_each, at) => seconds.slice(at, at + 10).reduce((sum, each) => sum + each, 0) / 10);
    expect(Math.max(...tens.slice(0, -10)) / mean).toBeLessThan(2);
  });
});

describe("the regular report", () => {
  const hour = 3_600_000;

  it("comes at the same instants for one terminal, whenever that was started", () => {
    for (const wall of [1_700_000_000_000, 1_700_000_123_456]) {
      const at = wall + untilHeartbeat("DEVICE-1", hour, wall);
      expect(at % hour).toBe((1_700_000_000_000 + untilHeartbeat("DEVICE-1", hour, 1_700_000_000_000)) % hour);
      expect(at).toBeGreaterThan(wall);
      expect(at).toBeLessThanOrEqual(wall + hour);
    }
  });

  it("spreads a fleet evenly", () => {
    const tenths = new Array<number>(10).fill(0);
    for (let n = 0; n < 10_000; n++) {
      const tenth = Math.floor((untilHeartbeat(`LTA${n}`, hour, 0) / hour) * 10 - 1e-9);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.max(...tenths)).toBeLessThan(1_200);
    expect(Math.min(...tenths)).toBeGreaterThan(800);
  });

  it("survives a clock before 1970", () => {
    expect(untilHeartbeat("X", hour, -5_000)).toBeGreaterThan(0);
  });
});
