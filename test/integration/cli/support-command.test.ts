import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
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

describe("status --qr and diagnose --qr", () => {
  const bare = ["--config", "/nowhere/config.toml", "--lang", "en"];
  const told = async (...args: readonly string[]) => {
    await using command = new AgentProcess([...args, ...bare], { env: { LANG: "en_US.UTF-8" } });
    const { code } = await command.exited;
    return { code, stdout: command.stdout, stderr: command.stderr };
  };
  const CODE = /support code: ([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})/;

  it.each([[["status"]], [["diagnose", "--offline", "--only", "cfg.valid"]]])(
    "draw one with the agent dead: %j",
    async (command) => {
      const { stdout, stderr } = await told(...command, "--qr");
      const drawn = stdout.split("\n").filter((line) => /^[█▀▄ ]{29,80}$/.test(line));
      expect(drawn.length).toBeGreaterThan(14);
      expect(drawn.length).toBeLessThanOrEqual(24);
      const [, code = ""] = CODE.exec(`${stdout}${stderr}`) ?? [];
      expect((await ran(code, "--lang", "en")).stdout).toMatch(/the agent was not running/);
    },
  );

  it("write it into a file, whole or not at all", async () => {
    const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-qr-"));
    try {
      const png = path.join(directory, "code.png");
      const svg = path.join(directory, "code.svg");
      expect((await told("status", "--qr-file", png)).stderr).toContain(`QR code written to ${png}`);
      expect((await readFile(png)).subarray(1, 4).toString()).toBe("PNG");
      await told("status", "--qr-file", svg);
      expect(await readFile(svg, "utf8")).toMatch(/^<svg /);
      const refused = await told("status", "--qr-file", path.join(directory, "code.jpg"));
      expect(refused).toMatchObject({ code: 64, stdout: "", stderr: expect.stringContaining("end in .svg or .png") });
      const lost = await told("status", "--qr-file", path.join(directory, "none", "code.png"));
      expect(lost).toMatchObject({ code: 1, stderr: expect.stringContaining("(ENOENT): choose a directory") });
      const place = ["--qr-file", path.join(directory, "none", "code.svg")];
      expect(await told("diagnose", "--offline", "--only", "cfg.valid", ...place)).toMatchObject({ code: 4 });
      const watched = await told("status", "--watch", "--qr");
      expect(watched).toMatchObject({ code: 64, stdout: "", stderr: expect.stringContaining("leave --watch out") });
      expect((await readdir(directory)).toSorted()).toEqual(["code.png", "code.svg"]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
