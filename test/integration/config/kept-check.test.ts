import { execFile } from "node:child_process";
import { appendFile, chmod, cp, mkdir, readdir, truncate } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { keepCheck, recallCheck } from "../../../agent/config/kept-check.ts";
import { type LoadedConfig, loadConfig } from "../../../agent/config/load.ts";
import { ConfigDirectory, gatewaySections, tomlOf } from "../../support/fixtures/config-fixture.ts";

const execute = promisify(execFile);
const root = path.resolve(import.meta.dirname, "../../..");

type Environment = Readonly<Record<string, string>>;

class Terminal {
  readonly files: ConfigDirectory;

  constructor(files: ConfigDirectory) {
    this.files = files;
  }

  get cache(): string {
    return this.files.of("cache");
  }

  async load(env: Environment): Promise<LoadedConfig> {
    const loaded = await loadConfig({ file: this.files.file, env });
    if (loaded.kind !== "ok") throw new Error(JSON.stringify(loaded));
    return loaded;
  }

  /** One start: recalls, else checks and keeps. Says which. */
  async start(env: Environment = {}): Promise<LoadedConfig | "checked"> {
    const check = recallCheck(this.files.file, env, this.cache);
    if (check.found) return check.found;
    await keepCheck(check, await this.load(env));
    return "checked";
  }
}

async function terminal(files: ConfigDirectory): Promise<Terminal> {
  await mkdir(files.of("cache"));
  await files.write("sn", "SN-7\n");
  await files.write("config.toml", tomlOf(gatewaySections, { identity: { device_id_file: '"sn"' } }));
  return new Terminal(files);
}

describe("the kept outcome of a check", () => {
  it("is what the check finds", async () => {
    await using files = await ConfigDirectory.create();
    const { start, load } = bound(await terminal(files));
    expect(await start()).toBe("checked");
    expect(await start({ PATH: "/somewhere", INVOCATION_ID: "1" })).toEqual(await load({}));
    expect(await readdir(files.of("cache"))).toHaveLength(1);
  });

  it("leaves one file, also after an agent was killed while it wrote", async () => {
    await using files = await ConfigDirectory.create();
    const { start } = bound(await terminal(files));
    await start();
    const [name = ""] = await readdir(files.of("cache"));
    await files.write(`cache/${name}.tmp`, "half of wh");
    await files.write("config.toml", `${tomlOf(gatewaySections)}\n`);
    expect(await start()).toBe("checked");
    expect(await readdir(files.of("cache"))).toEqual([name]);
    expect(await start()).not.toBe("checked");
  });

  it.each<[what: string, change: (files: ConfigDirectory) => Promise<unknown>, env?: Environment]>([
    ["the main file", (files) => files.write("config.toml", `${tomlOf(gatewaySections)}\n`)],
    ["a drop-in more", (files) => files.write("config.d/x.toml", "")],
    ["the file of the device id", (files) => files.write("sn", "SN-8\n")],
    ["a setting of the environment", async () => undefined, { FACEPAY_REFRESH_STALE_S: "5" }],
    ["the proxy", async () => undefined, { HTTPS_PROXY: "http://proxy:3128" }],
    ["systemd's state directory", async () => undefined, { STATE_DIRECTORY: "/var/lib/other" }],
    ["half of what was kept", (files) => cut(files)],
    ["what was kept being open to others", (files) => open(files)],
  ])("is not believed after a change of: %s", async (_what, change, env) => {
    await using files = await ConfigDirectory.create();
    const { start } = bound(await terminal(files));
    await start();
    await change(files);
    expect(await start(env)).toBe("checked");
    expect(await start(env)).toMatchObject({ kind: "ok" });
  });

  it("is not kept when the device id has changed since the check", async () => {
    await using files = await ConfigDirectory.create();
    const { start, load, cache } = await terminal(files).then((it) => ({ ...bound(it), cache: it.cache }));
    const check = recallCheck(files.file, {}, cache);
    const loaded = await load({});
    await files.write("sn", "SN-8\n");
    await keepCheck(check, loaded);
    expect(await readdir(cache)).toEqual([]);
    expect(await start()).toBe("checked");
  });

  it("is not believed once the code of the check is another one, in whichever of its rooms", async () => {
    await using files = await ConfigDirectory.create();
    await terminal(files);
    for (const part of ["agent", "package.json"]) {
      await cp(path.join(root, part), files.of(`program/${part}`), { recursive: true, preserveTimestamps: true });
    }
    const mark = async () => {
      const code = `
        const { recallCheck } = await import(${JSON.stringify(files.of("program/agent/config/kept-check.ts"))});
        process.stdout.write(String(recallCheck(${JSON.stringify(files.file)}, {}, "/nonexistent").mark));`;
      return (await execute(process.execPath, ["--input-type=module", "-e", code])).stdout;
    };
    const marks = [await mark(), await mark()];
    expect(marks[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(marks[1]).toBe(marks[0]);
    for (const name of ["load.ts", "keys/schema.ts", "rules/rules.ts"]) {
      await appendFile(files.of(`program/agent/config/${name}`), "\n");
      const now = await mark();
      expect(marks, name).not.toContain(now);
      marks.push(now);
    }
  });

  it("is neither looked for nor kept without a place, or without a configuration", async () => {
    await using files = await ConfigDirectory.create();
    const { load, cache } = await terminal(files).then((it) => ({ ...bound(it), cache: it.cache }));
    expect(recallCheck(files.of("none.toml"), {}, cache)).toEqual({});
    const nowhere = recallCheck(files.file, {}, files.of("missing"));
    expect(nowhere.found).toBeUndefined();
    await keepCheck(nowhere, await load({}));
  });
});

function bound(it: Terminal) {
  return { start: it.start.bind(it), load: it.load.bind(it) };
}

async function kept(files: ConfigDirectory): Promise<string> {
  const [name = ""] = await readdir(files.of("cache"));
  return files.of("cache", name);
}

async function cut(files: ConfigDirectory): Promise<void> {
  await truncate(await kept(files), 200);
}

async function open(files: ConfigDirectory): Promise<void> {
  await chmod(await kept(files), 0o644);
}
