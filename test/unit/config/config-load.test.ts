import { spawnSync } from "node:child_process";
import { chmod, mkdir, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type InvalidConfig, type LoadedConfig, type LoadResult, loadConfig } from "../../../agent/config/load.ts";
import type { Problem } from "../../../agent/config/problem.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { noOtherUsers } from "../../support/children/as-user.ts";
import {
  ConfigDirectory,
  directSections,
  gatewaySections,
  type TomlSections,
  tomlOf,
} from "../../support/fixtures/config-fixture.ts";

type Env = Readonly<Record<string, string>>;

/** Loads one text as the only file. */
async function load(text: string, env: Env = {}, groups = "staff:x:50:\n"): Promise<LoadResult> {
  await using directory = await ConfigDirectory.create();
  await directory.write("config.toml", text);
  const groupFile = await directory.write("group", groups);
  return await loadConfig({ file: directory.file, env, groupFile });
}

async function good(text: string, env?: Env): Promise<LoadedConfig> {
  const loaded = await load(text, env);
  if (loaded.kind !== "ok") throw new Error(`not valid: ${JSON.stringify(loaded)}`);
  return loaded;
}

async function bad(text: string, env?: Env): Promise<InvalidConfig> {
  const loaded = await load(text, env);
  if (loaded.kind !== "invalid") throw new Error(`${loaded.kind}, not invalid`);
  return loaded;
}

/** The only problem there is. */
async function only(text: string, env?: Env): Promise<Problem> {
  const { problems } = await bad(text, env);
  expect(problems.map(({ key }) => key)).toHaveLength(1);
  const [problem] = problems;
  if (problem === undefined) throw new Error("no problem");
  return problem;
}

const gateway = (changes: TomlSections = {}) => tomlOf(gatewaySections, changes);
const direct = (changes: TomlSections = {}) => tomlOf(directSections, changes);

describe("a valid configuration", () => {
  it("fills in every default of the specification", async () => {
    const { config } = await good(gateway({ driver: { type: undefined, path: '"/dev/ttyUSB0"' } }));
    expect(config.driver).toEqual({
      type: "serial",
      path: "/dev/ttyUSB0",
      baudRate: 115_200,
      dataBits: 8,
      parity: "none",
      stopBits: 1,
      rtscts: false,
      callTimeoutMs: 10_000,
      initTimeoutMs: 15_000,
      init: {},
    });
    expect(config.wechatpay).toMatchObject({ attemptTimeoutMs: 10_000, connectTimeoutMs: 6_000, noProxy: "" });
    expect(config.refresh).toEqual({
      lifetimeS: 3_600,
      refreshAt: 0.5,
      refreshAtUnsteady: 0.25,
      demand: "learn",
      staleS: 82_800,
    });
    expect(config.store).toEqual({ directory: "/var/lib/facepay-agent" });
    expect(config.api).toEqual({ socketMode: 0o660, adminSocketMode: 0o660 });
    expect(config.fileCopy).toBeUndefined();
    expect(config.metrics).toEqual({ runtime: false });
    expect(config.log).toEqual({ level: "info" });
  });

  it("takes every optional key", async () => {
    const { config, warnings } = await good(
      gateway({
        identity: { sub_appid: '"wxsub"', device_id: '"SN 1"' },
        driver: { type: '"serial"', vendor_id: '"0x1A86"', product_id: '"7523"', serial_number: '"S1"' },
        "driver.init": { ip: '"10.0.0.2"', proxy_type: "1", passwd_file: '"passwd"', perform_mode: "2" },
        wechatpay: { proxy: '"http://proxy:3128"', proxy_auth_file: '"auth"', ca_file: '"ca.pem"' },
        store: { directory: '"state"', key_file: '"key"' },
        api: { socket: '"api.sock"', admin_socket: '"admin.sock"', socket_group: '"staff"', socket_mode: '"600"' },
        file_copy: { path: '"copy.json"', mode: '"0644"', group: '"50"' },
        metrics: { textfile: '"m.prom"' },
        log: { level: '"debug"' },
      }),
    );
    expect(config.identity).toMatchObject({ subAppid: "wxsub", deviceId: "SN 1" });
    expect(config.driver.match).toEqual({ vendorId: "1a86", productId: "7523", serialNumber: "S1" });
    expect(config.driver.init).toEqual({ ip: "10.0.0.2", proxy_type: 1, perform_mode: 2 });
    expect(config.driver.initPasswdFile).toMatch(/\/passwd$/);
    expect(config.wechatpay.proxy).toBe("http://proxy:3128");
    expect(config.api).toMatchObject({ socketMode: 0o600, socketGroup: "staff" });
    expect(config.fileCopy).toMatchObject({ mode: 0o644, group: "50" });
    expect(warnings.map(({ key }) => key)).toEqual(["file_copy.mode"]);
  });

  it("has WeChat Pay's two domains in direct mode unless told", async () => {
    const { config } = await good(direct());
    expect(config.wechatpay.baseUrls).toEqual(["https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com"]);
    const own = await good(direct({ wechatpay: { base_urls: '["https://127.0.0.1:8443"]', ca_file: '"ca.pem"' } }));
    expect(own.config.wechatpay.baseUrls).toEqual(["https://127.0.0.1:8443"]);
  });

  it("is frozen to the last table", async () => {
    const { config } = await good(gateway({ "driver.init": { deep: "{ a = [1] }" } }));
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.wechatpay.baseUrls)).toBe(true);
    expect(Object.isFrozen(config.driver.init.deep)).toBe(true);
  });

  it("has a hash of twelve digits that only a different configuration changes", async () => {
    await using directory = await ConfigDirectory.create();
    const hashOf = async (text: string, env: Env = {}) => {
      await directory.write("config.toml", text);
      const loaded = await loadConfig({ file: directory.file, env });
      return loaded.kind === "ok" ? loaded.hash : loaded.kind;
    };
    const hash = await hashOf(gateway());
    expect(hash).toMatch(/^[0-9a-f]{12}$/);
    expect(await hashOf(`# a comment\n${gateway({ log: { level: '"info"' } })}`)).toBe(hash);
    const init = await hashOf(gateway({ "driver.init": { a: "1", b: "2" } }));
    expect(await hashOf(gateway({ "driver.init": { b: "2", a: "1" } }))).toBe(init);
    expect(await hashOf(gateway({ log: { level: '"warn"' } }))).not.toBe(hash);
    expect(await hashOf(gateway(), { HTTPS_PROXY: "http://proxy:1" })).not.toBe(hash);
  });

  it("reads a Windows text: CRLF and a byte order mark", async () => {
    await good(`\ufeff${gateway().replaceAll("\n", "\r\n")}`);
  });
});

