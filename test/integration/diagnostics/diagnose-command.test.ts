import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allChecks } from "../../../agent/diagnostics/checks.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { startChild } from "../../support/children/child.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { ConfigDirectory } from "../../support/fixtures/config-fixture.ts";
import { removeFactory } from "../../support/fixtures/running-agent.ts";
import { execute, openShop, type Shop } from "../../support/fixtures/shop.ts";

const root = path.resolve(import.meta.dirname, "../../..");

/** Back to the beginning of the line, and clear it. */
const WIPE = "\r\u001b[K";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ agent: "running" });
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await removeFactory();
});

describe("the report for programs", () => {
  it("is what the published schema says, in one document and line by line", async () => {
    const schema = JSON.parse(await readFile(path.join(root, "docs/diagnose.schema.json"), "utf8"));
    const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
    const isReport = ajv.compile(schema);
    const isLine = ajv.compile({ $ref: `${schema.$id}#/$defs/line` });
    const { stdout } = await shop.run(["--json"]);
    const report = JSON.parse(stdout);
    expect(isReport(report), JSON.stringify(isReport.errors)).toBe(true);
    expect(report.checks).toHaveLength(allChecks.length);

    const lines = (await shop.run(["--ndjson"])).stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const line of lines) expect(isLine(line), JSON.stringify(isLine.errors)).toBe(true);
    expect(lines.filter(({ check }) => check !== undefined)).toHaveLength(allChecks.length);
    expect(lines.at(-1).report).toMatchObject({ schema: "facepay-agent.diagnose/1", agent: "running" });
    // The schema would notice.
    expect(isReport({ ...report, checks: [{ ...report.checks[0], status: "fine" }] })).toBe(false);
    expect(isReport({ ...report, summary: undefined })).toBe(false);
  });

  it("streams: the first line is there long before the last", async () => {
    const words = ["diagnose", "--config", shop.within("config.toml"), "--ndjson"];
    await using technician = new AgentProcess(words);
    await expect.poll(() => technician.stdout.split("\n").length, { interval: 2, timeout: 60_000 }).toBeGreaterThan(1);
    expect(technician.stdout).not.toContain('"report"');
    await technician.exited;
    expect(technician.stdout).toContain('"report"');
  });
});

describe("the command line of diagnose", () => {
  it.each([
    [["--only", "no.such"], "no.such"],
    [["--skip", "no.such"], "no.such"],
    [["--only", " , "], "--only"],
    [["--json", "--ndjson"], "--ndjson"],
    [["--timeout", "soon"], "--timeout"],
    [["--timeout", "0"], "--timeout"],
    [["--frobnicate"], "--frobnicate"],
    [["--lang", "fr"], "fr"],
  ])("%j is a usage error, exit 3, with a word of what is wrong", async (args, word) => {
    const { code, stdout, stderr } = await shop.run(args);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain(word);
  });

  it("lists every check in both languages, for people and for programs", async () => {
    const { code, stdout } = await shop.run(["--list", "--lang", "zh-CN"]);
    expect(code).toBe(0);
    for (const { id, code, title } of allChecks) {
      expect(stdout).toContain(`${code}  ${id}`);
      expect(stdout).toContain(textOf(title).zh);
    }
    const listed = JSON.parse((await shop.run(["--list", "--json"])).stdout);
    expect(listed).toHaveLength(allChecks.length);
  });

  it("takes ids and numbers, and the causes with them", async () => {
    const { report } = await shop.diagnose(["--only", "304,mem.free"]);
    expect(report.checks.map(({ id }) => id)).toEqual(["mem.free", "key.file"]);
  });

  it("takes what a status names for the SDK's failures: the check in which they show", async () => {
    const { report } = await shop.diagnose(["--only", "sdk.service"]);
    expect(report.checks.map(({ id }) => id)).toContain("ser.device_data");
  });

  it("leaves out what it is told, and says so", async () => {
    const { check } = await shop.diagnose(["--skip", "mem.free", "--offline"]);
    expect(check("mem.free")).toMatchObject({ status: "skip", detail: { en: "left out by --skip" } });
    const network = allChecks.filter(({ needsNetwork }) => needsNetwork);
    expect(network.length).toBeGreaterThan(3);
    for (const { id } of network)
      expect(check(id)).toMatchObject({ status: "skip", detail: { en: "left out by --offline" } });
  });

  it("exits 0 when all is well, 2 for warnings, 1 for those on demand", async () => {
    expect((await shop.run(["--only", "cfg.valid"])).code).toBe(0);
    expect((await shop.run(["--only", "cfg.mode"])).code).toBe(2);
    expect((await shop.run(["--only", "cfg.mode", "--warnings-as-errors"])).code).toBe(1);
  });

  it("keeps within its time, and says what it did not get to", async () => {
    const { report } = await shop.diagnose(["--timeout", "0.001"]);
    // How many are quick enough to end within a millisecond is the machine's matter.
    const left = report.checks.filter(({ detail }) => textOf(detail).en.includes("--timeout"));
    expect(left.length).toBeGreaterThan(allChecks.length / 2);
    expect(report.checks.at(-1)).toMatchObject({ status: "skip", detail: { zh: "总时间已用完（--timeout）" } });
  });

  it("does not mind a reader who has read enough, and minds a report that could not be kept", async () => {
    const command = `"${process.execPath}" scripts/facepay-agent.js diagnose --config ${shop.within("config.toml")}`;
    const bash = (words: string) => execute("bash", ["-c", words], { cwd: root }).catch((error) => error);
    const left = await bash(`${command} --ndjson --only mem.free,cfg.valid | true; exit "\${PIPESTATUS[0]}"`);
    expect({ code: left.code ?? 0, stderr: left.stderr }).toEqual({ code: 0, stderr: "" });
    const full = await bash(`${command} --json --only mem.free > /dev/full`);
    expect(full).toMatchObject({ code: 4, stderr: expect.stringContaining("ENOSPC") });
  });

  it("is what scripts/diagnose.ts does", async () => {
    const args = ["scripts/diagnose.ts", "--config", shop.within("config.toml"), "--only", "cfg.valid", "--lang", "en"];
    const { stdout } = await execute(process.execPath, args, { cwd: root });
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("All is well.");
  });
});

