import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { BentClock } from "../../support/fakes/bent-clock.ts";
import { FaultServer, tlsFault } from "../../support/faults/fault-server.ts";
import { nodeAhead, noOwnBootClock } from "../../support/faults/own-namespace.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
/** Longer than the bent clock's own look at its file. */
const NOTICED_MS = 50;

const remaining = async (rig: Rig) => Number((await rig.get()).body.remaining_s);

describe.concurrent("a wall clock that is set while the agent runs", () => {
  it("by an hour or a year moves the remaining life by a second at most, costs no request, and is counted and shown", async () => {
    await using rig = await openRig();
    const clock = await BentClock.of(rig);
    const { authinfo } = await rig.serve({ env: clock.env });
    const steps = [HOUR_MS, -YEAR_MS];
    for (const [index, step] of steps.entries()) {
      const startedAt = performance.now();
      const before = await remaining(rig);
      await clock.stepWall(step);
      await delay(NOTICED_MS);
      const after = await remaining(rig);
      const passed = (performance.now() - startedAt) / 1_000;
      expect(Math.abs(before - after - passed)).toBeLessThanOrEqual(Math.max(1, passed));
      const status = await rig.statusWhere("the step is counted", ({ clock }) => clock.steps === index + 1);
      // Five seconds are promised; the rest is for a busy machine, here and below.
      expect(performance.now() - startedAt).toBeLessThan(12_000);
      expect(Math.abs(Number(status.clock.last_step_ms) - step)).toBeLessThan(500);
    }
    expect(await rig.metric("facepay_clock_steps_total")).toEqual({ "": steps.length });
    expect(rig.agent.logged("CLOCK_STEPPED")).toHaveLength(steps.length);
    expect((await rig.get()).body).toMatchObject({ state: "fresh", authinfo, generation: 1 });
    expect(rig.pay.requests).toHaveLength(1);
  });

  it("is known to be off by what WeChat Pay's last answer said, without another answer", async () => {
    await using rig = await openRig();
    const clock = await BentClock.of(rig);
    await rig.serve({ env: clock.env });
    await clock.stepWall(-HOUR_MS);
    const { clock: shown, warnings } = await rig.statusWhere(
      "the skew",
      ({ clock: { skew_s } }) => Math.abs(Number(skew_s) - 3_600) < 2,
    );
    expect(Math.abs(Number(shown.skew_s) - 3_600)).toBeLessThan(2);
    expect(warnings.map(({ code }) => code)).toContain("CLOCK_SKEWED");
    expect(Math.abs(((await rig.metric("facepay_clock_skew_seconds"))[""] ?? 0) - 3_600)).toBeLessThan(2);
    expect(rig.pay.requests).toHaveLength(1);
  });

  it("during a request is told as the clock's fault, leaves what is held alone, and heals when it is set back", async () => {
    await using rig = await openRig();
    const clock = await BentClock.of(rig);
    const held = await rig.serve({ env: clock.env });
    rig.pay.faults.next({ delayMs: 1_000 });
    const refreshing = rig.refresh();
    await rig.until("the request is under way", async () => rig.pay.requests.length === 2);
    await clock.stepWall(HOUR_MS);
    expect(await refreshing).toMatchObject({ status: 502, body: { cause: { code: "CLOCK_WRONG" } } });
    const { body } = await rig.get();
    expect(body).toMatchObject({ state: "due", authinfo: held.authinfo, generation: 1 });
    expect(held.remaining_s - Number(body.remaining_s)).toBeLessThan(60);
    await clock.stepWall(-HOUR_MS);
    const setAt = performance.now();
    await rig.served(({ generation, state }) => generation === 2 && state === "fresh");
    expect(performance.now() - setAt).toBeLessThan(12_000);
  });
});

