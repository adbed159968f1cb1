import { chmod, chown, cp, readFile, rename, writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { noOtherUsers, type ProgramForAll, programForAll } from "../support/children/as-user.ts";
import { AgentProcess } from "../support/fixtures/agent-process.ts";
import { removeFactory } from "../support/fixtures/running-agent.ts";
import { execute, openShop, type Shop } from "../support/fixtures/shop.ts";

afterAll(removeFactory);

const asRoot = process.getuid?.() === 0;
const skipped = noOtherUsers === undefined ? "" : ` (skipped: ${noOtherUsers})`;

interface Said {
  readonly code: number | null;
  readonly text: string;
}

/** A command as its user would type it; both streams, for a person reads both. */
async function say(shop: Shop, words: readonly string[], env: Record<string, string> = {}): Promise<Said> {
  const args = [...words, "--config", shop.within("config.toml")];
  await using command = new AgentProcess(args, { env: env });
  const { code } = await command.exited;
  return { code, text: command.stdout + command.stderr };
}

describe("an agent that was started before it had a configuration", () => {
  let shop: Shop;
  let agent: AgentProcess;
  let places: Record<string, string>;

  beforeAll(async () => {
    shop = await openShop({ agent: "dead" });
    await rename(shop.within("config.toml"), shop.within("later.toml"));
    places = {
      FACEPAY_STORE_DIRECTORY: shop.within("state"),
      FACEPAY_API_SOCKET: shop.within("run/api.sock"),
      FACEPAY_API_SOCKET_MODE: "0600",
      FACEPAY_API_ADMIN_SOCKET: shop.within("run/admin.sock"),
      FACEPAY_API_ADMIN_SOCKET_MODE: "0600",
    };
    agent = new AgentProcess(["run", "--config", shop.within("config.toml")], { env: places });
    await shop.rig.until("the agent serves", async () => agent.stderr.includes("SERVING"));
  });
  afterAll(async () => {
    await agent[Symbol.asyncDispose]();
    await shop[Symbol.asyncDispose]();
  });

  const next = () => `facepay-agent provision --config ${shop.within("config.toml")}`;

  it("names one next step, whichever command is asked", async () => {
    expect((await say(shop, ["status", "--lang", "en"], places)).text).toContain(
      `Set this terminal up:\n  ${next()}\n`,
    );
    expect((await say(shop, ["refresh", "--lang", "en"], places)).text).toContain(
      `Set this terminal up:\n  ${next()}\n`,
    );
    const check = await say(shop, ["config", "check", "--lang", "en"], places);
    expect(check).toMatchObject({ code: 66, text: expect.stringContaining(next()) });
    const { report } = JSON.parse(
      `{"report":${(await shop.run(["--json", "--offline", "--skip", "time.rtc"], places)).stdout}}`,
    );
    expect(report).toMatchObject({ agent: "running", first: "cfg.valid" });
    expect(report.advice.en).toContain(`Set this terminal up:\n  ${next()}\n`);
    // It runs; provision makes it read what it has written.
    expect(report.advice.en).not.toContain("start the agent");
  });

  it("is told to read a configuration that has been put there since, and no bridge is accused", async () => {
    await cp(shop.within("later.toml"), shop.within("config.toml"));
    const { stdout, code } = await shop.run(["--json"], places);
    const report = JSON.parse(stdout);
    expect(code).toBe(1);
    const failed = report.checks.filter(({ status }: { status: string }) => status === "fail" || status === "crash");
    expect(failed.map(({ id }: { id: string }) => id)).toEqual(["cfg.valid"]);
    expect(failed[0]).toMatchObject({ detail: { en: "valid, but the running agent has not loaded it yet" } });
    expect(report.advice.en).toContain(`Make the agent reload the configuration:\n  kill -HUP ${agent.pid}\n`);
    const handshake = report.checks.find(({ id }: { id: string }) => id === "ser.handshake");
    expect(handshake).toMatchObject({ status: "skip", skipped_because: "cfg.valid" });
    for (const command of ["status", "refresh"]) {
      const { text } = await say(shop, [command, "--lang", "en"], places);
      expect(text).toContain(
        `The configuration is there, but the agent has not loaded it yet. Run:\n  kill -HUP ${agent.pid}\n`,
      );
    }
    agent.kill("SIGHUP");
    await shop.rig.until("an authinfo", async () => (await say(shop, ["status"], places)).code === 0);
    const after = await shop.run(["--only", "cfg.valid,ser.handshake"], places);
    expect(after.code).toBe(0);
  });
});

describe("an agent that works with an earlier configuration than the one on the disk", () => {
  it.each([
    ["and has the fault that was fixed in it", true],
    ["and none of the faults of the new one", false],
  ])("is made to read it before anything else is looked at: %s", async (_what, running) => {
    await using shop = await openShop({ agent: "running" });
    const good = await readFile(shop.within("config.toml"), "utf8");
    const bad = good.replace(/^path = .*$/m, `path = "${shop.within("no-such.sock")}"`);
    expect(bad).not.toBe(good);
    if (running) {
      await writeFile(shop.within("config.toml"), bad);
      shop.rig.agent.kill("SIGHUP");
      await shop.rig.until("the reload", async () => shop.rig.agent.logged("CONFIGURED").length === 2);
      await writeFile(shop.within("config.toml"), good);
    } else {
      await writeFile(shop.within("config.toml"), bad);
    }
    const { report, exit } = await shop.diagnose();
    expect(exit).toBe(1);
    expect(report.first).toBe("cfg.valid");
    expect(report.advice.en).toMatch(
      /^Do this first \[301 cfg\.valid\] valid, but the agent still works with an earlier one\. Make the agent reload the configuration:\n {2}kill -HUP \d+\nThen run:\n {2}facepay-agent diagnose/,
    );
    expect(report.advice.zh).toMatch(/^先处理 \[301 cfg\.valid\]/);
  });
});

describe("a configuration that has changed", () => {
  let shop: Shop;
  let good: string;
  const file = () => shop.within("config.toml");
  beforeAll(async () => {
    shop = await openShop({ agent: "running" });
    good = await readFile(file(), "utf8");
  });
  afterEach(() => writeFile(file(), good));
  afterAll(async () => {
    await shop[Symbol.asyncDispose]();
  });

  it("under a running agent is told of by status at once, with the command, until it is read", async () => {
    expect((await say(shop, ["status", "--lang", "en"])).text).not.toContain("configuration");
    await writeFile(file(), good.replace(/sub_mchid = .*/, 'sub_mchid = "1900000110"'));
    expect(await say(shop, ["status", "--lang", "en"])).toEqual({
      code: 0,
      text: expect.stringMatching(
        /configuration +the file has changed, but the agent still works with .*\n +kill -HUP \d+\n/,
      ),
    });
    const zh = (await say(shop, ["status", "--lang", "zh-CN"])).text;
    expect(zh).toMatch(/配置 +文件已修改，但服务仍在使用先前的配置。请重新加载：\n +kill -HUP \d+\n/);
    await writeFile(file(), good.replace("sub_mchid", "sub_mchidd"));
    expect((await say(shop, ["status", "--lang", "en"])).text).toContain(
      `is invalid, the agent still works with the earlier one. See what is wrong:\n  facepay-agent config check --config ${file()}\n`,
    );
  });

  it("and is invalid is what status and refresh name of an agent that does not run", async () => {
    await shop.rig.stop();
    expect((await say(shop, ["status", "--lang", "en"])).text).toContain(
      "the agent is not running. Start it:\n  facepay-agent run",
    );
    if (asRoot) {
      await rename(shop.within("merchant-key.pem"), shop.within("elsewhere.pem"));
      const { text } = await say(shop, ["status", "--lang", "zh-CN"]);
      await rename(shop.within("elsewhere.pem"), shop.within("merchant-key.pem"));
      expect(text).toContain("配置有 1 处问题");
    }
    await writeFile(file(), good.replace("sub_mchid", "sub_mchidd"));
    for (const command of ["status", "refresh"]) {
      const { code, text } = await say(shop, [command, "--lang", "zh-CN"]);
      expect(code).toBe(1);
      expect(text).toContain(
        `配置有 2 处问题。请查看并改正，然后启动服务：\n  facepay-agent config check --config ${file()}\n  facepay-agent run`,
      );
    }
  });
});

describe.skipIf(noOtherUsers !== undefined)(`somebody who may not look${skipped}`, () => {
  let everybodys: ProgramForAll;
  let shop: Shop;
  beforeAll(async () => {
    everybodys = await programForAll();
    shop = await openShop({ agent: "running" });
    await chmod(shop.directory, 0o755);
    await chmod(shop.within("run"), 0o750);
    await chmod(shop.within("state"), 0o700);
  });
  afterEach(async () => {
    await chmod(shop.within("config.toml"), 0o640);
  });
  afterAll(async () => {
    await everybodys[Symbol.asyncDispose]();
    await shop[Symbol.asyncDispose]();
  });

  async function stranger(words: readonly string[]): Promise<Said> {
    const { node, program } = everybodys;
    const user = ["--reuid=65534", "--regid=65534", "--clear-groups", node, program];
    const args = [...user, ...words, "--config", shop.within("config.toml")];
    const env = { PATH: process.env.PATH, TZ: "Asia/Shanghai" };
    const told = await execute("setpriv", args, { env }).then(
      ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        text: error.stdout + error.stderr,
      }),
    );
    shop.rig.saw(`${words.join(" ")} as a stranger`, told.text);
    return told;
  }

  it.each([
    ["not read the configuration", 0o640, 0o644],
    ["read it, but not pass to the sockets", 0o644, 0o644],
    ["read it, but not the authority that it names", 0o644, 0o600],
  ])("is told to use sudo first, and nothing is accused: who may %s", async (_what, mode, modeOfAuthority) => {
    await chmod(shop.within("config.toml"), mode);
    await chmod(shop.within("ca.pem"), modeOfAuthority);
    for (const command of ["status", "refresh"]) {
      const { code, text } = await stranger([command, "--lang", "en"]);
      expect(code).toBe(1);
      expect(text).toContain("sudo");
      expect(text).not.toContain("not running");
    }
    const check = await stranger(["config", "check", "--lang", "en"]);
    expect(check.text).toMatch(/^This user may not read .*: check again with sudo/);
    // What only the service's user may read is as it should be.
    expect(check.text).not.toMatch(/chmod|chown/);
    const report = JSON.parse((await stranger(["diagnose", "--json"])).text);
    const accused = report.checks.filter(({ status }: { status: string }) => status === "fail" || status === "crash");
    expect(accused).toEqual([]);
    expect(report).toMatchObject({ agent: "forbidden", first: null });
    expect(report.advice.en).toMatch(/^Run this again with sudo first/);
    expect(report.advice.zh).toMatch(/^请先用 sudo 重新运行/);
    const unseen = report.checks.find(({ id }: { id: string }) => id === "key.file");
    expect(unseen.status).toBe("skip");
  });

  it("is told what to do about a key when it is the service's own user", async () => {
    await chmod(shop.within("config.toml"), 0o644);
    await chown(shop.within("state"), 65534, 65534);
    const { text } = await stranger(["config", "check", "--lang", "en"]).finally(() =>
      chown(shop.within("state"), 0, 0),
    );
    expect(text).toContain(`chown facepay-agent ${shop.within("merchant-key.pem")}`);
    expect(text).not.toContain("sudo");
  });
});
