import { describe, expect, it } from "vitest";
import type { AgentError } from "../../../agent/common/errors.ts";
import type { RefreshConfig } from "../../../agent/config/config.ts";
import { RetryState } from "../../../agent/credential/retry-state.ts";
import { failureWith } from "../../support/checks/failures.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = 100_000;
const refresh: RefreshConfig = { lifetimeS: 3600, refreshAt: 0.5, refreshAtUnsteady: 0.25, demand: "learn", staleS: 0 };
const limited = failureWith("PAY_RATE_LIMITED");
const broken = failureWith("PAY_SERVER_ERROR");
const offline = failureWith("PAY_CONNECT_TIMEOUT");

/** The pause after the last of `errors`, each following the one before at once. */
function pauseAfter(errors: readonly AgentError[], remainingMs: number | undefined, chance = 0.9): number {
  const retryState = new RetryState(START);
  for (const error of errors) retryState.failed(error, { boot: START, wall: 0 }, remainingMs, () => chance);
  const held = remainingMs === undefined ? undefined : { remainingMs, refreshInMs: 0, ageUnknown: false };
  const decision = retryState.decide(held, START);
  return decision.do === "wait" ? decision.untilBootMs - START : 0;
}

describe("an expired terminal that WeChat Pay refuses", () => {
  it("comes again within a minute, spread over all of it, after a 429 and after a 5xx", () => {
    for (const error of [limited, broken, failureWith("PAY_UNAVAILABLE")]) {
      expect(pauseAfter([error], -1)).toBe(54_000);
      expect(pauseAfter([offline, offline, error], -1)).toBe(54_000);
    }
  });
  it("goes on with the usual back-off after that", () => {
    expect(pauseAfter([limited, limited], -1)).toBeCloseTo(3_600);
    expect(pauseAfter([broken, limited], -1)).toBeCloseTo(3_600);
  });
  it("only then: not with a good authinfo, not without any, not after another failure", () => {
    expect(pauseAfter([limited], HOUR / 2)).toBeCloseTo(1_800);
    expect(pauseAfter([limited], undefined)).toBeCloseTo(1_800);
    expect(pauseAfter([offline], -1)).toBeCloseTo(1_800);
  });
  it("is spread anew when it is refused again after a success", () => {
    const retryState = new RetryState(START);
    const now = { boot: START, wall: 0 };
    retryState.failed(limited, now, -1, () => 0.5);
    retryState.succeeded(START);
    retryState.failed(limited, now, -1, () => 0.5);
    const held = { remainingMs: -1, refreshInMs: 0, ageUnknown: false };
    expect(retryState.decide(held, START)).toMatchObject({ untilBootMs: START + 30_000 });
  });
});

describe("a request that comes while an attempt is under way", () => {
  const fresh = { remainingMs: HOUR, refreshInMs: HOUR / 3, ageUnknown: false };
  it("is answered when that attempt succeeds: nothing follows out of turn", () => {
    const retryState = new RetryState(START);
    retryState.started("retry", START);
    retryState.networkChanged(undefined, START, () => 0.9);
    retryState.request("rejection", START);
    retryState.succeeded(START + 300, HOUR / 3);
    expect(retryState.decide(fresh, START + 5_000)).toMatchObject({ do: "wait", why: "planned" });
  });
  it("stands when it fails", () => {
    const retryState = new RetryState(START);
    retryState.started("planned", START);
    retryState.request("rejection", START);
    retryState.failed(offline, { boot: START, wall: 0 }, HOUR, () => 0.9);
    expect(retryState.decide(fresh, START + 1_000)).toEqual({ do: "refresh", why: "urgent" });
  });
});

describe("the fraction of life before a refresh", () => {
  const fractionAfter = (errors: readonly AgentError[], laterMs = 0) => {
    const retryState = new RetryState(START);
    for (const error of errors) retryState.failed(error, { boot: START, wall: 0 }, HOUR, () => 0.5);
    retryState.succeeded(START);
    return retryState.refreshFraction(refresh, START + laterMs);
  };
  it("is the configured one, or the one for an unsteady network", () => {
    expect(fractionAfter([])).toBe(0.5);
    expect(fractionAfter([broken])).toBe(0.5);
    expect(fractionAfter([offline])).toBe(0.25);
  });
  it("is stretched by a 429, in an unsteady network too, and comes back over hours", () => {
    expect(fractionAfter([limited])).toBe(0.75);
    expect(fractionAfter([offline, limited])).toBe(0.5);
    expect(fractionAfter([offline, limited, limited])).toBe(0.75);
    const recovering = [0, 1, 2, 4, 8, 16].map((hours) => fractionAfter([offline, limited], hours * HOUR));
    expect(recovering).toEqual([...recovering].sort((a, b) => b - a));
    expect(recovering[2]).toBeCloseTo(0.375);
    expect(recovering[5]).toBeCloseTo(0.25, 2);
  });
});

