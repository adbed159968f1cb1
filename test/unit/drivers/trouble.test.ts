import { describe, expect, it } from "vitest";
import { ReconnectBackoff } from "../../../drivers/sdk/reconnect-backoff.ts";
import { failureWith } from "../../support/checks/failures.ts";

describe("the trouble with a bridge", () => {
  it("is news once for each cause, and again after a ready bridge", () => {
    const trouble = new ReconnectBackoff();
    const absent = () => failureWith("BRIDGE_NOT_FOUND");
    expect(trouble.note(absent())).toBe(true);
    expect(trouble.note(absent())).toBe(false);
    expect(trouble.note(failureWith("BRIDGE_TIMEOUT"))).toBe(true);
    expect(trouble.problem?.code).toBe("BRIDGE_TIMEOUT");
    trouble.clear();
    expect(trouble.problem).toBeUndefined();
    expect(trouble.note(absent())).toBe(true);
  });

  it("makes the pauses grow, openings and handshakes each by themselves, until the bridge is ready", () => {
    const trouble = new ReconnectBackoff();
    expect([1, 2, 3, 4, 5, 6].map(() => trouble.openAgainInMs(1))).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000]);
    expect([1, 2].map(() => trouble.tryAgainInMs(1))).toEqual([500, 1_000]);
    trouble.clear();
    expect(trouble.openAgainInMs(1)).toBe(500);
    expect(trouble.tryAgainInMs(1)).toBe(500);
    expect(trouble.openAgainInMs(0)).toBe(100);
  });

  it("is told, with its facts, to whoever asks for something", () => {
    const trouble = new ReconnectBackoff();
    expect(trouble.notReady()).toMatchObject({ code: "BRIDGE_NOT_READY", params: {} });
    const cause = failureWith("SDK_ERROR", {}, { returnCode: "FAIL" });
    trouble.note(cause);
    expect(trouble.notReady()).toMatchObject({ code: "SDK_ERROR", params: { returnCode: "FAIL" }, cause });
  });
});
