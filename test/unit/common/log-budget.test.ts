import { describe, expect, it } from "vitest";
import { LogRateLimiter } from "../../../agent/common/log/log-rate-limiter.ts";

describe("the budget of a log", () => {
  it("lets twenty of a kind through, then one a minute, and counts what is left out", () => {
    const budget = new LogRateLimiter();
    const told = Array.from({ length: 100 }, () => budget.spend("REFRESH_FAILED", 0));
    expect(told.filter((leftOut) => leftOut !== undefined)).toHaveLength(20);
    expect(budget.spend("REFRESH_FAILED", 59_000)).toBeUndefined();
    expect(budget.spend("REFRESH_FAILED", 60_000)).toBe(81);
    expect(budget.spend("REFRESH_FAILED", 60_001)).toBeUndefined();
  });

  it("is kept for each code by itself", () => {
    const budget = new LogRateLimiter();
    for (let i = 0; i < 50; i++) budget.spend("BRIDGE_CHANGED", 0);
    expect(budget.spend("AUTHINFO_OBTAINED", 0)).toBe(0);
  });

  it("stays within one line a minute over a day of failures", () => {
    const budget = new LogRateLimiter();
    let lines = 0;
    for (let ms = 0; ms < 24 * 3_600_000; ms += 2_000) if (budget.spend("REFRESH_FAILED", ms) !== undefined) lines++;
    expect(lines).toBeLessThanOrEqual(20 + 24 * 60);
    expect(lines).toBeGreaterThan(24 * 50);
  });
});
