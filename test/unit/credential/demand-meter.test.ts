import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createClockSync, type Instant } from "../../../agent/common/clock-sync.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { RefreshConfig } from "../../../agent/config/config.ts";
import { CredentialManager } from "../../../agent/credential/credential-manager.ts";
import { DemandMeter, demandStatus, storedDemand } from "../../../agent/credential/demand-meter.ts";
import {
  type DemandProfile,
  emptyProfile,
  isFollowed,
  SLOT_MS,
  SLOTS,
  slotOf,
  UNSEEN,
} from "../../../agent/credential/demand-profile.ts";
import { emptyState, type State } from "../../../agent/store/credential.ts";
import { parseState } from "../../../agent/store/state-format.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { FakeLine, FakeStore } from "../../support/fakes/fake-line.ts";

const MINUTE = 60_000;
const refresh: RefreshConfig = {
  lifetimeS: 3600,
  refreshAt: 0.5,
  refreshAtUnsteady: 0.25,
  demand: "learn",
  staleS: 82_800,
};
const MONDAY = Date.UTC(2026, 0, 5);

/** Looks every five seconds, as the loop does, and counts `uses` at each. */
class Watched {
  readonly meter = new DemandMeter(refresh, undefined);
  /** Within the half-hour before. */
  wall = MONDAY - 20 * MINUTE;
  boot = 0;
  trusted = true;

  pass(ms: number, uses = 0): this {
    for (const end = this.boot + ms; this.boot < end; ) {
      for (let i = 0; i < uses; i++) this.meter.used();
      this.wall += 5_000;
      this.boot += 5_000;
      this.meter.observe(this.now());
    }
    return this;
  }

  get seen(): [slot: number, count: number][] {
    const first = slotOf(MONDAY);
    return this.meter.profile.trades.flatMap((count, slot) => (count === UNSEEN ? [] : [[slot - first, count]]));
  }

  now(): Instant {
    return { wall: this.wall, boot: this.boot, bootId: "b", wallTrusted: this.trusted };
  }
}

describe("what is observed", () => {
  it("is each whole half-hour, with the reads and calls in it", () => {
    const watched = new Watched();
    // The one in which it starts is not whole.
    watched
      .pass(20 * MINUTE, 7)
      .pass(SLOT_MS, 1)
      .pass(SLOT_MS)
      .pass(10 * MINUTE, 3);
    expect(watched.seen).toEqual([
      [0, 360],
      [1, 0],
    ]);
  });

  it("is nothing while the clock is not confirmed", () => {
    const watched = new Watched();
    watched.trusted = false;
    watched.pass(20 * MINUTE + 4 * SLOT_MS + 10 * MINUTE, 1);
    expect(watched.seen).toEqual([]);
    watched.trusted = true;
    watched.pass(2 * SLOT_MS, 1);
    watched.trusted = false;
    watched.pass(2 * SLOT_MS, 1);
    expect(watched.seen.map(([slot]) => slot)).toEqual([5]);
  });

  it.each([-SLOT_MS * 48, -SLOT_MS, -20 * MINUTE, 20 * MINUTE, SLOT_MS, SLOT_MS * 48])(
    "is no half-hour in which the clock was set by %i ms",
    (step) => {
      const watched = new Watched().pass(20 * MINUTE + 15 * MINUTE, 1);
      watched.wall += step;
      watched.pass(SLOT_MS, 1);
      expect(watched.seen).toEqual([]);
      watched.pass(SLOT_MS, 1);
      expect(watched.seen.length).toBe(1);
    },
  );
});

describe("what is kept", () => {
  const trades = fc.array(fc.oneof(fc.constant(UNSEEN), fc.double({ min: 0, max: 1e12, noNaN: true })), {
    minLength: SLOTS,
    maxLength: SLOTS,
  });

  it("is read as it was written, to a few percent, and always of the same length", () => {
    fc.assert(
      fc.property(trades, (each) => {
        const profile: DemandProfile = { trades: each, weight: 3, spaced: 1 };
        const stored = storedDemand(profile);
        expect(stored.trades.length).toBe(448);
        const read = new DemandMeter(refresh, stored).profile;
        read.trades.forEach((count, slot) => {
          const was = each[slot] ?? Number.NaN;
          if (was === UNSEEN) expect(count).toBe(UNSEEN);
          else if (was < 50_000) expect(Math.abs(count - was)).toBeLessThanOrEqual(0.04 * (1 + was));
          else expect(count).toBeGreaterThan(40_000);
        });
      }),
      { numRuns: 50, seed: 21 },
    );
  });

  it.each([
    undefined,
    null,
    7,
    [],
    { trades: "", weight: 1, spaced: 1 },
    { trades: "A".repeat(447), weight: 1, spaced: 1 },
    { trades: "A".repeat(452), weight: 1, spaced: 1 },
    { trades: "*".repeat(448), weight: 1, spaced: 1 },
    { trades: "A".repeat(448), weight: -1, spaced: 1 },
    { trades: "A".repeat(448), weight: 1 },
    { trades: "A".repeat(448), weight: "1", spaced: 1 },
    { trades: ["A".repeat(448)], weight: 1, spaced: 1 },
  ])("is left out of a state where it is wrong, and the rest is read (%#)", (demand) => {
    const state = parseState(Buffer.from(JSON.stringify({ ...emptyState, generation: 4, demand })));
    expect(state).toEqual({ ...emptyState, generation: 4 });
  });

  it("is read from a state that holds it", () => {
    const demand = storedDemand(emptyProfile);
    expect(parseState(Buffer.from(JSON.stringify({ ...emptyState, demand })))?.demand).toEqual(demand);
  });
});

