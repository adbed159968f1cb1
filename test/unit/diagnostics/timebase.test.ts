import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createClockSync } from "../../../agent/common/clock-sync.ts";
import { judgeRtc } from "../../../agent/diagnostics/checks/time-checks.ts";
import { told } from "../../support/checks/told.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";

const MINUTE = 60_000;
const directory = mkdtempSync(path.join(os.tmpdir(), "facepay-timebase-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const flag = path.join(directory, "synchronized");
writeFileSync(flag, "");

describe("a wall clock before a time that has certainly passed", () => {
  const clock = new FakeClock();
  const clockSync = createClockSync(clock, "boot-1", flag);

  it("is wrong, whoever has confirmed it, until it is set", () => {
    expect(clockSync.status()).toMatchObject({ trusted: true, confirmedBy: "timesync" });
    clockSync.passed(clock.wall() + 10 * MINUTE);
    clockSync.passed(clock.wall());
    expect(clockSync.status()).toMatchObject({ trusted: false, behindMs: 10 * MINUTE });
    expect(clockSync.now().wallTrusted).toBe(false);
    expect(clockSync.observe().becameTrusted).toBe(false);
    clock.stepWall(9.5 * MINUTE);
    expect(clockSync.observe()).toMatchObject({ becameTrusted: true });
    expect(clockSync.status()).not.toHaveProperty("behindMs");
  });

  it("is a failure to diagnose, with the command that sets it", () => {
    const sources = { rtc: true, clockFileMs: undefined, builtMs: undefined };
    expect(judgeRtc(sources, clock.wall()).status).toBe("pass");
    const found = judgeRtc({ ...sources, behindS: 600 }, clock.wall());
    expect(told(found)).toMatchObject({
      status: "fail",
      remedy: { en: expect.stringContaining("timedatectl set-ntp true") },
    });
  });
});

it("a confirmation that comes between two looks is told by the next one", () => {
  const clockSync = createClockSync(new FakeClock(), "boot-1", path.join(directory, "nothing"));
  expect(clockSync.observe().becameTrusted).toBe(false);
  clockSync.confirm(100);
  expect(clockSync.observe().becameTrusted).toBe(true);
  expect(clockSync.observe().becameTrusted).toBe(false);
});

it("a clock that WeChat Pay's own confirms is known as exactly as that shows it, also when it has been set since", () => {
  const clock = new FakeClock();
  const clockSync = createClockSync(clock, "boot-1", path.join(directory, "nothing"));
  clockSync.confirm(100_000);
  expect(clockSync.now()).toMatchObject({ wallTrusted: false, aheadMs: 0 });
  clockSync.confirm(40_000);
  expect(clockSync.now()).toMatchObject({ wallTrusted: true, aheadMs: 40_000 });
  clockSync.confirm(50_000);
  expect(clockSync.now().aheadMs).toBe(40_000);
  clock.stepWall(39_000);
  clockSync.observe();
  expect(clockSync.now().aheadMs).toBe(1_000);
});
