import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { limitFileSize, refuseWrites } from "../../support/faults/small-disk.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

/** Another configuration, taken up by the running agent. */
async function reload(rig: Rig, overrides: Parameters<Rig["configure"]>[0]): Promise<void> {
  const { config } = await rig.status();
  await rig.configure(overrides);
  rig.agent.kill("SIGHUP");
  await rig.statusWhere("the new configuration", (status) => status.config?.hash !== config?.hash);
}

const otherLevel = { log: { level: "warn" } } as const;

describe.concurrent("a reload", () => {
  it("keeps the authinfo that no disk has taken yet", async ({ skip }) => {
    await using rig = await openRig();
    await rig.serve();
    const without = await refuseWrites(rig.agent.pid);
    skip(without !== "", without);
    await rig.refresh();
    const { authinfo } = await rig.served(({ generation, persisted }) => generation === 2 && !persisted);
    await rig.payDown();
    await reload(rig, otherLevel);
    expect((await rig.get()).body).toMatchObject({ authinfo, generation: 2, persisted: false });
    await limitFileSize(rig.agent.pid, "unlimited");
    await rig.until(
      "the write is tried again",
      async () => (await rig.served(({ generation }) => generation === 2)).persisted,
      30_000,
    );
    await rig.restart();
    expect((await rig.firstAnswer()).body).toMatchObject({ authinfo, generation: 2 });
  });

  it("to another directory takes the authinfo along, and to another shop the generation", async () => {
    await using rig = await openRig({ anyIdentity: true });
    await rig.serve();
    await rig.refresh();
    const { authinfo } = await rig.served(({ generation, persisted }) => generation === 2 && persisted);
    await rig.payDown();
    await reload(rig, { store: { directory: "elsewhere" } });
    expect((await rig.get()).body).toMatchObject({ authinfo, generation: 2 });
    await rig.served(({ generation, persisted }) => generation === 2 && persisted);
    await reload(rig, { store: { directory: "a third" }, identity: { sub_mchid: "1900000999" } });
    expect((await rig.get()).status).toBe(503);
    await rig.payUp();
    expect((await rig.served(({ state }) => state === "fresh")).generation).toBe(3);
  });

  it("does not forget a Retry-After, whoever asks for a renewal", async () => {
    await using rig = await openRig();
    await rig.serve();
    rig.pay.faults.always = { status: 429, headers: { "Retry-After": "60" } };
    expect((await rig.refresh()).status).toBe(502);
    const before = rig.pay.requests.length;
    await reload(rig, otherLevel);
    await rig.ask("api", "POST", "/v1/authinfo/reject", { body: { generation: 1 } });
    await delay(3_000);
    expect(rig.pay.requests.length).toBe(before);
    expect((await rig.refresh()).status).toBe(429);
  });

  it("keeps two attempts a second apart, also when it interrupts the first", async () => {
    await using rig = await openRig();
    await rig.serve();
    rig.pay.faults.always = { delivery: "hang" };
    const before = rig.pay.requests.length;
    void rig.refresh().catch(() => undefined);
    await rig.until("the request", async () => rig.pay.requests.length > before);
    await rig.ask("api", "POST", "/v1/authinfo/reject", { body: { generation: 1 } });
    await reload(rig, otherLevel);
    await rig.until("the next request", async () => rig.pay.requests.length > before + 1);
    const [first = 0, second = 0] = rig.pay.requests.slice(before).map(({ at }) => at);
    expect(second - first).toBeGreaterThan(950);
  });

  it("does not grant a misbehaving app six more renewals", async () => {
    await using rig = await openRig();
    await rig.serve();
    for (let generation = 1; generation <= 6; generation++) {
      await rig.ask("api", "POST", "/v1/authinfo/reject", { body: { generation } });
      await rig.served((served) => served.generation === generation + 1);
    }
    await reload(rig, otherLevel);
    await rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
    await rig.ask("api", "POST", "/v1/authinfo/reject", { body: { generation: 7 } });
    await delay(3_000);
    expect((await rig.get()).body).toMatchObject({ state: "rejected", generation: 7 });
  });
});
