import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { judgeRtc } from "../../agent/diagnose/time-checks.ts";
import { createTimebase } from "../../agent/timebase.ts";
import { FakeClock } from "../support/fake-clock.ts";

const MINUTE = 60_000;
const directory = mkdtempSync(path.join(os.tmpdir(), "facepay-timebase-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const flag = path.join(directory, "synchronized");
writeFileSync(flag, "");

describe("a wall clock before a time that has certainly passed", () => {
  const clock = new FakeClock();
  const timebase = createTimebase(clock, "boot-1", flag);

  it("is wrong, whoever has confirmed it, until it is set", () => {
    expect(timebase.status()).toMatchObject({ trusted: true, confirmedBy: "timesync" });
    timebase.passed(clock.wall() + 10 * MINUTE);
    timebase.passed(clock.wall());
    expect(timebase.status()).toMatchObject({ trusted: false, behindMs: 10 * MINUTE });
    expect(timebase.now().wallTrusted).toBe(false);
    expect(timebase.observe().becameTrusted).toBe(false);
    clock.stepWall(9.5 * MINUTE);
    expect(timebase.observe()).toMatchObject({ becameTrusted: true });
    expect(timebase.status()).not.toHaveProperty("behindMs");
  });

  it("is a failure to diagnose, with the command that sets it", () => {
    const sources = { rtc: true, clockFileMs: undefined, builtMs: undefined };
    expect(judgeRtc(sources, clock.wall()).status).toBe("pass");
    const found = judgeRtc({ ...sources, behindS: 600 }, clock.wall());
    expect(found).toMatchObject({
      status: "fail",
      remedy: { en: expect.stringContaining("timedatectl set-ntp true") },
    });
  });
});

it("a confirmation that comes between two looks is told by the next one", () => {
  const timebase = createTimebase(new FakeClock(), "boot-1", path.join(directory, "nothing"));
  expect(timebase.observe().becameTrusted).toBe(false);
  timebase.confirm(100);
  expect(timebase.observe().becameTrusted).toBe(true);
  expect(timebase.observe().becameTrusted).toBe(false);
});
