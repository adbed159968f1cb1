import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noOwnResolver } from "../../support/faults/own-namespace.ts";
import { AgentProcess, launcher } from "../../support/fixtures/agent-process.ts";
import { ConfigDirectory, gatewaySections, tomlOf } from "../../support/fixtures/config-fixture.ts";

const TOKEN = "the-token-itself-0123456789";
const PASSWORD = "the-password-itself-0123456789";
const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicPem = publicKey.export({ type: "spki", format: "pem" }).toString();

let directory: ConfigDirectory;
beforeAll(async () => {
  directory = await ConfigDirectory.create();
});
afterAll(() => directory[Symbol.asyncDispose]());

/** A terminal's /etc/facepay-agent that is in order. */
async function prepare(): Promise<void> {
  await directory.remove("config.d");
  const init = { password: `"${PASSWORD}"` };
  await directory.write("config.toml", tomlOf(gatewaySections, { "driver.init": init, refresh: { stale_s: "60" } }));
  await directory.write("pub_key.pem", publicPem);
  await directory.write("token", TOKEN);
  await directory.write("config.d/10-shop.toml", "[refresh]\nlifetime_s = 700\nstale_s = 70\n");
  await directory.write("config.d/20-shop.toml", "[refresh]\nlifetime_s = 800\n");
}

/** `facepay-agent config ...`; whatever it says, the secrets are not in it. */
async function config(what: string, more: { readonly args?: string[]; readonly env?: Record<string, string> } = {}) {
  const args = ["config", what, "--config", directory.file, "--lang", "en", ...(more.args ?? [])];
  await using program = new AgentProcess(args, { env: more.env ?? {} });
  const { code } = await Promise.race([program.exited, delay(120_000, { code: "it waits" })]);
  const { stdout, stderr } = program;
  expect(stdout + stderr).not.toMatch(/-itself-/);
  return { code, stdout, stderr };
}

describe("config check", () => {
  it("of what is in order is 0", async () => {
    await prepare();
    expect(await config("check")).toEqual({
      code: 0,
      stdout: expect.stringMatching(/config\.toml: the configuration is valid\n$/),
      stderr: "",
    });
  });

  it("of places that run could not use is 78 as well, and run says the same", async () => {
    for (const [key, other] of [
      ["FACEPAY_STORE_DIRECTORY", "is not a directory"],
      ["FACEPAY_API_SOCKET", "is not a socket"],
      ["FACEPAY_API_ADMIN_SOCKET", "is not a socket"],
    ] as const) {
      await prepare();
      const file = await directory.write("in-the-way", "x");
      const env = { [key]: file };
      const { code, stdout } = await config("check", { env });
      expect([code, stdout]).toEqual([78, expect.stringContaining(`${file} exists and ${other}`)]);
      await using run = new AgentProcess(["run", "--config", directory.file], { env });
      expect(await run.exited).toEqual({ code: 78, signal: null });
    }
  });

  const barred = noOwnResolver();
  it.skipIf(barred)(
    `of the package tells what the unit may not write${barred ? ` (skipped: ${barred})` : ""}`,
    async () => {
      await prepare();
      await directory.write("config.d/30-metrics.toml", '[metrics]\ntextfile = "/srv/metrics/facepay.prom"\n');
      // An /etc of its own, with this configuration and the unit of the package in it.
      const unit = path.resolve("scripts/package/systemd/facepay-agent.service");
      const etc = directory.of("etc");
      const script = `mkdir -p "${etc}/systemd/system"; cp /etc/passwd /etc/group "${unit}" "${etc}"
      mv "${etc}/facepay-agent.service" "${etc}/systemd/system"; mkdir "${etc}/facepay-agent"
      mount --bind "${etc}" /etc; mount --bind "${directory.path}" /etc/facepay-agent; exec "$0" "$@"`;
      const command = [process.execPath, launcher, "config", "check", "--lang", "en"];
      const found = spawnSync("unshare", ["--mount", "sh", "-ec", script, ...command], { encoding: "utf8" });
      expect(found).toMatchObject({ status: 0, stderr: "" });
      expect(found.stdout).toContain("ReadWritePaths=-/srv/metrics");
    },
  );

  it("of what is not is 78, and names for each fault the drop-in and line, the variable, the file of the secret", async () => {
    await prepare();
    const dropIn = await directory.write(
      "config.d/15-bad.toml",
      '# a remark\n[refresh]\nrefresh_at = "x"\nretry = 1\n',
    );
    const broken = await directory.write("config.d/30-broken.toml", "[refresh\n");
    const token = await directory.write("token", TOKEN, 0o644);
    const env = { FACEPAY_REFRESH_LIFETIM_S: "900", FACEPAY_LOG_LEVEL: "loud", FACEPAY_BOOT_ID: "reserved" };
    const { code, stdout } = await config("check", { env });
    expect(code).toBe(78);
    for (const words of [
      `refresh.refresh_at (${dropIn}:3)`,
      `refresh.retry (${dropIn}:4)`,
      `${broken}:1`,
      "FACEPAY_REFRESH_LIFETIM_S",
      "FACEPAY_REFRESH_LIFETIME_S",
      "log.level (FACEPAY_LOG_LEVEL)",
      `chmod 0400 ${token}`,
    ]) {
      expect(stdout).toContain(words);
    }
    expect(stdout).not.toContain("FACEPAY_BOOT_ID");
    const { code: sameCode, stdout: json } = await config("check", { args: ["--json"], env });
    const { valid, problems } = JSON.parse(json) as { valid: boolean; problems: { key: string; origin: string }[] };
    expect([sameCode, valid]).toEqual([78, false]);
    expect(problems).toContainEqual(expect.objectContaining({ key: "log.level", origin: "FACEPAY_LOG_LEVEL" }));
    expect(problems).toHaveLength(6);
  });

  it("of a pipe or a directory in place of a file is 78, and waits for nobody", async () => {
    await prepare();
    const pipe = directory.of("config.d/40-pipe.toml");
    execFileSync("mkfifo", [pipe]);
    await mkdir(directory.of("config.d/50-folder.toml"));
    const { code, stdout } = await config("check");
    expect(code).toBe(78);
    for (const file of [pipe, directory.of("config.d/50-folder.toml")]) expect(stdout).toContain(`ls -l ${file}`);
  });

  it("of nothing is 66, and says where to begin", async () => {
    await directory.remove("config.toml");
    expect(await config("check")).toMatchObject({ code: 66, stdout: "", stderr: expect.stringContaining("example") });
    // The one that the package installs beside it.
    const example = directory.file.replace(/[^/]*$/, "config.toml.example");
    await directory.write("config.toml.example", "");
    expect((await config("check")).stderr).toContain(`${example} is one to begin with.`);
    await directory.remove("config.toml.example");
    expect(await config("show")).toMatchObject({ code: 66 });
  });
});