describe("sources", () => {
  it("is absent without a main file, whatever the environment says", async () => {
    await using directory = await ConfigDirectory.create();
    const env = { FACEPAY_LOG_LEVEL: "nonsense" };
    expect(await loadConfig({ file: directory.file, env })).toEqual({ kind: "absent", file: directory.file });
  });

  it("still tells the sockets of an unprovisioned terminal", async () => {
    await using directory = await ConfigDirectory.create();
    const env = { FACEPAY_API_ADMIN_SOCKET: "/run/x/admin.sock" };
    const loaded = await loadConfig({ file: directory.file, env });
    expect(loaded).toMatchObject({ kind: "absent", api: { adminSocket: "/run/x/admin.sock", adminSocketMode: 0o660 } });
  });

  it("lays drop-ins over the main file in name order, tables merged, lists replaced", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write(
      "config.toml",
      gateway({ "driver.init": { ip: '"a"', deep: "{ x = 1, y = 1, z = { a = 1, b = 1 } }" } }),
    );
    await directory.write("config.d/20-b.toml", '[log]\nlevel = "error"\n[driver.init.deep]\ny = 2\nz.b = 2\n');
    await directory.write(
      "config.d/10-a.toml",
      '[log]\nlevel = "warn"\n[refresh]\nstale_s = 7\n[wechatpay]\nbase_urls = ["https://b.example"]\n',
    );
    await directory.write("config.d/.30-hidden.toml", "garbage");
    await directory.write("config.d/40-note.txt", "garbage");
    const loaded = await loadConfig({ file: directory.file, env: {} });
    if (loaded.kind !== "ok") throw new Error(JSON.stringify(loaded));
    expect(loaded.config.log.level).toBe("error");
    expect(loaded.config.refresh.staleS).toBe(7);
    expect(loaded.config.wechatpay.baseUrls).toEqual(["https://b.example"]);
    expect(loaded.config.driver.init).toEqual({ ip: "a", deep: { x: 1, y: 2, z: { a: 1, b: 2 } } });
    expect(loaded.origins.get("log.level")).toBe(`${directory.of("config.d/20-b.toml")}:2`);
    expect(loaded.origins.get("refresh.stale_s")).toBe(`${directory.of("config.d/10-a.toml")}:4`);
  });

  it("lets the environment override scalars of every type", async () => {
    const { config, origins } = await good(gateway({ driver: { type: '"serial"', path: '"/dev/x"' } }), {
      FACEPAY_LOG_LEVEL: "warn",
      FACEPAY_DRIVER_CALL_TIMEOUT_MS: "1234",
      FACEPAY_DRIVER_DATA_BITS: "7",
      FACEPAY_DRIVER_RTSCTS: "true",
      FACEPAY_REFRESH_REFRESH_AT: "0.4",
      FACEPAY_IDENTITY_SUB_MCHID: "0012345678",
      FACEPAY_FILE_COPY_PATH: "/run/copy.json",
      FACEPAY_API_SOCKET_MODE: "0600",
      FACEPAY_DRIVER_INIT_PROXY_TYPE: "2",
      FACEPAY_DRIVER_INIT_IP: "10.0.0.9",
      FACEPAY_BOOT_ID: "reserved",
      OTHER: "ignored",
    });
    expect(config.log.level).toBe("warn");
    expect(config.driver).toMatchObject({ callTimeoutMs: 1234, dataBits: 7, rtscts: true });
    expect(config.driver.init).toEqual({ proxy_type: 2, ip: "10.0.0.9" });
    expect(config.refresh.refreshAt).toBe(0.4);
    expect(config.identity.subMchid).toBe("0012345678");
    expect(config.fileCopy?.path).toBe("/run/copy.json");
    expect(config.api.socketMode).toBe(0o600);
    expect(origins.get("log.level")).toBe("FACEPAY_LOG_LEVEL");
    expect(origins.get("refresh.stale_s")).toBe("default");
  });

  it("counts relative paths from the file they stand in, those of the environment from the main file", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", gateway());
    await directory.write("config.d/a.toml", '[store]\ndirectory = "../state"\nkey_file = "key"\n');
    const env = { FACEPAY_METRICS_TEXTFILE: "sub/m.prom" };
    const loaded = await loadConfig({ file: directory.file, env });
    if (loaded.kind !== "ok") throw new Error(JSON.stringify(loaded));
    expect(loaded.config.store).toEqual({ directory: directory.of("state"), keyFile: directory.of("config.d/key") });
    expect(loaded.config.wechatpay.publicKeyFile).toBe(directory.of("pub_key.pem"));
    expect(loaded.config.metrics.textfile).toBe(directory.of("sub/m.prom"));
  });

  it("takes the state directory from systemd when no file names one", async () => {
    const env = { STATE_DIRECTORY: "/var/lib/one:/var/lib/two" };
    const loaded = await good(gateway(), env);
    expect(loaded.config.store.directory).toBe("/var/lib/one");
    expect(loaded.origins.get("store.directory")).toBe("$STATE_DIRECTORY");
    expect((await good(gateway({ store: { directory: '"/s"' } }), env)).config.store.directory).toBe("/s");
  });

  it("reads the device id from a file, without NUL and line feed", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", gateway({ identity: { device_id_file: '"sn"' } }));
    await directory.write("sn", "SN-0001\n\0");
    expect(await loadConfig({ file: directory.file, env: {} })).toMatchObject({
      config: { identity: { deviceId: "SN-0001" } },
    });
    await directory.write("sn", `${"x".repeat(33)}\n`);
    const loaded = await loadConfig({ file: directory.file, env: {} });
    expect(loaded).toMatchObject({ kind: "invalid", problems: [{ key: "identity.device_id_file" }] });
  });
});

