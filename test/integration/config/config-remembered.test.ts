import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readLastKnownGood, saveLastKnownGood } from "../../../agent/config/files/last-known-good.ts";
import { type LoadedConfig, loadConfig } from "../../../agent/config/load.ts";
import { ConfigDirectory, gatewaySections, tomlOf } from "../../support/fixtures/config-fixture.ts";

const NAME = "config.remembered.json";

async function loadGood(directory: ConfigDirectory, env: Record<string, string> = {}): Promise<LoadedConfig> {
  const loaded = await loadConfig({ file: directory.file, env });
  if (loaded.kind !== "ok") throw new Error(JSON.stringify(loaded));
  return loaded;
}

describe("the remembered configuration", () => {
  it("is the same again without its files and its environment", async () => {
    await using directory = await ConfigDirectory.create();
    await mkdir(directory.of("state"));
    await directory.write("sn", "SN-7\n");
    await directory.write(
      "config.toml",
      tomlOf(gatewaySections, {
        identity: { device_id_file: '"sn"' },
        driver: { type: '"serial"', vendor_id: '"abcd"', product_id: '"0001"' },
        "driver.init": { ip: '"a"', proxy_type: "1", passwd_file: '"pw"', deep: "{ a = [1.5, true] }", '"o.k"': '"x"' },
        api: { socket: '"api.sock"', socket_mode: '"0600"' },
        store: { key_file: '"key"' },
      }),
    );
    await directory.write("config.d/a.toml", '[log]\nlevel = "warn"\n');
    const env = {
      FACEPAY_REFRESH_STALE_S: "5",
      STATE_DIRECTORY: directory.of("state"),
      HTTPS_PROXY: "proxy:3128",
      NO_PROXY: "localhost",
    };
    const loaded = await loadGood(directory, env);
    await saveLastKnownGood(loaded.config.store.directory, loaded);
    await Promise.all(["config.toml", "config.d", "sn"].map((name) => rm(directory.of(name), { recursive: true })));

    const remembered = await readLastKnownGood(directory.of("state"), { FACEPAY_LOG_LEVEL: "nonsense" });
    if (remembered?.kind !== "ok") throw new Error(JSON.stringify(remembered));
    expect(remembered.config).toEqual(loaded.config);
    expect(remembered.hash).toBe(loaded.hash);
    expect(remembered.named).toEqual(loaded.named);
    expect(remembered.origins.get("log.level")).toBe(directory.of("state", NAME));
    expect(remembered.memory).toEqual(loaded.memory);
  });

  it("lies in one file of mode 0600 and is not written twice", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", tomlOf(gatewaySections));
    const state = directory.of("state");
    await mkdir(state);
    const loaded = await loadGood(directory);
    await saveLastKnownGood(state, loaded);
    const file = directory.of("state", NAME);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await utimes(file, 1, 1);
    await saveLastKnownGood(state, loaded);
    expect((await stat(file)).mtimeMs).toBe(1000);
    await directory.write("config.d/a.toml", '[log]\nlevel = "warn"\n');
    await saveLastKnownGood(state, await loadGood(directory));
    expect((await stat(file)).mtimeMs).toBeGreaterThan(1000);
    expect(await readdir(state)).toEqual([NAME]);
  });

  it("holds no password of a proxy that is not in use", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", tomlOf(gatewaySections, { wechatpay: { proxy: '"http://p:1"' } }));
    const env = { HTTPS_PROXY: "http://u:topsecret@p:1", https_proxy: "http://u:topsecret@p:1" };
    await saveLastKnownGood(directory.path, await loadGood(directory, env));
    expect(await readFile(directory.of(NAME), "utf8")).not.toContain("topsecret");
  });

  it("is none when there is none, or it cannot be read", async () => {
    await using directory = await ConfigDirectory.create();
    const file = directory.of(NAME);
    expect(await readLastKnownGood(directory.path, {})).toBeUndefined();
    expect(await readLastKnownGood(directory.of("nowhere"), {})).toBeUndefined();
    for (const content of ["", "{", "null", "[]", '{"format":2,"settings":{}}', '{"format":1}', "\0".repeat(4096)]) {
      await writeFile(file, content, { mode: 0o600 });
      expect(await readLastKnownGood(directory.path, {}), content).toBeUndefined();
    }
  });

  it("is believed only while nobody else can reach it", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", tomlOf(gatewaySections));
    await saveLastKnownGood(directory.path, await loadGood(directory));
    expect(await readLastKnownGood(directory.path, {})).toMatchObject({ kind: "ok" });
    await chmod(directory.of(NAME), 0o640);
    expect(await readLastKnownGood(directory.path, {})).toBeUndefined();
  });

  it("goes through every check again", async () => {
    await using directory = await ConfigDirectory.create();
    await writeFile(directory.of(NAME), '{"format":1,"hash":"x","settings":{"log":{"level":"loud"},"extra":{}}}', {
      mode: 0o600,
    });
    const remembered = await readLastKnownGood(directory.path, {});
    if (remembered?.kind !== "invalid") throw new Error(remembered?.kind);
    expect(remembered.problems.map(({ key }) => key)).toEqual(expect.arrayContaining(["log.level", "extra"]));
  });

  it("fails with STORE_WRITE where nothing can be written, and leaves nothing behind", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", tomlOf(gatewaySections));
    const loaded = await loadGood(directory);
    await expect(saveLastKnownGood(directory.of("nowhere"), loaded)).rejects.toMatchObject({ code: "STORE_WRITE" });
    await mkdir(directory.of("state", NAME, "in-the-way"), { recursive: true });
    await expect(saveLastKnownGood(directory.of("state"), loaded)).rejects.toMatchObject({ code: "STORE_WRITE" });
    expect(await readdir(directory.of("state"))).toEqual([NAME]);
  });
});