describe("config show", () => {
  it("tells of every value where it comes from, the latest word counting", async () => {
    await prepare();
    const { code, stdout } = await config("show", { env: { FACEPAY_REFRESH_REFRESH_AT: "0.4" } });
    expect(code).toBe(0);
    const line = (key: string) => stdout.split("\n").find((one) => one.startsWith(`${key} = `)) ?? "";
    expect(line("lifetime_s")).toMatch(/= 800 +# .*config\.d\/20-shop\.toml:2$/);
    expect(line("stale_s")).toMatch(/= 70 +# .*config\.d\/10-shop\.toml:3$/);
    expect(line("refresh_at")).toMatch(/= 0\.4 +# FACEPAY_REFRESH_REFRESH_AT$/);
    expect(line("sp_mchid")).toMatch(/"1900000100" +# .*config\.toml:\d+$/);
    expect(line("refresh_at_unsteady")).toMatch(/= 0\.25 +# default$/);
    expect(line("bearer_token_file")).toContain(directory.of("token"));
    expect(line("password")).toContain('"(not shown)"');
    for (const one of stdout.split("\n")) if (/^\S+ = /.test(one)) expect(one).toMatch(/ {2}# \S/);
    const json = JSON.parse((await config("show", { args: ["--json"] })).stdout) as { settings: { origin: string }[] };
    expect(json.settings.length).toBeGreaterThan(20);
    for (const { origin } of json.settings) expect(origin).toMatch(/./);
  });

  it("of a configuration that is not valid shows its faults instead", async () => {
    await prepare();
    const { code, stdout } = await config("show", { env: { FACEPAY_LOG_LEVEL: "loud" } });
    expect([code, stdout.includes("FACEPAY_LOG_LEVEL")]).toEqual([78, true]);
    expect(stdout).not.toContain("lifetime_s =");
  });
});

describe("config schema", () => {
  it("needs no configuration, and is JSON", async () => {
    await directory.remove("config.toml");
    const { code, stdout, stderr } = await config("schema");
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: expect.stringContaining("2020-12"),
      additionalProperties: false,
    });
  });
});
