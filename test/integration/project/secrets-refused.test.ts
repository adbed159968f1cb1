import { chmod, rm } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const KEY = "wechatpay.merchant_private_key_file";
const keyFile = (rig: Rig) => rig.within("merchant-key.pem");

/** A terminal that holds an authinfo, whose agent has ended, and whose key others may read since. */
async function withOpenKey(): Promise<Rig> {
  const rig = await openRig();
  await rig.serve();
  await rig.stop();
  await chmod(keyFile(rig), 0o644);
  return rig;
}

const codes = async (rig: Rig) => (await rig.status()).warnings.map(({ code }) => code);

describe.concurrent("a key file that is refused at the start", () => {
  it("does not end the agent while a kept authinfo holds, sends nothing, and is taken up once it is fixed", async () => {
    await using rig = await withOpenKey();
    const asked = rig.pay.requests.length;
    rig.start();
    const { status, body } = await rig.firstAnswer();
    expect([status, body.generation]).toEqual([200, 1]);
    const refreshed = await rig.refresh();
    expect(refreshed).toMatchObject({ status: 502, body: { cause: { code: "KEY_FILE", params: { keys: [KEY] } } } });
    const told = await rig.statusWhere("the refusal", ({ last_error }) => last_error !== null);
    expect(told.last_error).toMatchObject({ code: "KEY_FILE", remedy: "key.file" });
    expect(told.warnings).toContainEqual(
      expect.objectContaining({
        code: "SECRETS_UNUSABLE",
        detail: expect.stringContaining(`chmod 0400 ${keyFile(rig)}`),
      }),
    );
    expect(rig.agent.logged("SECRETS_UNUSABLE")).toHaveLength(1);
    await using diagnosis = new AgentProcess(["diagnose", "--json", "--only", "key.file", "--config", rig.configFile]);
    await diagnosis.exited;
    expect(diagnosis.stdout).toContain(`chmod 0400 ${keyFile(rig)}`);
    expect(rig.pay.requests).toHaveLength(asked);

    await chmod(keyFile(rig), 0o400);
    await rig.until("the key in use", async () => !(await codes(rig)).includes("SECRETS_UNUSABLE"), 120_000);
    expect((await rig.get()).body).toMatchObject({ state: "fresh", generation: 1 });
    expect(await rig.refresh()).toMatchObject({ status: 200, body: { generation: 2 } });
  }, 60_000);

  it("is exit 78 where nothing that holds is kept", async () => {
    await using rig = await withOpenKey();
    await rm(rig.stateDirectory, { recursive: true });
    rig.start();
    expect((await rig.agent.exited).code).toBe(78);
    expect(rig.agent.stderr).toContain(KEY);
  });
});

describe.concurrent("a key file that is refused at a reload", () => {
  it("leaves the former configuration at work, and is taken up once it is fixed", async () => {
    await using rig = await openRig();
    await rig.serve();
    await chmod(keyFile(rig), 0o644);
    rig.agent.kill("SIGHUP");
    await rig.until("the refusal", async () => (await codes(rig)).includes("CONFIG_RELOAD_REFUSED"));
    expect((await rig.refresh()).status).toBe(200);
    await chmod(keyFile(rig), 0o400);
    await rig.until("the reload", async () => !(await codes(rig)).includes("CONFIG_RELOAD_REFUSED"), 120_000);
    expect((await rig.get()).body).toMatchObject({ state: "fresh", generation: 2 });
  }, 60_000);
});
