import { describe, expect, it } from "vitest";
import {
  beatEveryMs,
  mayFeed,
  notifyPlace,
  type ServerSign,
  statusText,
} from "../../../agent/runtime/systemd/notice.ts";
import { absentView, makeView } from "../../support/fixtures/api-fixture.ts";

const place = (env: Record<string, string>) => notifyPlace({ NOTIFY_SOCKET: "/run/systemd/notify", ...env }, 42);

describe("what systemd has asked for", () => {
  it("is nothing without a socket, or with one of another kind", () => {
    expect(notifyPlace({}, 42)).toBeUndefined();
    for (const address of ["", "/", "@", "vsock:2:1234", "run/notify", `/${"x".repeat(107)}`]) {
      expect(place({ NOTIFY_SOCKET: address }), address).toBeUndefined();
    }
  });

  it("is a path or an abstract name", () => {
    expect(place({})).toEqual({ address: "/run/systemd/notify" });
    expect(place({ NOTIFY_SOCKET: "@abc" })).toEqual({ address: "@abc" });
  });

  it("has a watchdog only when that waits for this very process", () => {
    expect(place({ WATCHDOG_USEC: "60000000" })?.watchdogMs).toBe(60_000);
    expect(place({ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "42" })?.watchdogMs).toBe(60_000);
    expect(place({ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "43" })).toEqual({ address: "/run/systemd/notify" });
    for (const usec of ["0", "", "-5", "soon", "1e6"])
      expect(place({ WATCHDOG_USEC: usec })?.watchdogMs).toBeUndefined();
  });

  it("gets four beats within the watchdog's time", () => {
    expect(beatEveryMs({ address: "/x", watchdogMs: 60_000 })).toBe(15_000);
    expect(beatEveryMs({ address: "/x", watchdogMs: 100 })).toBe(250);
    expect(beatEveryMs({ address: "/x" })).toBe(30_000);
  });
});

describe("the watchdog", () => {
  const signs: ServerSign[] = ["answered", "unknown", "silent", "refused"];

  it("is fed while both loops turn, and when only the question could not be put", () => {
    const fed = (scheduler: boolean) => signs.filter((server) => mayFeed({ scheduler, server }));
    expect(fed(true)).toEqual(["answered", "unknown"]);
    expect(fed(false)).toEqual([]);
  });
});

describe("the status line", () => {
  it("names state, generation and the minutes left, in the language asked for", () => {
    expect(statusText(makeView(), "en")).toBe("fresh, generation 7, 59 min left");
    expect(statusText(makeView(), "zh-CN")).toBe("有效，第 7 份，剩余 59 分钟");
    expect(statusText(makeView({ state: "expired", remainingMs: -5 }), "en")).toBe("expired, generation 7, 0 min left");
  });

  it("names the cause, and is one line in both languages", () => {
    const cause = { code: "PAY_DNS", sinceWallMs: 1 };
    expect(statusText({ ...absentView, cause }, "both")).toBe("尚未获取 (PAY_DNS) / absent (PAY_DNS)");
    expect(statusText(makeView({ state: "due", cause }), "en")).toBe(
      "due: still good, being renewed, generation 7, 59 min left (PAY_DNS)",
    );
  });

  it("never holds an authinfo", () => {
    for (const language of ["both", "en", "zh-CN"] as const) {
      expect(statusText(makeView(), language)).not.toContain("CANARY");
    }
  });
});