describe("a change of the network with a good authinfo", () => {
  const good = { remainingMs: 50 * MINUTE, refreshInMs: 15 * MINUTE, ageUnknown: false };
  const at = (retryState: RetryState, held = good, nowMs = START) => {
    const decision = retryState.decide(held, nowMs);
    return decision.do === "wait" ? decision.untilBootMs : nowMs;
  };
  it("is followed by an attempt within ten minutes", () => {
    const retryState = new RetryState(START);
    retryState.networkChanged(good, START, () => 0.8);
    expect(at(retryState)).toBe(START + 8 * MINUTE);
  });
  it("draws once, however often the link flaps", () => {
    const retryState = new RetryState(START);
    retryState.networkChanged(good, START, () => 0.8);
    for (let i = 0; i < 20; i++) retryState.networkChanged(good, START, () => i / 20);
    expect(at(retryState)).toBe(START + 8 * MINUTE);
  });
  it("adds nothing to an attempt that is due within that time anyway", () => {
    const retryState = new RetryState(START);
    const due = { ...good, refreshInMs: 7 * MINUTE };
    retryState.networkChanged(due, START, () => 0.1);
    expect(at(retryState, due)).toBe(START + 7 * MINUTE);
  });
  it("draws each time once it has expired: money waits", () => {
    const retryState = new RetryState(START);
    const over = { remainingMs: -1, refreshInMs: -MINUTE, ageUnknown: false };
    for (let i = 0; i < 8; i++) retryState.failed(offline, { boot: START, wall: 0 }, -1, () => 0.9);
    retryState.networkChanged(over, START, () => 0.9);
    retryState.networkChanged(over, START, () => 0.5);
    expect(at(retryState, over)).toBe(START + 1_250);
  });
});

describe("a hundred thousand failures in a row", () => {
  it("leave a pause that is finite, a second at least and the cap at most, after which an attempt really follows", () => {
    const chances = [0, 0.25, 0.5, 0.999_999];
    const cases: [error: AgentError, remainingMs: number, cap: number][] = [
      [offline, -1, 30_000],
      [offline, 2 * HOUR, 120_000],
      [limited, -1, 60_000],
      [failureWith("PAY_UNAUTHORIZED"), HOUR, 330_000],
    ];
    for (const [error, remainingMs, cap] of cases) {
      const retryState = new RetryState(START);
      const held = { remainingMs, refreshInMs: 0, ageUnknown: false };
      let now = START;
      for (let failure = 0; failure < 100_000; failure++) {
        retryState.started("retry", now);
        retryState.failed(error, { boot: now, wall: 0 }, remainingMs, () => chances[failure % chances.length] ?? 0);
        const next = retryState.decide(held, now);
        const pause = next.do === "wait" ? next.untilBootMs - now : 0;
        if (!(pause >= 1_000 && pause <= cap)) expect.fail(`${error.code}: ${pause} ms after ${failure + 1} failures`);
        now += pause;
        if (retryState.decide(held, now).do !== "refresh") expect.fail(`${error.code}: nothing after ${pause} ms`);
      }
      expect(retryState.failures).toBe(100_000);
    }
  });
});

describe("the cause that is shown", () => {
  it("has the words and facts of the last failure, and is as old as the first of its code", () => {
    const retryState = new RetryState(START);
    const refused = (status: number, answerCode: string) =>
      failureWith("PAY_UNAUTHORIZED", {}, { httpStatus: status, answerCode });
    const fails = (error: AgentError, wall: number) => retryState.failed(error, { boot: START, wall }, HOUR, () => 0.5);
    expect(fails(refused(401, "GATEWAY_TOKEN_UNKNOWN"), 1)).toBe(true);
    expect(fails(refused(401, "GATEWAY_CERTIFICATE_EXPIRED"), 2)).toBe(false);
    expect(retryState.cause).toEqual({
      code: "PAY_UNAUTHORIZED",
      sinceWallMs: 1,
      params: { httpStatus: 401, answerCode: "GATEWAY_CERTIFICATE_EXPIRED" },
      httpStatus: 401,
      reason: "GATEWAY_CERTIFICATE_EXPIRED",
    });
    expect(fails(offline, 3)).toBe(true);
    expect(retryState.cause).toEqual({ code: "PAY_CONNECT_TIMEOUT", sinceWallMs: 3, params: {} });
  });
});
