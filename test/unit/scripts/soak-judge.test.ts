import { beforeEach, describe, expect, it } from "vitest";
import type { PayRequest } from "../../../agent/simulator/pay-service.ts";
import { Judge, type Reading, type Served } from "../../../scripts/soak/judge.ts";
import { Ledger } from "../../../scripts/soak/ledger.ts";
import { Recovery } from "../../../scripts/soak/recovery.ts";
import { judgeTrend, type Sample, trend } from "../../../scripts/soak/vitals.ts";
import { Wire } from "../../../scripts/soak/wire.ts";

let broken: string[];
const report = (invariant: string) => void broken.push(invariant);
const LIFE_MS = 60_000;
const STALE_MS = 20_000;

let ledger: Ledger;
let judge: Judge;

/** An authinfo that WeChat Pay issued at 0. */
function issued(name: string, believable = true): string {
  const authinfo = name.repeat(100);
  ledger.note(authinfo, { atMs: 0, lifeMs: LIFE_MS, believable });
  return authinfo;
}

beforeEach(() => {
  broken = [];
  ledger = new Ledger();
  judge = new Judge(ledger, STALE_MS, report);
});

const served = (changes: Partial<Served>): Served => ({
  ...{ authinfo: "", state: "fresh", generation: 1, remaining_s: 10, persisted: true },
  ...changes,
});
const ok = (sentMs: number, changes: Partial<Served>, stale = false): Reading => ({
  ...{ sentMs, gotMs: sentMs + 5, stale, status: 200 },
  served: served(changes),
});
const refusal = (sentMs: number, status = 503): Reading => ({
  ...{ sentMs, gotMs: sentMs + 5, stale: false, status, error: "AUTHINFO_EXPIRED" },
});

describe("a client's readings", () => {
  it("are right as long as they are what WeChat Pay issued, in order, and within its time", () => {
    const [first, second] = [issued("a"), issued("b")];
    judge.reading(ok(1_000, { authinfo: first }), true);
    judge.reading(ok(59_999, { authinfo: second, generation: 2, remaining_s: 0 }), true);
    judge.reading(ok(79_999, { authinfo: second, generation: 2, state: "stale" }, true), true);
    judge.reading(refusal(80_000), true);
    expect(broken).toEqual([]);
    expect(judge.falseOkMs).toBe(0);
  });

  it("are false when they are sent after the expiry, also past the allowance for stale ones", () => {
    const authinfo = issued("a");
    judge.reading(ok(60_001, { authinfo }), true);
    judge.reading(ok(60_200, { authinfo, state: "stale" }), true);
    judge.reading(ok(80_001, { authinfo, state: "stale" }, true), true);
    expect(broken).toEqual(["expired", "expired", "expired"]);
    expect(judge.falseOkMs).toBeGreaterThan(0);
  });

  it("are false when nobody has issued them, or in an answer that does not verify", () => {
    judge.reading(ok(0, { authinfo: "x" }), true);
    judge.reading(ok(200, { authinfo: issued("b", false), generation: 2 }), true);
    expect(broken).toEqual(["unknown", "unbelievable"]);
  });

  it("are false when the generation falls or means two things, within one process and over its end", () => {
    const [first, second] = [issued("a"), issued("b")];
    judge.reading(ok(0, { authinfo: first, generation: 5 }), true);
    judge.reading(ok(200, { authinfo: second, generation: 4 }), true);
    expect(broken).toEqual(["broken_promise", "fallen"]);
    judge.reading(ok(400, { authinfo: second, generation: 5 }), true);
    expect(broken.slice(2)).toEqual(["twofold"]);
    judge.died();
    judge.reading(ok(800, { authinfo: first, generation: 4 }), true);
    expect(broken.slice(3)).toEqual(["broken_promise", "fallen"]);
  });

  it("may lose with the process what was never announced as persisted, and nothing else", () => {
    judge.reading(ok(0, { authinfo: issued("a"), generation: 1 }), true);
    judge.reading(ok(100, { authinfo: issued("b"), generation: 2, persisted: false, remaining_s: 50 }), true);
    judge.died();
    judge.reading(ok(200, { authinfo: issued("a"), generation: 1 }), true);
    judge.reading(ok(300, { authinfo: issued("c"), generation: 2 }), true);
    expect(broken).toEqual([]);
    judge.died();
    judge.reading(refusal(400), true);
    expect(broken).toEqual(["broken_promise"]);
  });

  it("may be refused after a crash when what was good for longer had never been persisted", () => {
    judge.reading(ok(0, { authinfo: issued("a"), persisted: false, remaining_s: 50 }), true);
    judge.died();
    judge.reading(refusal(100), true);
    expect(broken).toEqual([]);
  });

  it("may not be refused while the authinfo told last has life left, nor go unanswered", () => {
    judge.reading(ok(0, { authinfo: issued("a"), remaining_s: 30, persisted: false }), true);
    judge.reading(refusal(29_000), true);
    judge.reading(refusal(29_000), false);
    judge.reading(refusal(31_000), true);
    judge.reading(refusal(32_000, 0), true);
    expect(broken).toEqual(["refused", "silent"]);
  });

  it("have to be told to subscribers", () => {
    judge.streamOpened(0);
    judge.event(served({ authinfo: issued("a") }), 10);
    judge.reading(ok(1_000, { authinfo: issued("b"), generation: 2 }), true);
    judge.tick(5_000, true);
    expect(broken).toEqual([]);
    judge.tick(7_000, true);
    expect(broken).toEqual(["event_missing"]);
    judge.event(served({ authinfo: issued("a") }), 8_000);
    judge.event(served({ authinfo: issued("c"), generation: 3 }), 8_100);
    judge.event(served({ authinfo: issued("b"), generation: 2 }), 8_200);
    expect(broken.slice(1)).toEqual(["fallen"]);
  });
});