describe("on a terminal", () => {
  /** util-linux: a pseudo-terminal around it. */
  const onTty = async (env: Record<string, string>, args: readonly string[]) => {
    const command = [
      process.execPath,
      "scripts/facepay-agent.js",
      "diagnose",
      "--config",
      shop.within("config.toml"),
      ...args,
    ];
    const words = ["-qec", command.map((word) => `'${word}'`).join(" "), "/dev/null"];
    const common = { PATH: process.env.PATH, TERM: "xterm", COLUMNS: "80" };
    const { stdout } = await execute("script", words, { cwd: root, env: { ...common, ...env } }).catch(
      (error) => error,
    );
    shop.rig.saw("diagnose on a terminal", stdout);
    return String(stdout);
  };

  it("shows what it is at, wipes it away, and speaks as the console can show it", async ({ skip }) => {
    const chinese = await onTty({ LANG: "zh_CN.UTF-8" }, ["--only", "cfg.mode"]).catch(String);
    if (!chinese.includes("cfg.mode")) return skip(`script(1) of util-linux is needed: ${chinese}`);
    expect(chinese).toContain("] 303 接入模式");
    expect(chinese).toContain(`${WIPE}facepay-agent `);
    expect(chinese).toContain("\u001b[33m");
    const bare = await onTty({ LANG: "C", NO_COLOR: "1" }, ["--only", "cfg.mode"]);
    expect(bare.replaceAll(WIPE, "").replaceAll("\r", "")).toMatch(/^[\n -~]+$/);
    expect(bare).toContain("[warn] 303");
    expect(await onTty({ LANG: "zh_CN.UTF-8", TERM: "linux" }, ["--only", "cfg.mode"])).toContain("[warn] 303 Mode");
  });
});

it("works on a machine where nothing has been set up", async () => {
  await using directory = await ConfigDirectory.create();
  await using technician = new AgentProcess(["diagnose", "--config", directory.file, "--lang", "en"]);
  expect((await technician.exited).code).toBe(1);
  expect(technician.stdout).toContain("Do this first [301 cfg.valid] there is no configuration file");
});

it("ends when it has said everything, whatever still hangs on a thread", async () => {
  await using directory = await ConfigDirectory.create();
  await execute("mkfifo", [directory.of("fifo")]);
  await using child = startChild("leaving-child.ts", [directory.of("fifo")]);
  const ended = once(child.process, "exit");
  expect(await child.line()).toBe("leaving");
  const [code] = await ended;
  expect(code).toBe(3);
});