describe("problems of a file", () => {
  it("tells file, line and column of a syntax error, and not what stands there", async () => {
    const problem = await only(`${gateway()}[log]\nlevel = "x" topsecret\n`);
    expect(problem.origin).toMatch(/config\.toml:\d+:13$/);
    expect(JSON.stringify(problem)).not.toContain("topsecret");
  });

  it("tells the lines of keys", async () => {
    const problem = await only(`# first\n${gateway({ log: { level: '"loud"' } })}`);
    const lines = `# first\n${gateway({ log: { level: '"loud"' } })}`.split("\n");
    expect(problem.origin.split(":").at(-1)).toBe(String(lines.indexOf('level = "loud"') + 1));
  });

  it("refuses a directory, a text that is no UTF-8 and one that is too large", async () => {
    await using directory = await ConfigDirectory.create();
    const load = async () => await loadConfig({ file: directory.file, env: {} });
    await mkdir(directory.of("config.d/a.toml"), { recursive: true });
    await directory.write("config.toml", gateway());
    expect(await load()).toMatchObject({ kind: "invalid", problems: [{ origin: directory.of("config.d/a.toml") }] });
    await directory.write("config.toml", Buffer.from([0xc4, 0xe3]));
    await expect(load()).resolves.toMatchObject({ problems: [{ what: { id: "source.not_utf8" } }, {}] });
    await directory.write("config.toml", "#".repeat(300_000));
    await expect(load()).resolves.toMatchObject({
      problems: [{ what: { id: "source.too_large" } }, {}],
    });
  });

  it.each([
    ["GB18030", Buffer.concat([Buffer.from(gateway()), Buffer.from("# \xc9\xcc\xbb\xa7\n", "latin1")])],
    ["UTF-16", Buffer.from(`\ufeff${gateway()}`, "utf16le")],
  ])("names a command that makes %s good, with the mode it had", async (encoding, text) => {
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", text);
    await chmod(directory.file, 0o640);
    const load = async () => await loadConfig({ file: directory.file, env: {} });
    const loaded = await load();
    const [problem] = loaded.kind === "invalid" ? loaded.problems : [];
    const command = (problem ? textOf(problem.instead).zh : "").replace("请转换编码：\n", "");
    expect(command).toContain(`iconv -f ${encoding} -t UTF-8 `);
    // As a technician types it; where there is no iconv the sentence alone is judged.
    const { status } = spawnSync("sh", ["-c", `command -v iconv || exit 9; ${command}`]);
    if (status === 9) return;
    expect(await load()).toMatchObject({ kind: "ok" });
    expect((await stat(directory.file)).mode & 0o777).toBe(0o640);
  });

  it("does not advise the mode of a file for a directory", async ({ skip }) => {
    skip(noOtherUsers !== undefined, noOtherUsers);
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", gateway());
    await mkdir(directory.of("config.d"), { mode: 0o700 });
    await chmod(path.dirname(directory.file), 0o755);
    process.seteuid?.(65_534);
    try {
      const loaded = await loadConfig({ file: directory.file, env: {} });
      const texts = loaded.kind === "invalid" ? loaded.problems.map(({ instead }) => textOf(instead).zh) : [];
      expect(texts).toContain(`应为服务用户可读的目录：\n  chmod 0750 ${directory.of("config.d")}`);
    } finally {
      process.seteuid?.(0);
    }
  });

  it("reports everything at once", async () => {
    const text = gateway({
      identity: { sp_mchid: "1900000100", sub_mchid: undefined, colour: '"red"' },
      driver: { type: '"socket"', baud_rate: "1" },
      wechatpay: { base_urls: '["http://a"]', accept_key_on_device: "true" },
      api: { socket_group: '"nobody-knows"' },
      paint: { a: "1" },
    });
    const { problems } = await bad(text, { FACEPAY_LOG_LEVLE: "info", HTTPS_PROXY: "http://u:p@proxy:1" });
    expect(problems.map(({ key }) => key).sort()).toEqual([
      "FACEPAY_LOG_LEVLE",
      "HTTPS_PROXY",
      "api.socket_group",
      "driver.baud_rate",
      "driver.path",
      "identity.colour",
      "identity.sp_mchid",
      "identity.sub_mchid",
      "paint",
      "wechatpay.accept_key_on_device",
      "wechatpay.base_urls",
    ]);
    for (const { what, instead } of problems) {
      for (const text of [textOf(what).zh, textOf(what).en, textOf(instead).zh, textOf(instead).en])
        expect(text).not.toBe("");
    }
  });

  it("names the state directory even of a broken file", async () => {
    await using directory = await ConfigDirectory.create();
    const load = async (text: string, env: Env = {}) => {
      await directory.write("config.toml", text);
      const loaded = await loadConfig({ file: directory.file, env });
      return loaded.kind === "invalid" ? loaded.storeDirectory : loaded.kind;
    };
    expect(await load(gateway({ store: { directory: '"st"' }, log: { level: "1" } }))).toBe(directory.of("st"));
    expect(await load(`[store]\nkey_file = "k"\ndirectory = "st" # here\n[log]\nlevel = `)).toBe(directory.of("st"));
    expect(await load('store.directory = "/abs"\n[[[')).toBe("/abs");
    expect(await load('[other]\ndirectory = "/abs"\n[[[')).toBe("/var/lib/facepay-agent");
    expect(await load("[[[", { STATE_DIRECTORY: "/var/lib/x" })).toBe("/var/lib/x");
    expect(await load('[store]\ndirectory = "/abs"\n[[[', { STATE_DIRECTORY: "/var/lib/x" })).toBe("/abs");
    await directory.write("config.d/a.toml", '[store]\ndirectory = "/later"\n');
    expect(await load('[store]\ndirectory = "/abs"\n[[[')).toBe("/later");
  });
});

