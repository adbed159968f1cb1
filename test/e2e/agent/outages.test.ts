import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { nodeWithoutCards, noOwnCards, plugCard } from "../../support/faults/own-namespace.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const why = noOwnCards();
const skipped = why === undefined ? "" : ` (skipped: ${why})`;
const rawdatas = (rig: Rig) => rig.bridge.count("getWxpayfaceRawdata");
const untilNext = (at: string | undefined) => Date.parse(at ?? "") - Date.now();

describe.skipIf(why !== undefined).concurrent(`a network card that appears${skipped}`, () => {
  it("brings a terminal without an authinfo to ask within five seconds, whatever its back-off had drawn", async () => {
    await using rig = await openRig();
    rig.start({ node: await nodeWithoutCards(rig.directory) });
    await rig.statusWhere(
      "a long pause before the next attempt",
      ({ next_attempt, authinfo }) => !authinfo.refreshing && untilNext(next_attempt?.at) > 11_000,
      80_000,
    );
    const before = rawdatas(rig);
    plugCard(rig.agent.pid);
    const pluggedAt = performance.now();
    await rig.until("an attempt", async () => rawdatas(rig) > before);
    const seconds = (performance.now() - pluggedAt) / 1_000;
    console.info(`a network card appeared: asked after ${seconds.toFixed(2)} s`);
    // Five seconds are promised; the rest is for a busy machine.
    expect(seconds).toBeLessThan(10);
    expect(rig.agent.logged("NETWORK_CHANGED")).toHaveLength(1);
  });

  it("lets one with a good authinfo wait its turn within ten minutes, and costs no reader anything", async () => {
    await using rig = await openRig();
    const held = await rig.serve();
    await rig.agent.crash();
    rig.start({ node: await nodeWithoutCards(rig.directory) });
    await rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
    // The watch has had its first look.
    await delay(500);
    expect((await rig.status()).next_attempt?.why).toBe("planned");
    expect(untilNext((await rig.status()).next_attempt?.at)).toBeGreaterThan(10 * 60_000);
    plugCard(rig.agent.pid);
    const { next_attempt } = await rig.statusWhere(
      "the wish",
      (status) => status.next_attempt?.why !== "planned",
      15_000,
    );
    expect(next_attempt?.why).toBe("urgent");
    expect(untilNext(next_attempt?.at)).toBeLessThanOrEqual(10 * 60_000);
    const [event] = rig.agent.logged("NETWORK_CHANGED");
    expect(Math.abs(Number(event?.attempt_in_s) - untilNext(next_attempt?.at) / 1_000)).toBeLessThan(10);
    expect((await rig.get()).body).toMatchObject({ authinfo: held.authinfo, generation: 1 });
  });
});

describe.concurrent("on the wire", () => {
  it("a hundred readers at once cost no request, during a refresh either", async () => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    rig.pay.faults.next({ delayMs: 1_500 });
    const refreshing = rig.refresh();
    await rig.until("the request is under way", async () => rig.pay.requests.length === 2);
    const answers = await Promise.all(Array.from({ length: 60 }, () => rig.get()));
    for (const { status, body } of answers) expect([status, body.authinfo]).toEqual([200, authinfo]);
    const more = await Promise.all(Array.from({ length: 40 }, () => rig.get()));
    expect(new Set(more.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await refreshing).status).toBe(200);
    expect(rig.pay.requests).toHaveLength(2);
  });

  it("no two requests come within a second, whatever asks for them", async () => {
    await using rig = await openRig();
    await rig.serve();
    rig.pay.faults.always = { status: 503 };
    const endsAt = performance.now() + 6_000;
    for (let turn = 0; performance.now() < endsAt; turn++) {
      rig.bridge.netId = `card-${turn}`;
      const generation = Number((await rig.get()).body.generation);
      await Promise.all([
        rig.refresh(),
        rig.ask("api", "POST", "/v1/authinfo/reject", { body: { generation } }),
        rig.ask("admin", "POST", "/v1/bridge/probe"),
      ]);
      // Some of them succeed, so that what was failing is asked anew as well.
      if (turn % 3 === 2) rig.pay.faults.next({});
      await delay(150);
    }
    const at = rig.pay.requests.map((request) => request.at);
    const gaps = at.slice(1).map((each, index) => each - (at[index] ?? 0));
    console.info(`on the wire: ${at.length} requests, the closest ${Math.min(...gaps)} ms apart`);
    expect(at.length).toBeGreaterThan(4);
    // An attempt ends after its request was noted, so a busy machine makes the gaps longer, never shorter.
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(999);
  });
});
