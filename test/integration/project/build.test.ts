import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AgentProcess, launcher } from "../../support/fixtures/agent-process.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

const root = path.resolve(import.meta.dirname, "../../..");
/** Far from the project, so that nothing of its node_modules can be found. */
let directory: string;
let program: string;

function build(...args: string[]) {
  const script = path.join(root, "scripts/build.ts");
  return spawnSync(process.execPath, [script, ...args], { encoding: "utf8", env: { PATH: process.env.PATH ?? "" } });
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-build-"));
  const { status, stderr } = build("--out", path.join(directory, "program"));
  expect(stderr).toBe("");
  expect(status).toBe(0);
  program = path.join(directory, "program/facepay-agent.cjs");
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await removeFactory();
});

const within = (...names: string[]) => path.join(directory, ...names);

async function outcome(args: readonly string[], options: { readonly program: string }) {
  await using agent = new AgentProcess(args, options);
  const { code } = await agent.exited;
  // Each has its own example beside it.
  const stderr = agent.stderr.replaceAll(/\S*\bdocs\/config\.example\.toml/g, "docs/config.example.toml");
  return { code, stdout: agent.stdout, stderr };
}

/** Every file of a directory with what it holds. */
async function contents(place: string): Promise<Map<string, string>> {
  const names = (await readdir(place, { recursive: true, withFileTypes: true })).filter((it) => it.isFile());
  const files = names.map((it) => path.join(it.parentPath, it.name)).sort();
  const texts = await Promise.all(files.map((file) => readFile(file, "base64")));
  return new Map(files.map((file, i) => [path.relative(place, file), texts[i] ?? ""]));
}