describe("unknown names", () => {
  it.each([
    [{ driver: { baudrate: "9600" } }, "driver.baudrate", "driver.baud_rate"],
    [{ driver: { mode: '"gateway"' } }, "driver.mode", "wechatpay.mode"],
    [{ wechatpay: { bearer_token: '"abc"' } }, "wechatpay.bearer_token", "wechatpay.bearer_token_file"],
    [{ wechat_pay: { a: "1" } }, "wechat_pay", "[wechatpay]"],
    [{ "driver.inti": { ip: '"a"' } }, "driver.inti", "[driver.init]"],
  ])("of a file name the nearest known key: %j", async (changes: TomlSections, key, meant) => {
    const problem = await only(gateway(changes));
    expect(problem.key).toBe(key);
    expect(textOf(problem.instead).en).toContain(meant);
    expect(textOf(problem.instead).zh).toContain(meant);
    expect(JSON.stringify(problem)).not.toContain("abc");
  });

  it("of the environment name the nearest known variable", async () => {
    const problem = await only(gateway(), { FACEPAY_WECHATPAY_MOD: "gateway" });
    expect(problem).toMatchObject({ key: "FACEPAY_WECHATPAY_MOD", origin: "FACEPAY_WECHATPAY_MOD" });
    expect(textOf(problem.instead).en).toContain("FACEPAY_WECHATPAY_MODE");
  });

  it("includes lists in the environment", async () => {
    const problem = await only(gateway(), { FACEPAY_WECHATPAY_BASE_URLS: "https://a" });
    expect(problem.key).toBe("wechatpay.base_urls");
  });

  it("of a section that is no table are one problem", async () => {
    expect((await only(`log = "info"\n${gateway()}`)).key).toBe("log");
  });
});

