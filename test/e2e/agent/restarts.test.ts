import { randomInt } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { openRig, type Rig, removeFactory, type ServedAuthinfo } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const onBoot = (id: string) => ({ env: { FACEPAY_BOOT_ID: id } });

/** Nothing outside the terminal answers any more. */
async function blackout(rig: Rig): Promise<void> {
  await rig.unplug();
  await rig.payDown();
}

async function firstAuthinfo(rig: Rig): Promise<ServedAuthinfo> {
  const { status, body } = await rig.firstAnswer();
  expect({ status, code: body.code }).toEqual({ status: 200, code: undefined });
  return body as unknown as ServedAuthinfo;
}

describe.concurrent("kill -9", () => {
  it("costs nothing, though nobody answers any more: the first reader is served, before any bridge is known", async () => {
    await using rig = await openRig();
    const before = await rig.serve(onBoot("one"));
    await blackout(rig);
    for (let round = 0; round < 3; round++) {
      await rig.restart(onBoot("one"));
      const after = await firstAuthinfo(rig);
      const { remaining_s: left, ...rest } = after;
      expect({ ...rest, remaining_s: before.remaining_s }).toEqual(before);
      const truth = (Date.parse(before.expires_at) - Date.now()) / 1_000;
      expect(left).toBeGreaterThan(truth - 2);
      expect(left).toBeLessThanOrEqual(truth + 1);
      await rig.statusWhere("the status of a bridge that is gone", ({ bridge }) => bridge !== null);
      expect((await rig.status()).bridge?.state).not.toBe("ready");
      expect((await rig.ask("api", "GET", "/readyz")).status).toBe(200);
    }
    for (const file of await readdir(rig.stateDirectory)) {
      if (!file.endsWith(".sealed")) continue;
      expect(rig.canaries.in((await readFile(`${rig.stateDirectory}/${file}`)).toString("latin1"))).toEqual([]);
    }
  });

  it("in the very first start leaves nothing that stops the next", async () => {
    await using rig = await openRig();
    for (let kill = 0; kill < 8; kill++) {
      rig.start(onBoot("one"));
      await delay(150 + randomInt(350));
      await rig.agent.crash();
    }
    expect((await rig.serve(onBoot("one"))).generation).toBeGreaterThanOrEqual(1);
    expect(await readdir(rig.stateDirectory)).not.toContainEqual(expect.stringMatching(/corrupt/));
  });

  it("does not make the SDK's refusal forgotten", async () => {
    await using rig = await openRig();
    const { generation } = await rig.serve(onBoot("one"));
    await rig.payDown();
    expect((await rig.ask("api", "POST", "/v1/authinfo/reject", { body: { generation } })).status).toBe(202);
    await rig.statusWhere("the refusal is safe on the disk", ({ store }) => store?.dirty === false);
    await rig.restart(onBoot("one"));
    expect(await firstAuthinfo(rig)).toMatchObject({ state: "rejected", generation });
    await rig.payUp();
    await rig.served((served) => served.generation === generation + 1 && served.state === "fresh");
  });
});

describe.concurrent("a new boot", () => {
  it("serves what was kept as due until something confirms the clock, then replaces it", async () => {
    await using rig = await openRig();
    const before = await rig.serve(onBoot("one"));
    await blackout(rig);
    await rig.restart(onBoot("two"));
    const kept = await firstAuthinfo(rig);
    expect(kept).toEqual({ ...before, state: "due", clock_trusted: false, remaining_s: kept.remaining_s });
    expect(Math.abs(kept.remaining_s - (Date.parse(before.expires_at) - Date.now()) / 1_000)).toBeLessThan(2);
    await rig.statusWhere("the clock is not trusted", ({ clock }) => clock.trusted === false);
    await rig.plug();
    await rig.payUp();
    const renewed = await rig.served(({ generation, state }) => generation === 2 && state === "fresh");
    expect(renewed.clock_trusted).toBe(true);
  });

  it("does not renew what its clock says is over", async () => {
    await using rig = await openRig({ config: { refresh: { lifetime_s: 5, stale_s: 0 } } });
    const { expires_at: over } = await rig.serve(onBoot("one"));
    await blackout(rig);
    await rig.agent.crash();
    await delay(Math.max(Date.parse(over) - Date.now(), 0) + 100);
    rig.start(onBoot("two"));
    const { status, body } = await rig.firstAnswer();
    expect([status, body.code]).toEqual([503, "AUTHINFO_EXPIRED"]);
  });
});

