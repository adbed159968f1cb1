import { describe, expect, it } from "vitest";
import {
  decide,
  drawRefreshAfterMs,
  holdOffMs,
  linkDelayMs,
  redrawRefreshAfterMs,
  retryDelayMs,
  type Situation,
  stretchedFraction,
  stretchLeft,
  stretchMore,
  waitMs,
} from "../../../agent/credential/refresh-policy.ts";

const NOW = 1_000_000;
const idle: Situation = {
  plannedAtBootMs: 0,
  failures: 0,
  retryAtBootMs: 0,
  heldOffUntilBootMs: 0,
  lastAttemptEndedBootMs: 0,
};
const good = { remainingMs: 3_000_000, refreshInMs: 900_000, ageUnknown: false };

describe("decide", () => {
  it("asks at once without an authinfo, with an expired one, or with one of unknown age", () => {
    expect(decide(idle, NOW)).toEqual({ do: "refresh", why: "absent" });
    expect(decide({ ...idle, held: { ...good, remainingMs: 0 } }, NOW)).toEqual({ do: "refresh", why: "expired" });
    expect(decide({ ...idle, held: { ...good, ageUnknown: true } }, NOW)).toEqual({
      do: "refresh",
      why: "age_unknown",
    });
  });
  it("waits for the instant drawn for the credential", () => {
    expect(decide({ ...idle, held: good }, NOW)).toEqual({ do: "wait", untilBootMs: NOW + 900_000, why: "planned" });
    expect(decide({ ...idle, held: { ...good, refreshInMs: -1 } }, NOW)).toEqual({ do: "refresh", why: "planned" });
  });
  it("keeps the pause after a failure even when the authinfo has expired meanwhile", () => {
    const failed = { ...idle, failures: 3, retryAtBootMs: NOW + 7_000, held: { ...good, remainingMs: -5 } };
    expect(decide(failed, NOW)).toEqual({ do: "wait", untilBootMs: NOW + 7_000, why: "retry" });
    expect(decide(failed, NOW + 7_000)).toEqual({ do: "refresh", why: "retry" });
  });
  it("lets an urgent wish pass the pause and the plan", () => {
    const failed = { ...idle, failures: 3, retryAtBootMs: NOW + 290_000, held: good };
    expect(decide({ ...failed, urgentAtBootMs: NOW }, NOW)).toEqual({ do: "refresh", why: "urgent" });
    expect(decide({ ...idle, held: good, urgentAtBootMs: NOW + 5 }, NOW)).toMatchObject({ untilBootMs: NOW + 5 });
  });
  it("never lets a wish pass a Retry-After or the minimum gap", () => {
    const urgent = { ...idle, urgentAtBootMs: NOW };
    expect(decide({ ...urgent, heldOffUntilBootMs: NOW + 60_000 }, NOW)).toMatchObject({ untilBootMs: NOW + 60_000 });
    expect(decide({ ...urgent, lastAttemptEndedBootMs: NOW - 400 }, NOW)).toMatchObject({ untilBootMs: NOW + 600 });
  });
});

describe("waitMs", () => {
  it("is what is left until the attempt, and nothing when it is due or its instant has passed", () => {
    expect(waitMs({ do: "wait", untilBootMs: NOW + 900, why: "planned" }, NOW)).toBe(900);
    expect(waitMs({ do: "wait", untilBootMs: NOW, why: "planned" }, NOW + 5)).toBe(0);
    expect(waitMs({ do: "refresh", why: "absent" }, NOW)).toBe(0);
  });
});