describe("a fault", () => {
  it("has to be followed by a fresh authinfo in time, counted from the end of the last one", () => {
    const recovery = new Recovery(report);
    recovery.begin("a");
    recovery.begin("b");
    recovery.reading(refusal(0), true);
    recovery.end("a", 1_000, 0);
    recovery.tick(5_000, true);
    recovery.end("b", 1_000, 5_000);
    recovery.reading(ok(5_500, {}), true);
    expect(recovery.felt).toEqual([505]);
    recovery.disturb("c", 1_000, 6_000);
    recovery.tick(7_500, false);
    recovery.tick(8_400, true);
    expect(broken).toEqual([]);
    recovery.tick(9_000, true);
    expect(broken).toEqual(["not_fresh"]);
  });

  it("is what makes a refusal allowed", () => {
    const recovery = new Recovery(report);
    recovery.begin("a");
    recovery.reading(refusal(0), true);
    recovery.end("a", 1_000, 0);
    recovery.reading(refusal(10), true);
    expect(broken).toEqual([]);
    recovery.reading(ok(20, {}), true);
    recovery.reading(refusal(30), true);
    expect(broken).toEqual(["unavailable"]);
  });
});

describe("the wire", () => {
  const request = (at: number, digest: string, changes: Partial<PayRequest> = {}) =>
    ({ at, rawDataDigest: digest, verified: true, ...changes }) as PayRequest;

  it("carries attempts a second apart, each on one or two base URLs", () => {
    const wire = new Wire(report);
    wire.request(request(0, "a"), "primary", 0, 0);
    wire.request(request(10, "a"), "backup", 0, 0);
    wire.request(request(1_000, "b"), "primary", 0, 0);
    wire.request(request(1_950, "c"), "primary", 60, 0);
    expect(broken).toEqual([]);
    wire.request(request(2_940, "d"), "primary", 0, 0);
    wire.restarted();
    wire.request(request(2_950, "e"), "primary", 0, 0);
    expect(broken).toEqual(["spacing"]);
    expect(wire).toMatchObject({ requests: 6, attempts: 5 });
  });

  it("carries no raw_data twice, nothing wrong, and no storm", () => {
    const wire = new Wire(report);
    wire.request(request(0, "a"), "primary", 0, 0);
    wire.request(request(2_000, "a"), "primary", 0, 0);
    wire.request(request(4_000, "b", { verified: false, reason: "signature_wrong" }), "primary", 0, 0);
    expect(broken).toEqual(["bad_request", "bad_request"]);
    for (let n = 0; n < 25; n++) wire.request(request(60_000 + n * 1_100, `n${n}`), "primary", 0, 3);
    expect(broken.slice(2)).toEqual(["many_calls", "many_calls"]);
  });
});

describe("memory and open files", () => {
  const life = (mbAnHour: number, filesAnHour: number): Sample[] =>
    Array.from({ length: 360 }, (_, n) => ({
      atMs: n * 5_000,
      residentMb: 80 + (n % 7) + (mbAnHour * n) / 720,
      descriptors: 25 + (n % 5) + Math.floor((filesAnHour * n) / 720),
    }));

  it("are flat when they go up and down", () => {
    const found = trend(life(0, 0));
    if (found) judgeTrend(found, report);
    expect(found?.minutes).toBeCloseTo(30, 0);
    expect(broken).toEqual([]);
  });

  it("are not when they creep", () => {
    for (const samples of [life(120, 0), life(0, 20)]) {
      const found = trend(samples);
      if (found) judgeTrend(found, report);
    }
    expect(broken).toEqual(["memory", "descriptors"]);
  });

  it("say nothing of a short life", () => {
    expect(trend(life(60, 0).slice(0, 150))).toBeUndefined();
  });
});

describe("the ledger", () => {
  it("knows a piece of a secret in a log", () => {
    const authinfo = "0123456789abcdefghijklmnopqrstuvwxyz";
    ledger.note(authinfo, { atMs: 0, lifeMs: 1, believable: true });
    expect(ledger.holds("89abcdefghijklmnopqr")).toBe(true);
    expect(ledger.holds("9876543210zyxwvutsrq")).toBe(false);
  });
});
