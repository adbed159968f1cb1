import { describe, expect, it } from "vitest";
import { hoursAskedFor } from "../../../agent/api/history-document.ts";
import { History, type Observation } from "../../../agent/runtime/history.ts";
import { faultsOfAnswer } from "../../support/checks/api-description.ts";

const S = 1_000;
const MIN = 60 * S;
const H = 60 * MIN;
/** By the wall clock at the start of the boot. */
const WALL = Date.UTC(2026, 0, 5);

const fresh = (generation: number, remainingMs: number): Observation => ({
  state: "fresh",
  held: { generation, remainingMs },
  bridge: { ready: true },
});
const at = (bootMs: number, offset = 0) => ({ boot: bootMs, wall: WALL + bootMs + offset });
const time = (bootMs: number) => new Date(WALL + bootMs).toISOString();

describe("the history", () => {
  it("tells states, attempts, outages and reads as intervals", () => {
    const history = new History();
    history.observe(0, { state: "absent", bridge: { ready: false } });
    history.observe(10 * S, fresh(1, H));
    history.attempt(10 * S, "ok");
    history.read(20 * S);
    history.read(21 * S);
    history.attempt(30 * MIN, "PAY_TIMEOUT");
    history.observe(30 * MIN, { ...fresh(1, 30 * MIN), state: "due", code: "PAY_TIMEOUT" });
    history.observe(40 * MIN, {
      ...fresh(1, 20 * MIN),
      state: "due",
      code: "PAY_TIMEOUT",
      bridge: { ready: false, code: "BRIDGE_LOST" },
    });
    const found = history.document(at(50 * MIN), 24);
    expect(found).toEqual({
      at: time(50 * MIN),
      hours: 24,
      from: time(0),
      merged: 0,
      states: [
        { state: "absent", from: time(0), seconds: 10 },
        { state: "fresh", generation: 1, from: time(10 * S), seconds: 1_790, remaining_s: 3_600 },
        { state: "due", generation: 1, code: "PAY_TIMEOUT", from: time(30 * MIN), seconds: 1_200, remaining_s: 1_800 },
      ],
      attempts: [
        { outcome: "ok", from: time(10 * S), seconds: 0, count: 1 },
        { outcome: "PAY_TIMEOUT", from: time(30 * MIN), seconds: 0, count: 1 },
      ],
      bridge_outages: [
        { from: time(0), seconds: 10, ongoing: false },
        { code: "BRIDGE_LOST", from: time(40 * MIN), seconds: 600, ongoing: true },
      ],
      reads: [{ from: time(0), seconds: 900, count: 2 }],
    });
  });

  it("says the same of the same whether it is asked often or seldom", () => {
    const [often, seldom] = [new History(), new History()];
    for (let ms = 0; ms <= H; ms += 5 * S) often.observe(ms, fresh(1, H - ms));
    seldom.observe(0, fresh(1, H));
    expect(often.document(at(H), 1)).toEqual(seldom.document(at(H), 1));
  });

  it("bends no duration when the wall clock is set, and tells times as that clock reads now", () => {
    const history = new History();
    history.observe(0, { state: "absent" });
    history.observe(10 * MIN, fresh(1, H));
    const set = 30 * 365 * 24 * H;
    const found = history.document(at(20 * MIN, set), 24);
    expect(found.states.map(({ from, seconds }) => [Date.parse(from) - WALL - set, seconds])).toEqual([
      [0, 600],
      [10 * MIN, 600],
    ]);
  });

  it("cuts to the hours asked for, and forgets what is older than a day", () => {
    const history = new History();
    for (let hour = 0; hour < 72; hour++) {
      history.observe(hour * H, fresh(hour + 1, H));
      history.attempt(hour * H, "ok");
      history.read(hour * H);
    }
    const day = history.document(at(72 * H), 24);
    expect([day.from, day.states.length, day.attempts.length, day.reads.length]).toEqual([time(48 * H), 24, 24, 24]);
    const half = history.document(at(72 * H - 30 * MIN), 1);
    expect(
      half.states.map(({ generation, from, seconds, remaining_s }) => [generation, from, seconds, remaining_s]),
    ).toEqual([
      [71, time(70.5 * H), 1_800, 1_800],
      [72, time(71 * H), 1_800, 3_600],
    ]);
  });

  it("stays within 64 KiB and 24 h, and as described, whatever befalls the terminal", () => {
    const history = new History();
    const code = `PAY_${"X".repeat(24)}`;
    const states = ["unprovisioned", "rejected", "expired", "stale"];
    // Seeded: a linear congruential generator (Numerical Recipes).
    let seed = 7;
    const draw = (below: number) => {
      seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
      return Math.floor((seed / 2 ** 32) * below);
    };
    let now = 1e9;
    for (let n = 0; n < 6_000; n++) {
      history.observe(now, {
        state: states[draw(4)] ?? "",
        held: { generation: 4_000_000_000 + draw(1_000_000), remainingMs: draw(86_400_000) },
        code: `${code}_${draw(9)}`,
        bridge: { ready: draw(2) === 0, code: `${code}_${draw(9)}` },
      });
      history.attempt(now, draw(3) === 0 ? "ok" : `${code}_${draw(9)}`);
      for (let reads = draw(3); reads > 0; reads--) history.read(now);
      now += draw(8 * MIN);
      if (n % 97 !== 0) continue;
      const found = history.document(at(now), 24);
      const text = JSON.stringify(found);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64 * 1024);
      const headers = { "content-type": "application/json", "cache-control": "no-store" };
      expect(faultsOfAnswer("GET", "/v1/history", { status: 200, headers, text })).toEqual([]);
      expect(Date.parse(found.at) - Date.parse(found.from)).toBeLessThanOrEqual(24 * H);
      const known = found.states.reduce((sum, { seconds }) => sum + seconds, 0);
      expect(known * 1_000).toBeCloseTo(Date.parse(found.at) - Date.parse(found.from), -1);
    }
    expect(history.document(at(now), 24).merged).toBeGreaterThan(1_000);
  });

  it("merges what is shortest when there is too much, and keeps what lasted", () => {
    const history = new History();
    history.observe(0, fresh(1, 24 * H));
    history.observe(H, { state: "expired" });
    for (let n = 0; n < 500; n++) history.observe(2 * H + n * S, n % 2 === 0 ? fresh(2, 20 * H) : { state: "absent" });
    const found = history.document(at(6 * H), 24);
    expect(found.states.length).toBeLessThanOrEqual(160);
    expect(found.states.slice(0, 2)).toMatchObject([
      { state: "fresh", seconds: 3_600 },
      { state: "expired", seconds: 3_600 },
    ]);
    expect(found.states.at(-1)).toMatchObject({ state: "absent", seconds: 14_400 - 499 });
  });

  it("tells many failures in a row as one run of the same count", () => {
    const history = new History();
    for (let n = 0; n < 1_000; n++) {
      history.observe(n * MIN, { state: "expired" });
      history.attempt(n * MIN, "PAY_DNS");
    }
    history.attempt(1_000 * MIN, "ok");
    const { attempts } = history.document(at(1_000 * MIN), 24);
    expect(attempts.length).toBeLessThanOrEqual(160);
    expect(attempts.reduce((sum, { count }) => sum + count, 0)).toBe(1_001);
    expect(attempts.at(-1)).toMatchObject({ outcome: "ok", count: 1 });
  });
});

describe("the hours asked for", () => {
  it.each([
    ["", 24],
    ["hours=1", 1],
    ["hours=24", 24],
    ["x=1&hours=9", 9],
    ...["hours=", "hours", "hours=0", "hours=25", "hours=99", "hours=007", "hours=1.5", "hours=-1", "hours=1e1"].map(
      (bad) => [bad, undefined] as const,
    ),
    ["hours=1&hours=2", undefined],
    ["hours=%31", undefined],
    ["HOURS=x", 24],
  ] as const)("%j is %j", (query, hours) => {
    expect(hoursAskedFor(query)).toBe(hours);
  });
});