describe.concurrent("a boot without a clock", () => {
  it("in 1970 is told as the clock's fault, not the certificate's, and heals within 5 s of the clock being set", async () => {
    await using rig = await openRig();
    const now = systemClock().wall();
    const future = await rig.playground.ca.issueServer({ notBefore: now + DAY_MS, notAfter: now + 3 * DAY_MS });
    await using way = await FaultServer.open(rig.pay.port);
    // What a real certificate is to a clock in 1970: OpenSSL's own clock cannot be bent from within a process.
    way.treat(tlsFault({ cert: future.certPem, key: future.privateKeyPem }));
    await rig.configure({ wechatpay: { base_urls: [`https://127.0.0.1:${way.port}`] } });
    const clock = await BentClock.of(rig, 60_000 - now);
    rig.start({ env: clock.env });
    const { last_error, authinfo } = await rig.statusWhere("the fault", (status) => status.last_error !== null);
    expect(last_error).toMatchObject({ code: "CLOCK_WRONG", remedy: "time.offset" });
    expect(last_error?.since).toMatch(/^1970-/);
    expect(authinfo.state).toBe("absent");
    expect((await rig.get()).body).toMatchObject({ code: "AUTHINFO_ABSENT", cause: { code: "CLOCK_WRONG" } });
    expect(await rig.metric("facepay_refresh_attempts_total")).toMatchObject({
      'outcome="clock_wrong"': 1,
      'outcome="ok"': 0,
    });
    await delay(1_500);
    await way.fix();
    await clock.stepWall(now - 60_000);
    const setAt = performance.now();
    await rig.served(({ state, clock_trusted }) => state === "fresh" && clock_trusted);
    const healedMs = performance.now() - setAt;
    console.info(`a clock set after a boot in 1970: authinfo after ${(healedMs / 1_000).toFixed(2)} s`);
    expect(healedMs).toBeLessThan(10_000);
    expect((await rig.status()).clock).toMatchObject({ trusted: true, steps: 1 });
  });

  it("on which an authinfo is kept tells that it is wrong, does not make it new at any start, and shows why", async () => {
    await using rig = await openRig();
    const { remaining_s: whole } = await rig.serve({ env: { FACEPAY_BOOT_ID: "one" } });
    const clock = await BentClock.of(rig, -HOUR_MS);
    await rig.payDown();
    let before = whole;
    for (const boot of ["two", "three", "four"]) {
      await rig.restart({ env: { ...clock.env, FACEPAY_BOOT_ID: boot } });
      const { status, body } = await rig.firstAnswer();
      expect({ status, state: body.state, clock_trusted: body.clock_trusted }).toEqual({
        ...{ status: 200, state: "due", clock_trusted: false },
      });
      // What a start costs, five minutes, has reached the disk before this one is killed.
      expect(before - Number(body.remaining_s)).toBeGreaterThan(290);
      before = Number(body.remaining_s);
      const { warnings, clock: shown } = await rig.statusWhere(
        "an attempt, and the age written",
        ({ authinfo, store }) => Number(authinfo.failures) > 0 && store?.dirty === false,
      );
      expect(warnings.map(({ code }) => code)).toContain("CLOCK_BEHIND");
      expect(shown).toMatchObject({ trusted: false, behind_s: expect.any(Number) });
    }
  });
});

describe.concurrent("a boot clock that is another one than the authinfo's, though the boot id is the same", () => {
  it("does not keep alive what is over by the wall clock", async ({ skip }) => {
    const lack = noOwnBootClock();
    if (lack !== undefined) skip(lack);
    await using rig = await openRig({ config: { refresh: { lifetime_s: 6, stale_s: 0 } } });
    const { obtained_at } = await rig.serve({ node: await nodeAhead(rig.directory) });
    await rig.payDown();
    await rig.restart();
    const { status, body } = await rig.firstAnswer();
    if (status === 200) {
      expect(body).toMatchObject({ clock_trusted: false, state: "due" });
      expect(Number(body.remaining_s)).toBeLessThanOrEqual(6);
    }
    await rig.until("it is over", async () => (await rig.get()).status === 503, 120_000);
    expect(Date.now() - Date.parse(obtained_at)).toBeLessThan(15_000);
    expect((await rig.ask("api", "GET", "/readyz")).status).toBe(503);
  });
});

