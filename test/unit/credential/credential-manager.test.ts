import { afterEach, describe, expect, it } from "vitest";
import { createClockSync } from "../../../agent/common/clock-sync.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { RefreshConfig } from "../../../agent/config/config.ts";
import { CredentialManager } from "../../../agent/credential/credential-manager.ts";
import type { AuthinfoView } from "../../../agent/credential/credential-types.ts";
import { emptyState, type State } from "../../../agent/store/credential.ts";
import { failureWith } from "../../support/checks/failures.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { FakeLine, FakeStore } from "../../support/fakes/fake-line.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const refresh: RefreshConfig = {
  lifetimeS: 3600,
  refreshAt: 0.5,
  refreshAtUnsteady: 0.25,
  demand: "learn",
  staleS: 82_800,
};
const stops: AbortController[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

interface Setting {
  state?: State;
  /** The disk has yielded the state, but is not sure to yield it again. */
  dirty?: boolean;
  disk?: () => Promise<void>;
  bootId?: string;
  clock?: FakeClock;
  chance?: number;
  deviceId?: string;
}

function terminal(setting: Setting = {}) {
  const { state, dirty = false, disk, bootId = "boot-1", clock = new FakeClock(), chance = 0.5, deviceId } = setting;
  const line = new FakeLine(clock);
  const store = new FakeStore(state);
  Object.assign(store, { dirty }, disk && { disk });
  const outcomes: string[] = [];
  const clockSync = createClockSync(clock, bootId, "/nonexistent/synchronized");
  const credentials = new CredentialManager({
    identity: {
      spMchid: "1900000100",
      spAppid: "wx1",
      subMchid: "1900000109",
      organizationId: "O1",
      ...(deviceId === undefined ? {} : { deviceId }),
    },
    refresh,
    times: { bridgeWaitMs: 10_000, attemptMs: 45_000 },
    store,
    clockSync,
    clock,
    random: { unit: () => chance, bytes: (length) => Buffer.alloc(length) },
    log: silentLog,
    onAttempt: (outcome) => outcomes.push(outcome),
  });
  const views: AuthinfoView[] = [];
  credentials.subscribe((view) => views.push(view));
  const start = async () => {
    const stop = new AbortController();
    stops.push(stop);
    void credentials.run(line.line, stop.signal);
    await clock.settle();
    return stop;
  };
  return { clock, line, store, credentials, clockSync, outcomes, views, start };
}

const unavailable = () => failureWith("PAY_UNAVAILABLE");
const told = (views: readonly AuthinfoView[]) => views.map((view) => view.state);

describe("a terminal that starts with nothing", () => {
  it("obtains, writes, then announces an authinfo, and refreshes it at the drawn instant", async () => {
    const t = terminal();
    await t.start();
    expect(t.credentials.view()).toMatchObject({ state: "fresh", persisted: true, credential: { generation: 1 } });
    expect(t.store.writes).toBe(1);
    expect(t.store.state.credential?.authinfo).toBe("authinfo-1");
    // chance 0.5: 0.75 x 0.5 x 3600 s
    await t.clock.advance(1_349_000);
    expect(t.line.askedAt).toHaveLength(1);
    await t.clock.advance(2_000);
    expect(t.line.askedAt).toHaveLength(2);
    expect(t.line.planned).toEqual([false, true]);
    expect(t.credentials.view()).toMatchObject({ state: "fresh", credential: { generation: 2 } });
    expect(t.store.writes).toBe(2);
  });

  it("keeps the instant that was drawn for a refresh, at every look and after a restart", async () => {
    const t = terminal({ chance: 0.25 });
    await t.start();
    const { atWallMs } = t.credentials.status().next;
    await t.clock.advance(10 * MINUTE);
    expect(t.credentials.status().next).toEqual({ why: "planned", atWallMs });
    const after = terminal({ state: t.store.state, clock: t.clock, chance: 0.99 });
    expect(after.credentials.status().next).toEqual({ why: "planned", atWallMs });
  });

  it("knows the newest signed time it has verified, also after a restart, and never an older one", async () => {
    const t = terminal();
    t.line.answer = () => ({ signedAtS: 1_000 });
    await t.start();
    t.line.answer = () => ({ signedAtS: 998 });
    await t.clock.advance(30 * MINUTE);
    await t.clock.advance(30 * MINUTE);
    expect(t.line.newest).toEqual([0, 1_000, 1_000]);
    const again = terminal({ state: t.store.state, clock: t.clock });
    await again.start();
    await t.clock.advance(HOUR);
    expect(again.line.newest[0]).toBe(1_000);
  });

  it("says absent with the cause of the last failure and when it will try again", async () => {
    const t = terminal();
    t.line.answer = unavailable;
    await t.start();
    expect(t.credentials.view()).toMatchObject({ state: "absent", cause: { code: "PAY_UNAVAILABLE" } });
    expect(t.credentials.retryAfterS()).toBe(1);
    expect(t.outcomes).toEqual(["pay_unavailable"]);
    t.line.answer = () => ({});
    await t.clock.advance(1_100);
    expect(t.credentials.view().state).toBe("fresh");
    expect(t.credentials.view().cause).toBeUndefined();
  });

  it("names the line's problem while the first attempt still waits for the bridge, and goes on when it appears", async () => {
    const t = terminal();
    t.line.ready = false;
    await t.start();
    expect(t.credentials.view()).toMatchObject({ state: "absent", cause: { code: "BRIDGE_NOT_FOUND" } });
    await t.clock.advance(10_001);
    expect(t.outcomes).toEqual(["bridge_not_found"]);
    await t.clock.advance(3 * MINUTE);
    t.line.ready = true;
    t.line.tell({ type: "ready", identity: t.line.identity });
    await t.clock.advance(1_001);
    expect(t.credentials.view().state).toBe("fresh");
  });
});

describe("a refresh that fails", () => {
  it("never removes, replaces or hides the authinfo that still holds, and is retried until one succeeds", async () => {
    const t = terminal();
    await t.start();
    t.line.answer = unavailable;
    await t.clock.advance(30 * MINUTE);
    expect(t.credentials.view()).toMatchObject({ state: "due", credential: { authinfo: "authinfo-1", generation: 1 } });
    // The authinfo, and the age that it has reached without a successor.
    expect(t.store.writes).toBe(2);
    await t.clock.advance(29 * MINUTE);
    expect(t.credentials.view().state).toBe("due");
    await t.clock.advance(2 * MINUTE);
    expect(t.credentials.view().state).toBe("stale");
    t.line.answer = () => ({});
    await t.clock.advance(31_000);
    expect(t.credentials.view()).toMatchObject({ state: "fresh", credential: { generation: 2 } });
  });

  it("is tried at least eight times in the last five minutes of life", async () => {
    const t = terminal({ chance: 0.9 });
    await t.start();
    t.line.answer = unavailable;
    await t.clock.advance(HOUR);
    const end = t.line.askedAt[0] as number;
    const late = t.line.askedAt.filter((at) => at > end + HOUR - 5 * MINUTE && at < end + HOUR);
    expect(late.length).toBeGreaterThanOrEqual(8);
  });

  it("never asks twice within a second, whatever asks for it", async () => {
    const t = terminal({ chance: 0 });
    await t.start();
    t.line.answer = unavailable;
    for (let i = 0; i < 200; i++) {
      t.credentials.refresh(new AbortController().signal).catch(() => undefined);
      t.line.tell({ type: "ready", identity: t.line.identity });
      await t.clock.advance(137);
    }
    const gaps = t.line.askedAt.slice(1).map((at, i) => at - (t.line.askedAt[i] as number));
    expect(gaps.length).toBeGreaterThan(10);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
  });

  it("waits five minutes after an answer that only a person can fix", async () => {
    const t = terminal();
    t.line.answer = () => failureWith("PAY_UNAUTHORIZED");
    await t.start();
    await t.clock.advance(299_000);
    expect(t.line.askedAt).toHaveLength(1);
    await t.clock.advance(32_000);
    expect(t.line.askedAt).toHaveLength(2);
  });

  it("is tried at once when keys or tokens have been replaced, unless all is well", async () => {
    const t = terminal();
    t.line.answer = () => failureWith("PAY_UNAUTHORIZED");
    await t.start();
    t.line.answer = () => ({});
    t.credentials.secretsRenewed();
    await t.clock.advance(1_001);
    expect(t.line.askedAt).toHaveLength(2);
    t.credentials.secretsRenewed();
    await t.clock.advance(60_000);
    expect(t.line.askedAt).toHaveLength(2);
  });

  it("is tried at once when the clock is set that was to blame", async () => {
    for (const blamedForMs of [0, 60_000]) {
      const t = terminal();
      t.line.answer = () => failureWith("CLOCK_WRONG");
      await t.start();
      await t.clock.advance(blamedForMs);
      expect(t.line.askedAt).toHaveLength(1);
      t.line.answer = () => ({});
      t.clock.stepWall(7 * 60_000);
      // Within five seconds on a real terminal, where the request takes its time as well.
      await t.clock.advance(1_001);
      expect(t.credentials.view().state).toBe("fresh");
    }
  });

  it("is tried at once when that clock is set in the middle of the attempt, or set and set back between two looks", async () => {
    const t = terminal();
    const gate = Promise.withResolvers<object>();
    t.line.answer = () => gate.promise;
    await t.start();
    t.clock.stepWall(7 * 60_000);
    await t.clock.advance(5_001);
    t.line.answer = () => failureWith("CLOCK_WRONG");
    gate.reject(failureWith("CLOCK_WRONG"));
    await t.clock.settle();
    await t.clock.advance(1_001);
    expect(t.line.askedAt).toHaveLength(2);
    t.clock.stepWall(-7 * 60_000);
    await t.clock.advance(5_001);
    expect(t.line.askedAt).toHaveLength(3);
  });

  it("keeps a Retry-After, also against a request for a refresh", async () => {
    const t = terminal();
    t.line.answer = () => failureWith("PAY_RATE_LIMITED", { retryAfterS: 120 });
    await t.start();
    const refused = t.credentials.refresh(new AbortController().signal);
    await expect(refused).rejects.toMatchObject({
      code: "PAY_RATE_LIMITED",
      params: { variant: "held", seconds: expect.any(Number) },
    });
    await t.clock.advance(119_000);
    expect(t.line.askedAt).toHaveLength(1);
    t.line.answer = () => ({});
    await t.clock.advance(20_000);
    expect(t.credentials.view().state).toBe("fresh");
  });

  it("draws the next refreshes later after a 429, and at the usual instants again half a day later", async () => {
    const t = terminal({ chance: 0.999 });
    await t.start();
    expect(t.store.state.credential?.refreshAfterMs).toBeLessThanOrEqual(1_800_000);
    t.line.answer = () => failureWith("PAY_RATE_LIMITED");
    await t.clock.advance(31 * MINUTE);
    t.line.answer = () => ({});
    await t.clock.advance(3 * MINUTE);
    expect(t.credentials.view()).toMatchObject({ state: "fresh", credential: { generation: 2 } });
    expect(t.store.state.credential?.refreshAfterMs).toBeGreaterThan(2_600_000);
    await t.clock.advance(16 * HOUR);
    expect(t.store.state.credential?.refreshAfterMs).toBeLessThan(1_830_000);
  });

  it("spreads its next request over a minute when it is refused although the authinfo has expired", async () => {
    const t = terminal({ chance: 0.9 });
    await t.start();
    t.line.answer = () => failureWith("PAY_CONNECT_TIMEOUT");
    await t.clock.advance(HOUR + MINUTE);
    t.line.answer = () => failureWith("PAY_SERVER_ERROR");
    await t.clock.advance(30_000);
    const asked = t.line.askedAt.length;
    t.line.answer = () => ({});
    await t.clock.advance(23_000);
    expect(t.line.askedAt).toHaveLength(asked);
    await t.clock.advance(32_000);
    expect(t.credentials.view()).toMatchObject({ state: "fresh" });
  });

  it("draws the next refresh earlier for a day once the network was unsteady", async () => {
    const t = terminal({ chance: 0.999 });
    const firstSignAt = t.clock.wall();
    t.line.answer = () => failureWith("PAY_CONNECT_TIMEOUT");
    await t.start();
    t.line.answer = () => ({});
    await t.clock.advance(3_000);
    expect(t.store.state.credential?.refreshAfterMs).toBeLessThanOrEqual(900_000);
    expect(t.store.state.unsteadyUntilWallMs).toBeGreaterThan(t.clock.wall());
    const { unsteadySinceWallMs = 0 } = t.credentials.status();
    expect(unsteadySinceWallMs).toBeGreaterThanOrEqual(firstSignAt);
    expect(unsteadySinceWallMs).toBeLessThanOrEqual(firstSignAt + 2_000);
  });

  it.each(["PAY_UNAVAILABLE", "PAY_SERVER_ERROR", "PAY_CONNECT_REFUSED", "PAY_TLS_UNTRUSTED"] as const)(
    "takes %s, which has come over the link, for no sign of an unsteady network",
    async (code) => {
      const t = terminal({ chance: 0.999 });
      t.line.answer = () => failureWith(code);
      await t.start();
      t.line.answer = () => ({});
      await t.clock.advance(5 * MINUTE);
      expect(t.store.state.credential).toBeDefined();
      expect(t.credentials.status().unsteadySinceWallMs).toBeUndefined();
      expect(t.store.state.unsteadyUntilWallMs).toBeLessThanOrEqual(t.clock.wall());
    },
  );
});

describe("a request for a refresh", () => {
  it("shares the attempt under way", async () => {
    const t = terminal();
    await t.start();
    const gate = Promise.withResolvers<object>();
    t.line.answer = () => gate.promise;
    await t.clock.advance(2_000);
    const signal = new AbortController().signal;
    const all = Promise.all([
      t.credentials.refresh(signal),
      t.credentials.refresh(signal),
      t.credentials.refresh(signal),
    ]);
    await t.clock.settle();
    expect(t.credentials.view().state).toBe("due");
    gate.resolve({});
    const views = await all;
    expect(t.line.askedAt).toHaveLength(2);
    expect(views.map((view) => view.credential?.generation)).toEqual([2, 2, 2]);
  });

  it("breaks the five-minute hold and reports the cause", async () => {
    const t = terminal();
    t.line.answer = () => failureWith("PAY_FORBIDDEN");
    await t.start();
    await t.clock.advance(2_000);
    const asked = t.credentials.refresh(new AbortController().signal);
    await expect(asked).rejects.toMatchObject({ code: "PAY_FORBIDDEN" });
    expect(t.line.askedAt).toHaveLength(2);
  });

  it("ends when its caller goes away, without ending the attempt", async () => {
    const t = terminal();
    await t.start();
    const gate = Promise.withResolvers<object>();
    t.line.answer = () => gate.promise;
    await t.clock.advance(2_000);
    const away = new AbortController();
    const asked = t.credentials.refresh(away.signal);
    await t.clock.settle();
    away.abort(new Error("client gone"));
    await expect(asked).rejects.toThrow("client gone");
    gate.resolve({});
    await t.clock.settle();
    expect(t.credentials.view().credential?.generation).toBe(2);
  });
});

describe("a rejection by the SDK", () => {
  it("starts a renewal within a second and serves the old one as rejected until the new one is there", async () => {
    const t = terminal();
    await t.start();
    const gate = Promise.withResolvers<object>();
    await t.clock.advance(10_000);
    t.line.answer = () => gate.promise;
    expect(t.credentials.reject({ generation: 1 })).toBe("renewing");
    await t.clock.advance(1_000);
    expect(t.line.askedAt).toHaveLength(2);
    expect(t.credentials.view()).toMatchObject({ state: "rejected", credential: { generation: 1 } });
    expect(t.credentials.reject({ generation: 1 })).toBe("renewing");
    gate.resolve({});
    await t.clock.settle();
    expect(t.credentials.view()).toMatchObject({ state: "fresh", credential: { generation: 2 } });
    expect(t.credentials.reject({ generation: 1 })).toBe("outdated");
  });

  it("costs at most six extra calls an hour", async () => {
    const t = terminal({ chance: 0.999 });
    await t.start();
    const start = t.clock.boot();
    const results = new Set<string>();
    while (t.clock.boot() - start < 29 * MINUTE) {
      results.add(t.credentials.reject({ generation: t.credentials.view().credential?.generation ?? 0 }));
      await t.clock.advance(5_000);
    }
    expect(t.line.askedAt.length).toBe(1 + 6);
    expect(results).toContain("limited");
    expect(t.credentials.view().state).toBe("rejected");
  });

  it("does not believe the same authinfo returned once more", async () => {
    const t = terminal();
    t.line.answer = () => ({ authinfo: "always-the-same" });
    await t.start();
    await t.clock.advance(2_000);
    t.credentials.reject({ generation: 1 });
    await t.clock.advance(1_000);
    expect(t.credentials.view()).toMatchObject({ state: "rejected", cause: { code: "PAY_AUTHINFO_UNCHANGED" } });
  });
});

describe("an authinfo returned once more", () => {
  it("keeps its generation and its earlier expiry, and costs no write", async () => {
    const t = terminal();
    t.line.answer = () => ({ authinfo: "always-the-same" });
    await t.start();
    await t.clock.advance(25 * MINUTE);
    expect(t.line.askedAt.length).toBeGreaterThanOrEqual(2);
    expect(t.credentials.view()).toMatchObject({ state: "fresh", credential: { generation: 1 } });
    expect(Math.round(t.credentials.view().remainingMs / MINUTE)).toBe(35);
    expect(t.store.writes).toBe(1);
    await t.clock.advance(34 * MINUTE);
    expect(t.line.askedAt.length).toBeLessThan(20);
  });
  it("lives as long as expires_in says", async () => {
    const t = terminal();
    t.line.answer = () => ({ authinfo: "always-the-same", expiresInS: 3600 });
    await t.start();
    await t.clock.advance(23 * MINUTE);
    expect(t.credentials.view().credential?.generation).toBe(1);
    expect(t.credentials.view().remainingMs).toBeGreaterThan(58 * MINUTE);
    expect(t.store.writes).toBe(2);
  });
});

describe("a renewal that fails", () => {
  it("is told to subscribers when it begins, changes its cause and ends, and not at each attempt", async () => {
    const t = terminal();
    await t.start();
    const told = () => t.views.splice(0).map(({ state, cause }) => `${state} ${cause?.code ?? "-"}`);
    told();
    t.line.answer = unavailable;
    await t.clock.advance(40 * MINUTE);
    expect(t.outcomes.length).toBeGreaterThan(5);
    expect(told()).toEqual(["due -", "due PAY_UNAVAILABLE"]);
    t.line.answer = () => failureWith("PAY_DNS");
    await t.clock.advance(5 * MINUTE);
    expect(told()).toEqual(["due PAY_DNS"]);
    // Readers are told; the history of states is for states.
    expect(t.credentials.status().history.map(({ to }) => to)).toEqual(["fresh", "due"]);
    t.line.answer = () => ({});
    await t.clock.advance(5 * MINUTE);
    expect(told()).toEqual(["fresh -"]);
  });
});

describe("expiry", () => {
  it("is told to subscribers at the instant, without any attempt ending", async () => {
    const t = terminal();
    t.line.answer = () => ({ expiresInS: 60 });
    await t.start();
    t.line.answer = () => new Promise(() => {});
    await t.clock.advance(59_000);
    expect(told(t.views).at(-1)).toBe("due");
    await t.clock.advance(1_100);
    expect(told(t.views).at(-1)).toBe("expired");
  });
  it("of an assumed life leaves it stale until stale_s has passed, then expired", async () => {
    const t = terminal();
    await t.start();
    t.line.answer = unavailable;
    await t.clock.advance(HOUR + 1_000);
    expect(t.credentials.view().state).toBe("stale");
    await t.clock.advance(82_800_000);
    expect(t.credentials.view().state).toBe("expired");
    // A day of outage: it has never given up, has written little, and its loops turn.
    expect(t.clock.boot() - (t.line.askedAt.at(-1) ?? 0)).toBeLessThan(31_000);
    expect(t.store.writes).toBeLessThanOrEqual(12);
    expect(t.credentials.isAlive()).toBe(true);
  });
});

describe("a disk that fails", () => {
  it("does not hold the authinfo back, and is tried again within a minute", async () => {
    const t = terminal();
    t.store.disk = () => Promise.reject(failureWith("STORE_WRITE"));
    await t.start();
    expect(t.credentials.view()).toMatchObject({ state: "fresh", persisted: false });
    const tried = t.store.writes;
    t.store.disk = () => Promise.resolve();
    await t.clock.advance(MINUTE);
    expect(t.store.writes).toBeGreaterThan(tried);
    expect(t.credentials.view().persisted).toBe(true);
    expect(t.views.at(-1)?.persisted).toBe(true);
  });
  it("holds it back for two seconds at most when it hangs", async () => {
    const t = terminal();
    const hang = Promise.withResolvers<void>();
    t.store.disk = () => hang.promise;
    await t.start();
    expect(t.credentials.view().state).toBe("absent");
    await t.clock.advance(2_000);
    expect(t.credentials.view()).toMatchObject({ state: "fresh", persisted: false });
    hang.resolve();
    await t.clock.settle();
    expect(t.credentials.view().persisted).toBe(true);
  });
});

describe("kept state", () => {
  const kept = async () => {
    const t = terminal();
    const stop = await t.start();
    await t.clock.advance(10 * MINUTE);
    stop.abort();
    await t.clock.settle();
    return t;
  };

  it("that a power cut could still take away is not called persisted before it has been written", async () => {
    const before = await kept();
    const hang = Promise.withResolvers<void>();
    const { clock, store } = before;
    const after = terminal({ state: store.state, dirty: true, disk: () => hang.promise, clock });
    expect(after.credentials.view()).toMatchObject({ state: "fresh", persisted: false });
    hang.resolve();
    await clock.settle();
    expect(after.credentials.view()).toMatchObject({ state: "fresh", persisted: true });
    expect(after.views.map(({ persisted }) => persisted)).toEqual([true]);
    expect(after.store.writes).toBe(1);
  });

  it("is served at once by the next process, with the right remaining time", async () => {
    const before = await kept();
    const after = terminal({ state: before.store.state, clock: before.clock });
    await before.clock.advance(MINUTE);
    expect(after.credentials.view()).toMatchObject({
      state: "fresh",
      credential: { authinfo: "authinfo-1" },
      persisted: true,
    });
    expect(after.credentials.view().remainingMs).toBe(49 * MINUTE);
  });

  it("is served after a reboot without a clock as due, is not trusted, and is renewed at once", async () => {
    const before = await kept();
    const clock = new FakeClock({ wall: 0, boot: 9_000 });
    const after = terminal({ state: before.store.state, clock, bootId: "boot-2" });
    expect(after.credentials.view()).toMatchObject({ state: "due", clockTrusted: false });
    expect(after.credentials.view().remainingMs).toBeLessThan(HOUR * 0.6);
    after.line.answer = () => ({ authinfo: "another" });
    await after.start();
    expect(after.line.askedAt).toHaveLength(1);
    expect(after.credentials.view()).toMatchObject({
      state: "fresh",
      clockTrusted: true,
      credential: { generation: 2 },
    });
  });

  it("does not begin a new life with each start of a terminal whose clock is wrong, and is over for good when it is over", async () => {
    const before = await kept();
    let { state } = before.store;
    let remaining = HOUR;
    for (let boot = 2; boot < 30 && remaining > 0; boot++) {
      const clock = new FakeClock({ wall: 0, boot: 9_000 });
      const after = terminal({ state, clock, bootId: `boot-${boot}` });
      expect(after.clockSync.status().behindMs).toBeGreaterThan(HOUR);
      const view = after.credentials.view();
      expect(view.remainingMs).toBeLessThan(remaining);
      if (view.remainingMs > 0) expect(view).toMatchObject({ state: "due", clockTrusted: false });
      remaining = view.remainingMs;
      after.line.answer = unavailable;
      const stop = await after.start();
      await clock.advance(2 * MINUTE);
      expect(after.line.askedAt.length).toBeGreaterThan(0);
      stop.abort();
      await clock.settle();
      state = after.store.state;
    }
    expect(remaining).toBeLessThanOrEqual(0);
    const last = terminal({ state, clock: new FakeClock({ wall: 0, boot: 9_000 }), bootId: "boot-99" });
    expect(["stale", "expired"]).toContain(last.credentials.view().state);
  });

  it("shrinks when the clock of the new boot is set", async () => {
    const before = await kept();
    const clock = new FakeClock({ wall: 0, boot: 9_000 });
    const after = terminal({ state: before.store.state, clock, bootId: "boot-2" });
    after.line.ready = false;
    await after.start();
    clock.stepWall((before.store.state.credential?.obtainedWallMs ?? 0) + 50 * MINUTE);
    await clock.advance(6_000);
    expect(Math.round(after.credentials.view().remainingMs / MINUTE)).toBe(10);
    clock.stepWall(HOUR);
    await clock.advance(6_000);
    expect(after.credentials.view().state).toBe("stale");
  });

  it("does not change its age when the wall clock steps within a boot, and costs no request", async () => {
    const t = terminal();
    await t.start();
    for (const step of [HOUR, -HOUR, 365 * 24 * HOUR, -2 * 365 * 24 * HOUR]) {
      const left = t.credentials.view().remainingMs;
      t.clock.stepWall(step);
      await t.clock.advance(6_000);
      expect(left - t.credentials.view().remainingMs).toBe(6_000);
    }
    expect(t.line.askedAt).toHaveLength(1);
  });

  it("of another configured device is not served", async () => {
    const before = await kept();
    const after = terminal({ state: before.store.state, clock: before.clock, deviceId: "D2" });
    expect(after.credentials.view().state).toBe("absent");
  });

  it("is dropped, on disk too, as soon as the bridge names another device", async () => {
    const before = await kept();
    const after = terminal({ state: before.store.state, clock: before.clock });
    after.line.ready = false;
    await after.start();
    expect(after.credentials.view().state).toBe("fresh");
    after.line.tell({ type: "ready", identity: { ...after.line.identity, deviceId: "D9" } });
    expect(after.credentials.view().state).toBe("absent");
    expect(after.store.state.credential).toBeUndefined();
    after.line.ready = true;
    await after.clock.advance(11_000);
    expect(after.credentials.view()).toMatchObject({ state: "fresh", credential: { deviceId: "D9", generation: 2 } });
  });

  it("starts from nothing with an empty state", () => {
    expect(terminal({ state: emptyState }).credentials.view().state).toBe("absent");
  });
});

describe("a change of the network", () => {
  it("brings an expired terminal back within five seconds, whatever the back-off had drawn", async () => {
    const t = terminal({ chance: 0.9 });
    t.line.answer = unavailable;
    await t.start();
    await t.clock.advance(10 * MINUTE);
    t.line.answer = () => ({});
    const asked = t.line.askedAt.length;
    await t.clock.advance(2_000);
    expect(t.line.askedAt).toHaveLength(asked);
    t.credentials.networkChanged();
    await t.clock.advance(5_000);
    expect(t.credentials.view().state).toBe("fresh");
  });
  it("starts the back-off anew, since the first attempt may come before DNS works", async () => {
    const t = terminal({ chance: 0.9 });
    t.line.answer = unavailable;
    await t.start();
    await t.clock.advance(10 * MINUTE);
    t.credentials.networkChanged();
    await t.clock.advance(5_000);
    t.line.answer = () => ({});
    await t.clock.advance(4_000);
    expect(t.credentials.view().state).toBe("fresh");
  });
  it("lets one that still holds a good authinfo wait its turn within ten minutes", async () => {
    const t = terminal({ chance: 0.9 });
    await t.start();
    t.credentials.networkChanged();
    await t.clock.advance(8 * MINUTE);
    expect(t.line.askedAt).toHaveLength(1);
    await t.clock.advance(2 * MINUTE);
    expect(t.line.askedAt).toHaveLength(2);
  });
  it("does not break the five minutes after a 401, nor a Retry-After", async () => {
    for (const error of [failureWith("PAY_UNAUTHORIZED"), failureWith("PAY_RATE_LIMITED", { retryAfterS: 600 })]) {
      const t = terminal();
      t.line.answer = () => error;
      await t.start();
      t.credentials.networkChanged();
      await t.clock.advance(299_000);
      expect(t.line.askedAt).toHaveLength(1);
    }
  });
});

describe("the bridge's facts", () => {
  it("a changed network card means a new authinfo while the old one is served", async () => {
    const t = terminal();
    await t.start();
    const gate = Promise.withResolvers<object>();
    t.line.answer = () => gate.promise;
    await t.clock.advance(5_000);
    t.line.tell({ type: "changed", identity: { ...t.line.identity, netId: "n2" }, what: ["network"] });
    await t.clock.advance(100);
    expect(t.line.askedAt).toHaveLength(2);
    expect(t.credentials.view()).toMatchObject({ state: "due", credential: { generation: 1 } });
    gate.resolve({});
    await t.clock.settle();
    expect(t.credentials.view().credential).toMatchObject({ generation: 2, netId: "n2" });
  });
  it("another device id than the configured one is an error", async () => {
    const t = terminal({ deviceId: "D2" });
    await t.start();
    expect(t.credentials.view()).toMatchObject({ state: "absent", cause: { code: "DEVICE_ID_MISMATCH" } });
    expect(t.line.askedAt).toHaveLength(0);
  });
});
