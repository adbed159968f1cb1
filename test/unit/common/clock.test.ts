import os from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** CLOCK_MONOTONIC of this boot, the same in every process. */
const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;

describe("systemClock", () => {
  it.each([
    ["10 ms", 10],
    ["a second, where /proc/uptime is hidden", 1_000],
  ])("is one clock for all processes of a boot, though the board's uptime has a resolution of %s", (_what, step) => {
    vi.spyOn(os, "uptime").mockImplementation(() => (Math.floor(monotonicMs() / step) * step) / 1_000);
    const [before, boot, after] = [monotonicMs(), systemClock().boot(), monotonicMs()];
    expect(boot).toBeGreaterThanOrEqual(before);
    expect(boot).toBeLessThanOrEqual(after);
  });

  it("counts the time in which the board was suspended before this process", () => {
    vi.spyOn(os, "uptime").mockImplementation(() => monotonicMs() / 1_000 + 3_600);
    expect(systemClock().boot() - monotonicMs()).toBeCloseTo(3_600_000, -1);
  });

  it("sleeps no shorter than asked on the boot clock", async () => {
    const clock = systemClock();
    const before = clock.boot();
    await clock.sleep(30);
    expect(clock.boot() - before).toBeGreaterThanOrEqual(29);
  });

  it("gives up a sleep with the reason of the signal", async () => {
    const reason = new Error("enough");
    await expect(systemClock().sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("does not fire at once when asked for more than a timer can hold", async () => {
    const controller = new AbortController();
    const sleep = systemClock().sleep(Number.POSITIVE_INFINITY, controller.signal);
    const first = await Promise.race([
      sleep.then(() => "fired"),
      systemClock()
        .sleep(50)
        .then(() => "still asleep"),
    ]);
    controller.abort(new Error("test over"));
    await expect(sleep).rejects.toThrow("test over");
    expect(first).toBe("still asleep");
  });

  it("rings a timer once, when it is due, and not at all when it has been called off", async () => {
    const clock = systemClock();
    const rung: string[] = [];
    const before = clock.boot();
    clock.timer(30, () => rung.push(`after ${clock.boot() - before >= 29 ? "30 ms" : "too little"}`));
    const callOff = clock.timer(10, () => rung.push("called off"));
    const callOffEndless = clock.timer(Number.POSITIVE_INFINITY, () => rung.push("endless"));
    callOff();
    await clock.sleep(80);
    callOffEndless();
    expect(rung).toEqual(["after 30 ms"]);
  });
});