describe("retryDelayMs", () => {
  const backoff = { retry: "backoff" } as const;
  it("is full jitter under a growing bound", () => {
    expect(retryDelayMs(backoff, 1, 0, 0.999)).toBeCloseTo(1_998);
    expect(retryDelayMs(backoff, 4, 0, 0.5)).toBe(8_000);
    expect(retryDelayMs(backoff, 4, 0, 0)).toBe(1_000);
  });
  it("is capped at 30 s while money is about to stop, else at 120 s", () => {
    for (const chance of [0, 0.5, 0.999_999]) {
      expect(retryDelayMs(backoff, 20, 599_999, chance)).toBeLessThan(30_000);
      expect(retryDelayMs(backoff, 20, 600_000, chance)).toBeLessThan(120_000);
    }
    expect(retryDelayMs(backoff, 20, 600_000, 0.5)).toBe(90_000);
  });
  it("draws from the upper half of the cap once the bound has reached it, and from all of the bound before", () => {
    expect(retryDelayMs(backoff, 4, 0, 0.1)).toBe(1_600);
    expect(retryDelayMs(backoff, 5, 0, 0)).toBe(15_000);
    expect(retryDelayMs(backoff, 6, 3_000_000, 0.1)).toBeCloseTo(6_400);
    expect(retryDelayMs(backoff, 7, 3_000_000, 0)).toBe(60_000);
  });
  it("stays finite and at least a second after 100 000 failures", () => {
    for (const failures of [58, 1024, 100_000]) {
      expect(retryDelayMs(backoff, failures, 0, 0.9)).toBe(28_500);
      expect(retryDelayMs(backoff, failures, 0, 0)).toBeGreaterThanOrEqual(1_000);
    }
  });
  it("covers a whole minute where a fleet has to be taken apart", () => {
    const refused = { retry: "throttled", spread: true } as const;
    expect(retryDelayMs(refused, 1, -1, 0.5)).toBe(30_000);
    expect(retryDelayMs(refused, 20, -1, 0.999)).toBeCloseTo(59_940);
    expect(retryDelayMs(refused, 1, -1, 0)).toBe(1_000);
  });
  it("is at least five minutes after an answer that only a person can fix", () => {
    expect(retryDelayMs({ retry: "slow" }, 1, 0, 0)).toBe(300_000);
    expect(retryDelayMs({ retry: "slow" }, 9, 0, 0.99)).toBeLessThanOrEqual(330_000);
  });
  it("holds off for Retry-After, never for less and at most a tenth more", () => {
    expect(holdOffMs({ retry: "throttled", retryAfterS: 60 }, 0)).toBe(60_000);
    expect(holdOffMs({ retry: "throttled", retryAfterS: 60 }, 0.99)).toBeLessThan(66_000);
    expect(holdOffMs({ retry: "throttled" }, 0.99)).toBe(0);
  });
});

describe("the instant of the first refresh", () => {
  it("lies in [0.5, 1] x refresh_at x lifetime", () => {
    expect(drawRefreshAfterMs(3_600_000, 0.5, 0)).toBe(900_000);
    expect(drawRefreshAfterMs(3_600_000, 0.5, 0.999_999)).toBeLessThanOrEqual(1_800_000);
  });
  it("is set by the gateway, within the life", () => {
    expect(drawRefreshAfterMs(3_600_000, 0.5, 0.3, 600)).toBe(600_000);
    expect(drawRefreshAfterMs(1_000_000, 0.5, 0.3, 3000)).toBe(900_000);
  });
  it("does not become a storm when WeChat Pay returns the same authinfo to the end", () => {
    let age = 0;
    let calls = 0;
    const life = 3_600_000;
    while (age < life - 1_000 && calls < 1_000) {
      age = redrawRefreshAfterMs(age, life - age, 0.5, 0);
      calls++;
    }
    expect(calls).toBeLessThan(30);
  });
});

describe("the stretch after a 429", () => {
  it("doubles with each, up to four, and is half gone every two hours", () => {
    expect(stretchMore(1)).toBe(2);
    expect([1, 2, 3, 4].reduce((stretch) => stretchMore(stretch), 1)).toBe(4);
    expect(stretchLeft(4, 0)).toBe(4);
    expect(stretchLeft(4, 2 * 3_600_000)).toBe(2.5);
    expect(stretchLeft(4, 24 * 3_600_000)).toBeLessThan(1.001);
    expect(stretchLeft(1, 3_600_000)).toBe(1);
  });
  it("leaves a quarter of the life, and never refreshes earlier than configured", () => {
    expect(stretchedFraction(0.25, 2)).toBe(0.5);
    expect(stretchedFraction(0.5, 4)).toBe(0.75);
    expect(stretchedFraction(0.9, 4)).toBe(0.9);
    expect(stretchedFraction(0.5, 1)).toBe(0.5);
  });
});

describe("linkDelayMs", () => {
  it("is short without a usable authinfo, and spreads a mall that has one", () => {
    expect(linkDelayMs(0, 0.999)).toBeLessThan(2_500);
    expect(linkDelayMs(8 * 60_000, 0.5)).toBe(2 * 60_000);
    expect(linkDelayMs(50 * 60_000, 0.5)).toBe(5 * 60_000);
  });
});