describe("each key", () => {
  it("tells how to write a merchant number that has no quotes", async () => {
    const problem = await only(gateway({ identity: { sp_mchid: "1900000100" } }));
    expect(textOf(problem.instead).en).toContain('"1900000100"');
    const long = await only(gateway({ identity: { sub_mchid: "12345678901234567890" } }));
    expect(textOf(long.instead).en).toContain('"12345678901234567890"');
  });

  it.each([
    ["identity", "sp_mchid", '"19000x"'],
    ["identity", "sp_appid", '"wx 1"'],
    ["identity", "organization_id", '""'],
    ["identity", "device_id", `"${"x".repeat(33)}"`],
    ["identity", "device_id", '"设备"'],
    ["driver", "type", '"usb"'],
    ["driver", "data_bits", "9"],
    ["driver", "data_bits", '"8"'],
    ["driver", "parity", '"mark"'],
    ["driver", "rtscts", '"yes"'],
    ["driver", "baud_rate", "9600.5"],
    ["driver", "call_timeout_ms", "0"],
    ["driver", "init_timeout_ms", "999999"],
    ["driver", "path", '"~/bridge"'],
    ["driver.init", "when", "2026-01-01"],
    ["driver.init", "huge", "12345678901234567890"],
    ["wechatpay", "mode", '"relay"'],
    ["wechatpay", "public_key_id", '"5157F09EFDC096DE15EBE81A47057A7232F1B8E1"'],
    ["wechatpay", "public_key_file", '"-----BEGIN PUBLIC KEY-----"'],
    ["wechatpay", "attempt_timeout_ms", "1"],
    ["wechatpay", "base_urls", '"https://a"'],
    ["wechatpay", "base_urls", "[]"],
    ["refresh", "lifetime_s", "4"],
    ["refresh", "lifetime_s", "86401"],
    ["refresh", "stale_s", "-1"],
    ["refresh", "stale_s", "86401"],
    ["refresh", "refresh_at", "0.0"],
    ["refresh", "refresh_at", "1"],
    ["refresh", "refresh_at_unsteady", "nan"],
    ["api", "socket_mode", "660"],
    ["api", "admin_socket_mode", '"0680"'],
    ["api", "socket_mode", '"4755"'],
    ["api", "socket", '""'],
    ["log", "level", '"trace"'],
  ])("[%s] %s = %s is refused once", async (section, key, value) => {
    expect((await only(gateway({ [section]: { [key]: value } }))).key).toBe(`${section}.${key}`);
  });

  it.each([
    ["refresh", "lifetime_s", "5"],
    ["refresh", "lifetime_s", "86400"],
    ["refresh", "stale_s", "0"],
    ["refresh", "refresh_at", "0.001"],
    ["refresh", "refresh_at", "0.999"],
    ["driver", "call_timeout_ms", "50"],
  ])("[%s] %s = %s is taken", async (section, key, value) => {
    await good(gateway({ [section]: { [key]: value } }));
  });

  it.each(["sp_mchid", "sp_appid", "sub_mchid", "organization_id"])("identity.%s is required", async (key) => {
    expect(await only(gateway({ identity: { [key]: undefined } }))).toMatchObject({ key: `identity.${key}` });
  });

  it.each(["mode", "public_key_id", "public_key_file"])("wechatpay.%s is required", async (key) => {
    expect(await only(gateway({ wechatpay: { [key]: undefined } }))).toMatchObject({ key: `wechatpay.${key}` });
  });

  it("never repeats a text that was refused: it might be a secret", async () => {
    const { problems } = await bad(
      gateway({
        identity: { sp_appid: '"topsecret!"' },
        wechatpay: { public_key_file: '"-----BEGIN topsecret"', proxy: '"http://u:topsecret@p:1"' },
        "driver.init": { passwd: '"topsecret"' },
      }),
    );
    expect(problems).toHaveLength(4);
    expect(JSON.stringify(problems)).not.toContain("topsecret");
  });
});