/** Followed, and busy in the two half-hours from 05:00 UTC of each day: the test's clock starts on a Monday at 04:00. */
const lunch: DemandProfile = {
  trades: Array.from({ length: SLOTS }, (_, slot) => ([10, 11].includes(slot % 48) ? 80 : 0)),
  weight: 100,
  spaced: 50,
};

function terminal(state: State, demand: RefreshConfig["demand"], signal: AbortSignal) {
  const clock = new FakeClock();
  const line = new FakeLine(clock);
  const store = new FakeStore(state);
  const credentials = new CredentialManager({
    identity: { spMchid: "1900000100", spAppid: "wx1", subMchid: "1900000109", organizationId: "O1" },
    refresh: { ...refresh, demand },
    times: { bridgeWaitMs: 10_000, attemptMs: 45_000 },
    clockSync: createClockSync(clock, "boot-1", "/nonexistent/synchronized"),
    random: { unit: () => 0.5, bytes: (length) => Buffer.alloc(length) },
    log: silentLog,
    onAttempt: () => undefined,
    ...{ store, clock },
  });
  void credentials.run(line.line, signal);
  return { clock, line, store, credentials };
}

describe("a terminal that learns", () => {
  it("refreshes often an hour before its trade, less otherwise, and evenly when it shall not follow demand", async () => {
    const gapsWith = async (demand: RefreshConfig["demand"]) => {
      const stop = new AbortController();
      const { clock, line } = terminal({ ...emptyState, demand: storedDemand(lunch) }, demand, stop.signal);
      for (let i = 0; i < 30; i++) await clock.advance(5 * MINUTE);
      stop.abort();
      return line.askedAt.map((at) => (at - (line.askedAt[0] ?? 0)) / MINUTE);
    };
    const learned = await gapsWith("learn");
    // 04:00 to 05:00 looks at the trade of 05:00 to 06:00.
    expect(learned.filter((at) => at < 60).length).toBeGreaterThanOrEqual(7);
    expect(learned.filter((at) => at >= 75 && at < 135).length).toBeLessThanOrEqual(3);
    expect((await gapsWith("off")).slice(0, 4)).toEqual([0, 22.5, 45, 67.5]);
  });

  it("writes what it has learned with the refreshes, and nothing besides", async () => {
    const stop = new AbortController();
    const { clock, line, store, credentials } = terminal(emptyState, "learn", stop.signal);
    await clock.advance(30 * MINUTE);
    for (let i = 0; i < 12; i++) {
      for (let reads = 0; reads < 10; reads++) credentials.used();
      await clock.advance(10 * MINUTE);
    }
    stop.abort();
    expect(store.writes).toBe(line.askedAt.length);
    const { demand } = store.state;
    const read = demand && new DemandMeter(refresh, demand).profile;
    const seen = (read?.trades ?? []).filter((each) => each !== UNSEEN);
    expect(seen.filter((count) => Math.abs(count - 30) < 1.5).length).toBeGreaterThanOrEqual(3);
    expect(credentials.status().demand?.followed).toBe(false);
  });

  it("keeps what it has learned when demand is not to be followed", async () => {
    const stop = new AbortController();
    const demand = storedDemand(lunch);
    const { clock, store, credentials } = terminal({ ...emptyState, demand }, "off", stop.signal);
    await clock.advance(MINUTE);
    stop.abort();
    expect(store.writes).toBe(1);
    expect(store.state.demand).toEqual(demand);
    expect(credentials.status().demand).toBeUndefined();
  });

  it("tells its week from Monday on", () => {
    expect(isFollowed(lunch)).toBe(true);
    const { followed, weekUtc } = demandStatus({ ...lunch, trades: lunch.trades.with(slotOf(MONDAY), UNSEEN) });
    expect(followed).toBe(true);
    expect(weekUtc).toHaveLength(7);
    expect(weekUtc[0]).toBe(`.${"0".repeat(9)}99${"0".repeat(36)}`);
    expect(weekUtc[6]).toBe(`${"0".repeat(10)}99${"0".repeat(36)}`);
  });
});