describe.concurrent("a board that was suspended", () => {
  it("past the end of life hands out nothing that is over, from the first moment, and has a new one at once", async () => {
    await using rig = await openRig({ config: { refresh: { stale_s: 0 } } });
    const clock = await BentClock.of(rig);
    await rig.serve({ env: clock.env });
    rig.pay.faults.always = { delayMs: 300 };
    rig.pay.clockOffsetS = (2 * HOUR_MS) / 1_000;
    await clock.suspend(2 * HOUR_MS);
    const resumedAt = performance.now();
    await delay(NOTICED_MS);
    // The boot clock is compared with the board's every 100 ms.
    await delay(150);
    const first = await rig.get();
    expect([first.status, first.body.code ?? first.body.generation]).toEqual(
      first.status === 503 ? [503, "AUTHINFO_EXPIRED"] : [200, 2],
    );
    const renewed = await rig.served(({ generation, state }) => generation === 2 && state === "fresh");
    const renewedMs = performance.now() - resumedAt;
    console.info(`resumed after two hours: a new authinfo after ${(renewedMs / 1_000).toFixed(2)} s`);
    expect(renewedMs).toBeLessThan(12_000);
    expect(renewed.remaining_s).toBeGreaterThan(3_590);
    expect((await rig.status()).clock).toMatchObject({ steps: 0 });
  });

  it("within the life has lost the time it slept, and asks early since its instant has passed", async () => {
    await using rig = await openRig();
    const clock = await BentClock.of(rig);
    const { remaining_s: before } = await rig.serve({ env: clock.env });
    const servedAt = performance.now();
    await rig.payDown();
    await clock.suspend(HOUR_MS / 2);
    await delay(NOTICED_MS + 150);
    const slept = before - (await remaining(rig)) - (performance.now() - servedAt) / 1_000;
    expect(Math.abs(slept - 1_800)).toBeLessThan(2);
    await rig.statusWhere("an attempt", ({ authinfo }) => Number(authinfo.failures) > 0);
  });
});

describe.concurrent("a clock apart from WeChat Pay's", () => {
  // The exact bound, 300 s, is unit/wechatpay/wechatpay-signature.test.ts's: a busy machine needs seconds for a request.
  it.each([297, -297])("by nearly five minutes (%i s) is told, and no obstacle", async (offsetS) => {
    await using rig = await openRig();
    rig.pay.clockOffsetS = offsetS;
    await rig.serve();
    const { clock, warnings, last_error } = await rig.status();
    expect(Math.abs(Number(clock.skew_s) - offsetS)).toBeLessThan(3);
    expect(clock.trusted).toBe(false);
    expect(warnings.map(({ code }) => code)).toContain("CLOCK_SKEWED");
    expect(last_error).toBeNull();
    expect(rig.pay.requests).toHaveLength(1);
  });

  it.each([306, -306])(
    "by more than five minutes (%i s) costs one more request, and is the clock's fault",
    async (offsetS) => {
      await using rig = await openRig();
      rig.pay.clockOffsetS = offsetS;
      rig.start();
      const { last_error, clock } = await rig.statusWhere("the fault", (status) => status.last_error !== null);
      expect(last_error).toMatchObject({ code: "CLOCK_WRONG", remedy: "time.offset" });
      expect(Math.abs(Number(clock.skew_s) - offsetS)).toBeLessThan(3);
      // The 401's Date has corrected the timestamp of the second signature, which WeChat Pay has believed.
      expect(rig.pay.requests.map(({ status }) => status)).toEqual([401, 200]);
      expect((await rig.get()).body).toMatchObject({ code: "AUTHINFO_ABSENT", cause: { code: "CLOCK_WRONG" } });
    },
  );

  it("in 2038 and beyond has only numbers that fit", async () => {
    await using rig = await openRig();
    const clock = await BentClock.of(rig, Date.UTC(2038, 0, 19, 3, 14, 8) - systemClock().wall());
    rig.pay.clockOffsetS = Math.round((Date.UTC(2038, 0, 19, 3, 14, 8) - systemClock().wall()) / 1_000);
    const served = await rig.serve({ env: clock.env });
    expect(served.obtained_at).toMatch(/^2038-01-19T03:14:/);
    expect(served.expires_at).toMatch(/^2038-01-19T04:14:/);
    expect(Number((await rig.metric("facepay_authinfo_expiry_timestamp_seconds"))[""])).toBeGreaterThan(2 ** 31);
    await rig.restart({ env: clock.env });
    expect((await rig.firstAnswer()).body).toMatchObject({ authinfo: served.authinfo, state: "fresh" });
  });
});