describe("base URLs", () => {
  it("lose their trailing slash and keep their path", async () => {
    const base_urls = '["https://A.example:443/", "https://b.example/pay/", "https://[::1]:9"]';
    const { config } = await good(gateway({ wechatpay: { base_urls } }));
    expect(config.wechatpay.baseUrls).toEqual(["https://a.example", "https://b.example/pay", "https://[::1]:9"]);
  });

  it.each([
    ["plain http", "http://a.example"],
    ["credentials", "https://user:topsecret@a.example"],
    ["a query", "https://a.example/?topsecret"],
    ["a fragment", "https://a.example/#x"],
    ["no host", "https://"],
    ["white space", " https://a.example"],
  ])("are refused with %s", async (_why, url) => {
    const problem = await only(gateway({ wechatpay: { base_urls: JSON.stringify([url]) } }));
    expect(problem.key).toBe("wechatpay.base_urls");
    expect(JSON.stringify(problem)).not.toContain("topsecret");
  });

  it("are refused twice the same", async () => {
    const base_urls = '["https://a.example/x", "https://A.example:443/x/"]';
    expect(textOf((await only(gateway({ wechatpay: { base_urls } }))).what).en).toContain("twice");
  });

  it.each([
    ["of WeChat Pay by default", {}],
    ["of WeChat Pay", { base_urls: '["https://a.example", "https://api.mch.weixin.qq.com."]' }],
  ])("%s refuse a root of one's own", async (_which, change) => {
    expect((await only(direct({ wechatpay: { ...change, ca_file: '"ca.pem"' } }))).key).toBe("wechatpay.ca_file");
  });

  it("of hosts that only look like WeChat Pay's do not", async () => {
    await good(direct({ wechatpay: { base_urls: '["https://myweixin.qq.com"]', ca_file: '"ca.pem"' } }));
  });

  it.each([
    ["https://pay.example/base", "https://pay.example"],
    ["https://api.mch.weixin.qq.com/v3/", "https://api.mch.weixin.qq.com"],
  ])("with a path are refused in direct mode, where the path is signed: %s", async (url, origin) => {
    const change = { base_urls: JSON.stringify(["https://api.mch.weixin.qq.com/", url]) };
    const problem = await only(direct({ wechatpay: change }));
    expect(problem.key).toBe("wechatpay.base_urls");
    expect(textOf(problem.what).en).toMatch(/^entry 2 has the path/);
    expect(textOf(problem.instead).en).toContain(`"${origin}"`);
  });

  it("that repeat the request's path are warned about", async () => {
    const { warnings } = await good(gateway({ wechatpay: { base_urls: '["https://a.example/v3/"]' } }));
    expect(warnings.map(({ key }) => key)).toEqual(["wechatpay.base_urls"]);
  });
});

describe("modes and credentials", () => {
  it.each([
    ["accept_key_on_device", undefined],
    ["accept_key_on_device", "false"],
    ["accept_key_on_device", '"true"'],
    ["merchant_serial_no", undefined],
    ["merchant_serial_no", '"xyz"'],
    ["merchant_private_key_file", undefined],
  ])("direct mode needs %s, not %s", async (key, value) => {
    expect((await only(direct({ wechatpay: { [key]: value } }))).key).toBe(`wechatpay.${key}`);
  });

  const SERIAL = "0157F09EFDC096DE15EBE81A47057A7232F1B8E1";
  const decimal = String(BigInt(`0x${SERIAL}`));
  it.each([
    ["40 digits", SERIAL],
    ["lower case", SERIAL.toLowerCase()],
  ])("a merchant's serial number of %s is taken", async (_form, given) => {
    const { config } = await good(direct({ wechatpay: { merchant_serial_no: `"${given}"` } }));
    expect(config.wechatpay.merchantSerialNo).toBe(SERIAL);
  });

  it.each([
    ["the decimal number", decimal, `decimal number of ${decimal.length} digits`],
    ["openssl's line", `serial=${SERIAL}`, "more than the 40"],
    ["colons", (SERIAL.match(/../g) ?? []).join(":"), "more than the 40"],
    ["blanks, in lower case", `0x${(SERIAL.toLowerCase().match(/.{8}/g) ?? []).join(" ")} `, "more than the 40"],
  ])("a merchant's serial number as %s is refused, with the right one", async (_form, given, what) => {
    const problem = await only(direct({ wechatpay: { merchant_serial_no: JSON.stringify(given) } }));
    expect(textOf(problem.what).en).toContain(what);
    expect([textOf(problem.instead).en, textOf(problem.instead).zh]).toEqual(
      Array(2).fill(expect.stringContaining(`"${SERIAL}"`)),
    );
  });

  it.each([
    ["39 digits, as where a leading 0 is lost", SERIAL.slice(1), "has 39 digits"],
    ["38 digits", SERIAL.slice(2), "has 38 digits"],
    ["41 digits", `${SERIAL}A`, "has 41 digits"],
    ["a decimal number beyond twenty octets", "9".repeat(49), "has 49 digits"],
    ["the key's id", "PUB_KEY_ID_0000000000000024101100397200000006", "40 hexadecimal digits"],
  ])("a merchant's serial number of %s is refused, with how to read it", async (_form, given, what) => {
    const problem = await only(direct({ wechatpay: { merchant_serial_no: `"${given}"` } }));
    expect(textOf(problem.what).en).toContain(what);
    expect([textOf(problem.instead).en, textOf(problem.instead).zh]).toEqual(
      Array(2).fill(expect.stringContaining("openssl x509 -in apiclient_cert.pem -noout -serial")),
    );
  });

  it.each(["client_cert_file", "client_key_file", "bearer_token_file"])("direct mode refuses %s", async (key) => {
    const problem = await only(direct({ wechatpay: { [key]: '"f"' } }));
    expect(problem.key).toBe(`wechatpay.${key}`);
    expect(textOf(problem.what).en).toContain("gateway");
  });

  it.each([
    ["accept_key_on_device", "true"],
    ["merchant_serial_no", `"${"0".repeat(40)}"`],
    ["merchant_private_key_file", '"f"'],
  ])("gateway mode refuses %s", async (key, value) => {
    const problem = await only(gateway({ wechatpay: { [key]: value } }));
    expect(problem.key).toBe(`wechatpay.${key}`);
    expect(textOf(problem.what).en).toContain("direct");
  });

  it.each([
    ["base URLs", { base_urls: undefined }, "base_urls"],
    ["any credential", { bearer_token_file: undefined }, "bearer_token_file"],
    ["the key of its certificate", { client_cert_file: '"c"' }, "client_key_file"],
    ["the certificate of its key", { client_key_file: '"k"', bearer_token_file: undefined }, "client_cert_file"],
  ])("gateway mode needs %s", async (_what, change, key) => {
    expect((await only(gateway({ wechatpay: change }))).key).toBe(`wechatpay.${key}`);
  });

  it.each([
    ["a token alone", {}],
    ["a certificate alone", { bearer_token_file: undefined, client_cert_file: '"c"', client_key_file: '"k"' }],
    ["both", { client_cert_file: '"c"', client_key_file: '"k"' }],
  ])("gateway mode is content with %s", async (_what, change) => {
    await good(gateway({ wechatpay: change }));
  });
});