describe.concurrent("what was kept for somebody else", () => {
  it("is never served after the identity has changed, and the generation does not fall", async () => {
    await using rig = await openRig({ anyIdentity: true });
    await rig.serve();
    await rig.refresh();
    await rig.agent.crash();
    await rig.payDown();
    await rig.configure({ identity: { sub_mchid: "1900000999" } });
    rig.start();
    const { status, headers, body } = await rig.firstAnswer();
    expect([status, body.code]).toEqual([503, "AUTHINFO_ABSENT"]);
    expect(headers["content-type"]).toMatch(/^application\/problem\+json\b/);
    expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect((await rig.get("?stale=ok")).status).toBe(503);
    await rig.payUp();
    expect((await rig.served()).generation).toBe(3);
    expect((await rig.get()).body).toMatchObject({ sub_mchid: "1900000999" });
  });

  it("is dropped as soon as the bridge names another device, for good", async () => {
    await using rig = await openRig({ anyIdentity: true });
    const before = await rig.serve();
    await blackout(rig);
    await rig.agent.crash();
    rig.start();
    expect((await firstAuthinfo(rig)).authinfo).toBe(before.authinfo);
    rig.bridge.deviceId = "ANOTHER-DEVICE";
    rig.bridge.restart();
    await rig.plug();
    const refused = await rig.until("the old authinfo is gone", async () => {
      const answer = await rig.get("?stale=ok");
      return answer.status !== 200 && answer;
    });
    expect([refused.status, refused.body.code]).toEqual([503, "AUTHINFO_ABSENT"]);
    await rig.statusWhere("the loss is safe on the disk", ({ store }) => store?.dirty === false);
    await rig.unplug();
    await rig.restart();
    expect((await rig.firstAnswer()).status).toBe(503);
    await rig.plug();
    await rig.payUp();
    expect(await rig.served()).toMatchObject({ device_id: "ANOTHER-DEVICE", generation: 2 });
  });

  it("is not served when the configuration names another device, and the bridge's own name is an error then", async () => {
    await using rig = await openRig();
    await rig.serve();
    await rig.agent.crash();
    await rig.configure({ identity: { device_id: "ANOTHER-DEVICE" } });
    rig.start();
    expect((await rig.firstAnswer()).status).toBe(503);
    const { last_error } = await rig.statusWhere(
      "the mismatch is told",
      (status) => status.last_error?.code === "DEVICE_ID_MISMATCH",
    );
    expect(last_error?.remedy).toBe("cfg.identity");
    expect(rig.pay.requests).toHaveLength(1);
  });

  it("is told when only the older copy is damaged, until the next write has made another one", async () => {
    await using rig = await openRig();
    await rig.serve();
    expect((await rig.refresh()).status).toBe(200);
    await rig.stop();
    await writeFile(rig.within("state/state.prev.sealed"), "cut");
    rig.start();
    const { generation } = await firstAuthinfo(rig);
    expect(generation).toBe(2);
    const warned = ({ warnings }: { readonly warnings: readonly { readonly code: string }[] }) =>
      warnings.some(({ code }) => code === "STATE_COPY_DAMAGED");
    await rig.statusWhere("the warning", warned);
    await rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
    expect((await rig.refresh()).status).toBe(200);
    await rig.statusWhere("it is over", (status) => !warned(status));
  });

  it("is put aside when the file is damaged, and the agent starts all the same", async () => {
    await using rig = await openRig();
    await rig.serve();
    await rig.agent.crash();
    for (const name of ["state.sealed", "state.prev.sealed"]) {
      await writeFile(`${rig.stateDirectory}/${name}`, "not a sealed file");
    }
    rig.start();
    await rig.served();
    expect(await readdir(rig.stateDirectory)).toContainEqual(expect.stringMatching(/^state\.corrupt-/));
  });
});
