import { describe, expect, it } from "vitest";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";

/** As on a machine that has nothing of a terminal. */
async function ran(...args: readonly string[]) {
  const bare = ["--config", "/nowhere/config.toml"];
  await using command = new AgentProcess(["support", ...args, ...bare], { env: { LANG: "en_US.UTF-8" } });
  const { code } = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

describe("facepay-agent support", () => {
  it("explains a code in both languages, without any configuration", async () => {
    const { code, stdout, stderr } = await ran("7lg3ebto42my");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^首要原因 first cause +PAY_DNS.* \/ PAY_DNS/);
    expect(stdout).toContain("15 min to 30 min");
    expect(stdout).toContain("尾号 0042 / ends with 0042");
  });

  it("says it as JSON", async () => {
    const { code, stdout } = await ran("71G3-EBT0-42MY", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ schema: "facepay-agent.support/1", agent_version: "0.1.0", state: "expired", device_id_end: "0042" },
      ...{ cause: { number: 780 }, lasted_s: { least: 900, below: 1_800 } },
    });
  });

  it("exits 64 for a code with a wrong character, and says so", async () => {
    const { code, stdout, stderr } = await ran("71G3-EBT0-42MX", "--lang", "en");
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toContain("a character is wrong, or two have changed places");
  });
});