describe("the driver", () => {
  it.each([
    ["nothing", {}, "driver.path"],
    ["half an id", { vendor_id: '"1a86"' }, "driver.path"],
    ["a path and an id", { path: '"/dev/x"', vendor_id: '"1a86"', product_id: '"7523"' }, "driver.vendor_id"],
    ["a path and a serial number", { path: '"/dev/x"', serial_number: '"1"' }, "driver.serial_number"],
    ["an id that is no text", { vendor_id: "0x1a86", product_id: '"7523"' }, "driver.vendor_id"],
  ])("is not found on a serial line by %s", async (_how, change, key) => {
    expect((await only(gateway({ driver: { type: '"serial"', ...change } }))).key).toBe(key);
  });

  it("is warned about an id that many gadgets share, unless a serial number tells them apart", async () => {
    const ids = { type: '"serial"', vendor_id: '"10C4"', product_id: '"ea60"' };
    expect((await good(gateway({ driver: ids }))).warnings.map(({ key }) => key)).toEqual(["driver.vendor_id"]);
    expect((await good(gateway({ driver: { ...ids, serial_number: '"1"' } }))).warnings).toEqual([]);
    expect((await good(gateway({ driver: { ...ids, vendor_id: '"abcd"' } }))).warnings).toEqual([]);
  });

  it("needs a socket's path that the kernel can hold", async () => {
    expect((await only(gateway({ driver: { type: '"socket"' } }))).key).toBe("driver.path");
    const path = (octets: number) => `"/${"x".repeat(octets - 1)}"`;
    await good(gateway({ driver: { type: '"socket"', path: path(107) } }));
    expect((await only(gateway({ driver: { type: '"socket"', path: path(108) } }))).key).toBe("driver.path");
  });

  it("is warned about keys without effect", async () => {
    const driver = { type: '"simulator"', path: '"/x"', vendor_id: '"1a86"' };
    expect((await good(gateway({ driver }))).warnings.map(({ key }) => key)).toEqual([
      "driver.vendor_id",
      "driver.path",
    ]);
  });

  it.each(["cmd", "now"])("leaves driver.init.%s to the agent", async (key) => {
    const problem = await only(gateway({ "driver.init": { [key]: '"x"' } }));
    expect(problem).toMatchObject({ key: `driver.init.${key}`, instead: { id: "rule.remove_key" } });
  });

  it("takes no password as a value", async () => {
    const problem = await only(gateway({ "driver.init": { passwd: '"x"' } }));
    expect(textOf(problem.instead).en).toContain("passwd_file");
  });
});

