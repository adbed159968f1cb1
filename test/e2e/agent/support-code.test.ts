import { afterAll, expect, it } from "vitest";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

it("is the same in a 503 and in the status, and tells the cause anywhere", async () => {
  await using rig = await openRig({ unplugged: true });
  rig.start();
  await rig.until("the cause is known", async () => (await rig.status()).last_error?.code === "BRIDGE_NOT_FOUND");
  const refused = await rig.get();
  const { support_code: code = "" } = await rig.status();
  expect([refused.status, refused.body.support_code]).toEqual([503, code]);
  await using support = new AgentProcess(["support", code, "--json", "--config", "/nowhere"], {});
  expect((await support.exited).code).toBe(0);
  expect(JSON.parse(support.stdout)).toMatchObject({
    state: "absent",
    cause: { id: expect.stringMatching(/^BRIDGE_NOT_FOUND/) },
  });
  await using status = new AgentProcess(["status", "--lang", "en", "--config", rig.configFile], {});
  await status.exited;
  expect(status.stdout).toContain(code);
  rig.saw("support", support.stdout);
});