describe("the bundled program", () => {
  it("is the same for the same sources", async () => {
    expect(build("--out", within("again")).status).toBe(0);
    expect(await contents(within("again"))).toEqual(await contents(within("program")));
  });

  it("may be read by everybody, and carries compiled parts for one processor only", async () => {
    expect((await stat(within("program"))).mode & 0o777).toBe(0o755);
    const native = (await readdir(within("program/lib"))).filter((name) => name.endsWith(".node"));
    expect(native).toHaveLength(2);
    for (const name of native) {
      const { machine } = elf(await readFile(within("program/lib", name)));
      expect(machine).toBe(process.arch === "x64" ? 62 : 183);
    }
  });

  it("names every package in it with version, licence and digest, and brings the licence's text", async () => {
    const { program: itself, packages } = JSON.parse(await readFile(within("program/packages.json"), "utf8"));
    const own = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
    expect(itself).toMatchObject({ name: "facepay-agent", version: own.version, arch: process.arch });
    const versions = Object.fromEntries(packages.map((it: Record<string, string>) => [it.name, it.version]));
    for (const name of [
      "undici",
      "serialport",
      "@serialport/bindings-cpp",
      "koffi",
      `@koromix/koffi-linux-${process.arch}`,
    ]) {
      expect(versions[name], name).toMatch(/^\d/);
    }
    for (const [name, version] of Object.entries(versions)) expect(own.dependencies[name] ?? version).toBe(version);
    const texts = await readFile(within("program/LICENSES.txt"), "utf8");
    for (const { name, version, license, integrity } of packages) {
      expect(integrity, name).toMatch(/^sha512-/);
      const [, text = ""] = texts.split(`\n${name} ${version} (${license})\n`);
      expect(text.split("-".repeat(80))[0]?.trim(), name).toMatch(/copyright|apache license|permission/i);
    }
  });

  it("says and finds what the sources do", async () => {
    await using rig = await openRig();
    const file = ["--config", rig.configFile];
    const commands = [
      ["--version"],
      ["--help"],
      ["nonsense"],
      ["diagnose", "--list"],
      ["bridge", "--help"],
      ["config", "schema"],
      ["config", "check", ...file],
      ["config", "show", "--json", ...file],
      ["config", "check", "--config", rig.within("missing.toml")],
      ["status", "--lang", "both", ...file],
    ];
    for (const args of commands) {
      const [ours, sources] = await Promise.all([outcome(args, { program }), outcome(args, { program: launcher })]);
      expect(ours, args.join(" ")).toEqual(sources);
    }
  });

  it("does the main job over a serial line, and serves what it has kept after a power cut", async () => {
    await using rig = await openRig({ line: "serial" });
    const { authinfo } = await rig.serve({ program });
    expect((await rig.refresh()).status).toBe(200);
    expect(await rig.metric("facepay_authinfo_generation")).toEqual({ "": 2 });
    expect(await rig.metric("process_cpu_seconds_total")).not.toEqual({});
    const status = await outcome(["status", "--config", rig.configFile], { program });
    expect(status).toMatchObject({ code: 0, stderr: "" });
    const held = await rig.served((served) => served.authinfo !== authinfo);
    await rig.unplug();
    await rig.payDown();
    await rig.restart({ program });
    expect((await rig.firstAnswer()).body).toMatchObject({ authinfo: held.authinfo, generation: 2 });
    expect(await rig.stop()).toEqual({ code: 0, signal: null });
  });

  it("loads one file before it serves", async () => {
    await using rig = await openRig({ line: "serial" });
    await rig.serve({ program });
    await rig.agent.crash();
    const file = rig.within("loads.txt");
    const observer = new URL("../../support/children/load-observer.js", import.meta.url).href;
    rig.start({ program, env: { NODE_OPTIONS: `--import=${observer}`, LOAD_OBSERVER_FILE: file } });
    await rig.firstAnswer();
    await rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
    const events = (await readFile(file, "utf8")).split("\n");
    const listening = events.findIndex((event) => event.startsWith("listen "));
    expect(events.slice(0, listening)).toEqual([expect.stringMatching(/^load agent-[0-9a-f]{16}$/)]);
    expect(events.some((event) => event.startsWith("load serialport"))).toBe(true);
  });

  it("simulates the peers, and works with its own", async () => {
    await using peers = new AgentProcess(["simulate", "--directory", within("peers")], { program });
    await using rig = await openRig({ unplugged: true });
    await rig.until("the simulators are there", async () => peers.stdout.includes("Ctrl-C"));
    const configFile = within("peers/config.toml");
    await using agent = new AgentProcess(["run", "--config", configFile], { program });
    await rig.until("an authinfo is obtained", async () => {
      const { stdout } = await outcome(["status", "--json", "--config", configFile], { program });
      return stdout !== "" && JSON.parse(stdout).authinfo.state === "fresh";
    });
    expect((await agent.stop()).code).toBe(0);
    expect((await peers.stop()).code).toBe(0);
  });

  it("keeps compiled code beside itself or where systemd says, nowhere else", async () => {
    await outcome(["--version"], { program });
    expect(await readdir(within("program/cache"))).toEqual(["compile"]);
    await rm(within("program/cache"), { recursive: true });
    expect(await outcome(["--version"], { program })).toMatchObject({ code: 0, stderr: "" });
    expect(await readdir(within("program"))).not.toContain("cache");
  });
});

describe("the build", () => {
  it("leaves a directory alone that holds something else", async () => {
    const place = await mkdtemp(within("other-"));
    await writeFile(path.join(place, "mine.txt"), "mine");
    const { status, stderr } = build("--out", place);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("holds something else") });
    expect(await readdir(place)).toEqual(["mine.txt"]);
    expect((await readdir(directory)).filter((name) => name.includes(".new-"))).toEqual([]);
  });

  it.each([[["--arch", "mips"]], [["--nonsense"]]])("says how it is called when it is called with %j", (args) => {
    const { status, stderr } = build(...args);
    expect({ status, stderr }).toEqual({ status: 64, stderr: expect.stringContaining("usage: npm run build") });
  });
});

/** The processor an ELF file is for. */
function elf(octets: Buffer) {
  expect(octets.toString("latin1", 1, 4)).toBe("ELF");
  return { machine: octets.readUInt16LE(18) };
}