describe("other rules", () => {
  const socketDriver = { type: '"socket"', path: '"b"' };
  it.each([
    [
      "two device ids",
      { identity: { device_id: '"a"', device_id_file: '"/etc/hostname"' } },
      "identity.device_id_file",
    ],
    ["a device id file that is missing", { identity: { device_id_file: '"/nowhere"' } }, "identity.device_id_file"],
    ["one path for both sockets", { api: { socket: '"s"', admin_socket: '"./s"' } }, "api.admin_socket"],
    ["a socket path that is too long", { api: { admin_socket: `"${"x".repeat(108)}"` } }, "api.admin_socket"],
    ["an unknown group", { api: { admin_socket_group: '"wheel"' } }, "api.admin_socket_group"],
    ["an unknown group of the copy", { file_copy: { path: '"c"', group: '"wheel"' } }, "file_copy.group"],
    ["a copy without a path", { file_copy: { mode: '"0600"' } }, "file_copy.path"],
    ["one path for copy and metrics", { file_copy: { path: '"f"' }, metrics: { textfile: '"f"' } }, "metrics.textfile"],
    ["a copy in place of a key", { file_copy: { path: '"pub_key.pem"' } }, "file_copy.path"],
    [
      "metrics that are written first in place of a key",
      { metrics: { textfile: '"./token.tmp"' } },
      "metrics.textfile",
    ],
    ["metrics in place of the bridge", { driver: socketDriver, metrics: { textfile: '"b"' } }, "metrics.textfile"],
    ["a copy in place of a socket", { api: { socket: '"s"' }, file_copy: { path: '"s"' } }, "file_copy.path"],
    ["a copy in place of the configuration", { file_copy: { path: '"config.toml"' } }, "file_copy.path"],
    ["metrics among the drop-ins", { metrics: { textfile: '"config.d/z.toml"' } }, "metrics.textfile"],
    [
      "a copy in place of the state",
      { store: { directory: '"state"' }, file_copy: { path: '"state/state.sealed"' } },
      "file_copy.path",
    ],
    [
      "a copy that displaces the metrics",
      { file_copy: { path: '"m"' }, metrics: { textfile: '"m.tmp"' } },
      "metrics.textfile",
    ],
  ])("refuse %s", async (_what, changes: TomlSections, key) => {
    expect((await only(gateway(changes))).key).toBe(key);
  });

  it.each([
    ["a socket open to all", { api: { socket_mode: '"0666"' } }, "api.socket_mode"],
    [
      "a connect timeout without effect",
      { wechatpay: { connect_timeout_ms: "20000" } },
      "wechatpay.connect_timeout_ms",
    ],
    ["a later refresh when unsteady", { refresh: { refresh_at_unsteady: "0.9" } }, "refresh.refresh_at_unsteady"],
  ])("warn about %s", async (_what, changes: TomlSections, key) => {
    expect((await good(gateway(changes))).warnings.map((warning) => warning.key)).toEqual([key]);
  });
});

describe("the proxy", () => {
  const proxyOf = async (env: Env, wechatpay = {}) => {
    const { config, origins } = await good(gateway({ wechatpay }), env);
    const { proxy, noProxy } = config.wechatpay;
    return { proxy, noProxy, origin: origins.get("wechatpay.proxy") };
  };

  it("is the file's, and NO_PROXY is of no concern then", async () => {
    const env = { HTTPS_PROXY: "http://u:p@other:1", NO_PROXY: "*" };
    const found = await proxyOf(env, { proxy: '"http://proxy.example:3128/"' });
    expect(found).toMatchObject({ proxy: "http://proxy.example:3128", noProxy: "" });
  });

  it("else the environment's, lower case first", async () => {
    const env = { https_proxy: "proxy:3128", HTTPS_PROXY: "http://other:1", NO_PROXY: "a,b" };
    expect(await proxyOf(env)).toEqual({ proxy: "http://proxy:3128", noProxy: "a,b", origin: "https_proxy" });
    expect(await proxyOf({ HTTPS_PROXY: "http://other" })).toMatchObject({ proxy: "http://other:80" });
    expect(await proxyOf({ HTTPS_PROXY: " " })).toMatchObject({ proxy: undefined });
  });

  it("has an empty variable count as unset, and is not read where NO_PROXY rules out every host, as with curl", async () => {
    const env = { HTTPS_PROXY: "http://other:1", no_proxy: "", NO_PROXY: "a" };
    expect(await proxyOf(env)).toMatchObject({ noProxy: "a" });
    for (const all of [{ NO_PROXY: "*" }, { no_proxy: " ", NO_PROXY: " * " }, { no_proxy: "*", NO_PROXY: "a" }])
      expect(await proxyOf({ HTTPS_PROXY: "socks5://proxy:1080", ...all })).toMatchObject({ proxy: undefined });
    expect((await only(gateway(), { HTTPS_PROXY: "socks5://proxy:1080", NO_PROXY: "a" })).key).toBe("HTTPS_PROXY");
  });

  it.each([
    "http://proxy",
    "https://proxy:1",
    "socks5://proxy:1",
    "http://proxy:1/path",
    "proxy:1",
    "http://proxy:99999",
  ])("is not %s", async (proxy) => {
    expect((await only(gateway({ wechatpay: { proxy: `"${proxy}"` } }))).key).toBe("wechatpay.proxy");
  });

  it("holds no credentials, wherever it comes from", async () => {
    const fromFile = await only(gateway({ wechatpay: { proxy: '"http://u:topsecret@p:1"' } }));
    const fromEnv = await only(gateway(), { HTTPS_PROXY: "http://u:topsecret@p:1" });
    expect([fromFile.key, fromEnv.key]).toEqual(["wechatpay.proxy", "HTTPS_PROXY"]);
    for (const problem of [fromFile, fromEnv]) {
      expect(textOf(problem.instead).en).toContain("proxy_auth_file");
      expect(JSON.stringify(problem)).not.toContain("topsecret");
    }
  });

  it("that is missing makes its credentials useless", async () => {
    const { warnings } = await good(gateway({ wechatpay: { proxy_auth_file: '"a"' } }));
    expect(warnings.map(({ key }) => key)).toEqual(["wechatpay.proxy_auth_file"]);
  });
});
