import { describe, expect, it } from "vitest";
import { median, quantile, ratio } from "../../../scripts/bench/statistics.ts";
import { compared, render } from "../../../scripts/bench/table.ts";

describe("the statistics of the bench", () => {
  it("take the middle, of an even number between the two, and leave the order of the rounds alone", () => {
    const rounds = [5, 1, 3];
    expect(median(rounds)).toBe(3);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([0, 10, 20, 30], 0.25)).toBe(7.5);
    expect(median([])).toBeNaN();
    expect(rounds).toEqual([5, 1, 3]);
  });

  it("compare medians, and give the spread of the rounds", () => {
    expect(ratio([10, 30, 20], [10, 10, 10])).toEqual({ value: 2, spread: [1.5, 2.5] });
  });
});

describe("a row of the bench", () => {
  const row = (ours: number, limit: Parameters<typeof compared>[0]["limit"]) =>
    compared({ what: "w", ours: [ours], other: [100], otherName: "peer", show: (value) => `${value} ms`, limit });

  it("is reached up to its limit and missed beyond", () => {
    expect(row(140, { atMost: 1.4 }).reached).toBe(true);
    expect(row(141, { atMost: 1.4 }).reached).toBe(false);
    expect(row(85, { atLeast: 0.85 }).reached).toBe(true);
    expect(row(84, { atLeast: 0.85 }).reached).toBe(false);
    expect(row(100, { below: 1 }).reached).toBe(false);
    expect(row(Number.NaN, { atMost: 1.4 }).reached).toBe(false);
  });

  it("tells its figures in a Markdown table", () => {
    const [head, rule, line, ...more] = render([row(150, { atMost: 1.4 })]).split("\n");
    expect(head).toMatch(/^\| what +\| ours +\| against/);
    expect(rule).toMatch(/^(\| -+ )+\|$/);
    expect(line).toMatch(/^\| w +\| 150 ms +\| 100 ms \(peer\) +\| 1\.50 x \(1\.50 to 1\.50, 1 rounds\) +\| <= 1\.4 x/);
    expect(line).toContain("MISSED");
    expect(more).toEqual([]);
  });
});
