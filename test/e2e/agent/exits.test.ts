import { access, chmod, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openRig, type Rig, removeFactory, type StartOptions } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const OLD_NODE = "/usr/bin/node";
const exists = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

/** Runs the agent to its end. */
async function exitOf(rig: Rig, options: StartOptions = {}) {
  const agent = rig.start(options);
  const { code, signal } = await agent.exited;
  return { code, signal, stdout: agent.stdout, stderr: agent.stderr };
}

const warningCodes = async (rig: Rig) => (await rig.status()).warnings.map(({ code }) => code);

/** Reads without a pause until it is told to end; returns every answer but the one that is hoped for. */
function readAllTheTime(rig: Rig, isGood: (body: Record<string, unknown>) => boolean): () => Promise<unknown[]> {
  let ended = false;
  const reading = (async () => {
    const bad: unknown[] = [];
    while (!ended) {
      const { status, body } = await rig
        .get()
        .catch((error: unknown) => ({ status: 0, body: { code: String(error) } as Record<string, unknown> }));
      if (status !== 200 || !isGood(body)) bad.push({ status, code: body.code });
    }
    return bad;
  })();
  return async () => {
    ended = true;
    return await reading;
  };
}

describe.concurrent("the end of the agent", () => {
  it.each([
    ["SIGTERM", "serial"],
    ["SIGINT", "socket"],
  ] as const)("by %s is 0, soon, and leaves no socket behind (%s line)", async (signal, line) => {
    await using rig = await openRig({ line });
    await rig.serve();
    const reader = rig.events();
    await rig.until("a subscriber that holds its connection", async () => reader.events.length > 0);
    rig.bridge.faults = { silent: true };
    rig.pay.faults.always = { delivery: "hang" };
    const refreshed = rig.refresh().catch(() => undefined);
    const askedAt = performance.now();
    rig.agent.kill(signal);
    expect(await rig.agent.exited).toEqual({ code: 0, signal: null });
    // Two seconds are promised; the rest is for a busy machine.
    expect(performance.now() - askedAt).toBeLessThan(4_000);
    expect([await exists(rig.apiSocket), await exists(rig.adminSocket)]).toEqual([false, false]);
    expect(rig.agent.stdout).toBe("");
    await refreshed;
  });

  it("is 64 for what is no command", async () => {
    await using rig = await openRig({ payDown: true, unplugged: true });
    for (const args of [["run", "--nonsense"], ["nonsense"], ["run", "--lang", "fr"], ["run", "--config"]]) {
      expect(await exitOf(rig, { args })).toMatchObject({ code: 64, stdout: "", stderr: expect.stringMatching(/./) });
    }
  });

  it("is 75 for a second one, and the first one goes on", async () => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    const first = rig.agent;
    const second = await exitOf(rig);
    expect(second).toMatchObject({ code: 75, stdout: "" });
    expect(second.stderr).toContain(String(first.pid));
    expect((await rig.get()).body).toMatchObject({ authinfo, state: "fresh" });
    expect((await rig.refresh()).status).toBe(200);
    expect(first.exit).toBeUndefined();
    first.kill("SIGTERM");
    expect((await first.exited).code).toBe(0);
  });

  it("leaves the sockets to the first one even when the second has a state directory of its own", async () => {
    await using rig = await openRig();
    await rig.serve();
    const first = rig.agent;
    await rig.configure({ store: { directory: "another-state" } });
    expect((await exitOf(rig)).code).not.toBe(0);
    expect((await rig.get()).body).toMatchObject({ state: "fresh", generation: 1 });
    first.kill("SIGTERM");
    expect((await first.exited).code).toBe(0);
  });

  it("is 78 for a bad configuration, with every problem at once: key, what is wrong, what to write", async () => {
    await using rig = await openRig({ payDown: true, unplugged: true });
    await rig.configure({
      identity: { sp_mchid: 1900000100, sub_mchid: undefined },
      wechatpay: { mode: "dirct", merchant_private_key_file: "/nowhere/key.pem" },
      refresh: { refresh_at: 2, lifetime: 10 },
      driver: { baud_rat: 9600 },
    });
    const { code, stdout, stderr } = await exitOf(rig, { args: ["run", "--config", rig.configFile, "--lang", "en"] });
    expect([code, stdout]).toEqual([78, ""]);
    const keys = [
      "identity.sp_mchid",
      "identity.sub_mchid",
      "wechatpay.mode",
      "refresh.refresh_at",
      "refresh.lifetime",
    ];
    for (const key of [...keys, "driver.baud_rat"]) expect(stderr).toContain(key);
    for (const nearest of ["refresh.lifetime_s", "driver.baud_rate"]) expect(stderr).toContain(nearest);
    expect(stderr.split("\n").filter((line) => line.includes("->")).length).toBeGreaterThanOrEqual(6);
  });

  it("is 78 for a key that others can read, named but not shown", async () => {
    await using rig = await openRig({ payDown: true, unplugged: true });
    await chmod(rig.within("merchant-key.pem"), 0o640);
    const { code, stderr } = await exitOf(rig);
    expect(code).toBe(78);
    expect(stderr).toContain("wechatpay.merchant_private_key_file");
    await rm(rig.within("merchant-key.pem"));
    expect(await exitOf(rig)).toMatchObject({ code: 78 });
  });

  it("is 78 for a file that is no TOML", async () => {
    await using rig = await openRig({ payDown: true, unplugged: true });
    await writeFile(rig.configFile, '[identity\nsp_mchid = "1"\n');
    expect(await exitOf(rig)).toMatchObject({ code: 78, stdout: "", stderr: expect.stringContaining(rig.configFile) });
  });

  it.each([
    ["NODE_TLS_REJECT_UNAUTHORIZED", "0"],
    ["SSLKEYLOGFILE", "/tmp/keys"],
    ["NODE_OPTIONS", "--inspect=127.0.0.1:0"],
    ["NODE_OPTIONS", "--no-warnings --inspect-port=0 --inspect"],
  ])("is 78 when %s=%s would defeat it, with the remedy", async (name, value) => {
    await using rig = await openRig({ payDown: true, unplugged: true });
    const { code, stdout, stderr } = await exitOf(rig, { env: { [name]: value } });
    expect([code, stdout]).toEqual([78, ""]);
    expect(stderr).toContain(name);
    expect(stderr).toContain("->");
    expect(await exists(rig.apiSocket)).toBe(false);
  });
});

describe.concurrent("SIGUSR1", () => {
  it("opens no debugger and ends nothing", async () => {
    await using rig = await openRig();
    await rig.serve();
    for (let i = 0; i < 3; i++) rig.agent.kill("SIGUSR1");
    expect((await rig.refresh()).status).toBe(200);
    expect(rig.agent.listeningPorts()).toEqual([]);
    expect(rig.agent.stderr).not.toMatch(/debugger|inspector/i);
    expect((await rig.stop()).code).toBe(0);
  });
});

describe.concurrent("an older Node", async () => {
  const version = (await exists(OLD_NODE)) ? await nodeVersion(OLD_NODE) : undefined;
  const old = version !== undefined && version >= 18 && version < 24;

  it("hands over to the pinned one, with every signal and the exit code", async ({ skip }) => {
    skip(!old, `${OLD_NODE} is not there, or is not older than 24`);
    await using rig = await openRig();
    await rig.configure({ metrics: { runtime: true } });
    await rig.serve({ node: OLD_NODE });
    expect(await rig.metrics()).toMatch(/nodejs_version_info\{[^}]*major="24"/);
    rig.agent.kill("SIGUSR1");
    await rig.configure({ refresh: { lifetime_s: 1800 } });
    const { config } = await rig.status();
    rig.agent.kill("SIGHUP");
    await rig.statusWhere("the new configuration", (status) => status.config?.hash !== config?.hash);
    expect(await rig.metrics()).not.toContain("nodejs_");
    expect(rig.agent.listeningPorts()).toEqual([]);
    expect(await rig.stop()).toEqual({ code: 0, signal: null });
    expect(await exists(rig.apiSocket)).toBe(false);
    expect((await exitOf(rig, { node: OLD_NODE, args: ["run", "--nonsense"] })).code).toBe(64);
  });
});

async function nodeVersion(node: string): Promise<number> {
  const { spawnSync } = await import("node:child_process");
  return Number(/^v(\d+)/.exec(spawnSync(node, ["--version"], { encoding: "utf8" }).stdout)?.[1]);
}

describe.concurrent("without a configuration", () => {
  it("the agent serves that fact, and starts work when one appears", async () => {
    await using rig = await openRig();
    const file = await readFile(rig.configFile, "utf8");
    await rm(rig.configFile);
    rig.start({ env: { FACEPAY_API_SOCKET: rig.apiSocket, FACEPAY_API_ADMIN_SOCKET: rig.adminSocket } });
    const { status, headers, body } = await rig.firstAnswer();
    expect([status, body.code]).toEqual([503, "UNPROVISIONED"]);
    expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
    const told = await rig.statusWhere("the status", () => true);
    expect(told.authinfo.state).toBe("unprovisioned");
    expect((await rig.ask("api", "GET", "/livez")).status).toBe(200);
    expect((await rig.ask("api", "GET", "/readyz")).status).toBe(503);
    expect((await rig.refresh()).body.code).toBe("UNPROVISIONED");
    expect((await rig.ask("admin", "POST", "/v1/bridge/probe")).body.code).toBe("UNPROVISIONED");
    expect((await rig.ask("api", "POST", "/v1/sdk/call", { body: { cmd: "x" } })).status).toBe(503);
    expect((await rig.metrics()).includes("facepay_authinfo_generation 0")).toBe(true);
    const { events } = rig.events();
    await rig.until("the event", async () => events.length > 0);
    expect(events[0]).toMatchObject({ event: "unavailable", data: { code: "UNPROVISIONED" } });

    // First one that is no good: it says so and waits on.
    await writeFile(rig.configFile, file.replace("sp_mchid", "sp_mchd"));
    rig.agent.kill("SIGHUP");
    await rig.until("the refusal", async () => (await warningCodes(rig)).includes("CONFIG_RELOAD_REFUSED"));
    expect((await rig.get()).body).toMatchObject({ code: "UNPROVISIONED", cause: { code: "CONFIG_INVALID" } });
    expect((await rig.status()).last_error).toMatchObject({ code: "CONFIG_INVALID", remedy: "cfg.valid" });

    await writeFile(rig.configFile, file);
    rig.agent.kill("SIGHUP");
    expect((await rig.served(({ state }) => state === "fresh")).generation).toBe(1);
    expect(await warningCodes(rig)).not.toContain("CONFIG_RELOAD_REFUSED");
    expect((await rig.stop()).code).toBe(0);
    expect(rig.agent.stdout).toBe("");
  });

  it("SIGTERM still ends it", async () => {
    await using rig = await openRig({ payDown: true, unplugged: true });
    await rm(rig.configFile);
    rig.start({ env: { FACEPAY_API_SOCKET: rig.apiSocket, FACEPAY_API_ADMIN_SOCKET: rig.adminSocket } });
    await rig.firstAnswer();
    expect(await rig.stop()).toEqual({ code: 0, signal: null });
    expect(await exists(rig.apiSocket)).toBe(false);
  });
});

describe.concurrent("SIGHUP", () => {
  it("takes up a valid change without one reader being turned away", async () => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    const reader = rig.events();
    const before = await rig.status();
    const endReading = readAllTheTime(rig, (body) => body.authinfo === authinfo);
    await rig.configure({ refresh: { lifetime_s: 1800 }, log: { level: "debug" } });
    rig.agent.kill("SIGHUP");
    await rig.statusWhere("the new configuration", ({ config }) => config?.hash !== before.config?.hash);
    await rig.statusWhere("the bridge is ready again", ({ bridge }) => bridge?.state === "ready");
    expect(await endReading()).toEqual([]);
    const seen = reader.events.length;
    await rig.refresh();
    await rig.until("the old subscriber hears of it", async () =>
      reader.events.slice(seen).some(({ data }) => data.generation === 2),
    );
    expect((await rig.served()).remaining_s).toBeLessThanOrEqual(1_800);
    expect(rig.agent.logged("CONFIGURED")).toHaveLength(2);
    expect(rig.agent.log().some(({ level }) => level === "debug")).toBe(true);
  });

  it("is not lost while the agent is still starting, nor in a storm of them", async () => {
    await using rig = await openRig();
    const hashOf = async (lifetime_s: number): Promise<string | undefined> => {
      await rig.configure({ refresh: { lifetime_s } });
      rig.start();
      const { config } = await rig.statusWhere("the configuration", (status) => status.config !== null);
      await rig.agent.crash();
      return config?.hash;
    };
    const [early, last] = [await hashOf(1_000), await hashOf(1_006)];
    await rig.configure();
    await rm(rig.adminSocket);
    rig.start();
    // The file is there before the agent can have loaded what it needs to work.
    await rig.until("the socket", async () => await exists(rig.adminSocket));
    await rig.configure({ refresh: { lifetime_s: 1_000 } });
    rig.agent.kill("SIGHUP");
    await rig.statusWhere("the early change", ({ config }) => config?.hash === early);
    for (let lifetime_s = 1_001; lifetime_s <= 1_006; lifetime_s++) {
      await rig.configure({ refresh: { lifetime_s } });
      rig.agent.kill("SIGHUP");
    }
    await rig.statusWhere("the last change", ({ config }) => config?.hash === last);
    rig.agent.kill("SIGHUP");
    expect(await rig.stop()).toEqual({ code: 0, signal: null });
  });

  it("with an invalid change goes on with the old one, and says so until it is fixed", async () => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    const { config } = await rig.status();
    const endReading = readAllTheTime(rig, (body) => body.authinfo === authinfo);
    await rig.configure({ refresh: { refresh_at: 7 } });
    rig.agent.kill("SIGHUP");
    const { warnings } = await rig.statusWhere("the refusal", (status) =>
      status.warnings.some(({ code }) => code === "CONFIG_RELOAD_REFUSED"),
    );
    const refusal = warnings.find(({ code }) => code === "CONFIG_RELOAD_REFUSED");
    expect(refusal).toMatchObject({
      detail: expect.stringContaining("refresh.refresh_at"),
      since: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    });
    expect((await rig.status()).config?.hash).toBe(config?.hash);
    await rename(rig.configFile, rig.within("elsewhere.toml"));
    rig.agent.kill("SIGHUP");
    await rig.until(
      "the refusal of no file at all",
      async () => rig.agent.logged("CONFIG_RELOAD_REFUSED").length === 2,
    );
    await rig.configure();
    rig.agent.kill("SIGHUP");
    await rig.statusWhere("the end of the refusal", ({ warnings: now }) =>
      now.every(({ code }) => code !== "CONFIG_RELOAD_REFUSED"),
    );
    expect(await endReading()).toEqual([]);
  });

  it("with another identity never serves what belongs to the first", async () => {
    await using rig = await openRig({ anyIdentity: true });
    const { authinfo } = await rig.serve();
    const wrong: unknown[] = [];
    const endReading = readAllTheTime(rig, (body) => {
      const own = body.authinfo === authinfo ? "1900000109" : "1900000999";
      if (body.sub_mchid !== own) wrong.push(body.sub_mchid);
      return true;
    });
    await rig.configure({ identity: { sub_mchid: "1900000999" } });
    rig.agent.kill("SIGHUP");
    const renewed = await rig.served(({ generation }) => generation === 2);
    expect(renewed.authinfo).not.toBe(authinfo);
    await endReading();
    expect(wrong).toEqual([]);
  });

  it("with sockets that cannot be had goes on with the old ones", async () => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    await writeFile(rig.within("a-file"), "");
    await rig.configure({ api: { socket: "a-file/api.sock" } });
    rig.agent.kill("SIGHUP");
    await rig.until("the refusal", async () => (await warningCodes(rig)).includes("CONFIG_RELOAD_REFUSED"));
    expect((await rig.served()).authinfo).toBe(authinfo);
    expect((await rig.refresh()).status).toBe(200);
  });

  it("moves the sockets and the state when they are told to", async () => {
    await using rig = await openRig();
    await rig.serve();
    await rig.configure({ api: { socket: "run/moved.sock", socket_mode: "0640" }, store: { directory: "moved" } });
    rig.agent.kill("SIGHUP");
    const moved = rig.within("run/moved.sock");
    // It stands with the owner's rights alone until its own mode is set.
    await rig.until("the new socket", async () => ((await stat(moved)).mode & 0o777) === 0o640);
    await rig.until("the old socket is gone", async () => !(await exists(rig.apiSocket)));
    await rig.until("the state in its new place", async () => await exists(rig.within("moved/state.sealed")));
    expect((await rig.stop()).code).toBe(0);
    expect(await exists(moved)).toBe(false);
  });
});

describe.concurrent("a configuration", () => {
  it("that has become invalid is replaced by the one remembered, which is told as a standing failure", async () => {
    await using rig = await openRig();
    const before = await rig.serve();
    const { config } = await rig.status();
    expect((await rig.stop()).code).toBe(0);
    await rig.configure({ refresh: { refresh_at: 7 } });
    rig.start();
    const { body } = await rig.firstAnswer();
    expect(body.authinfo).toBe(before.authinfo);
    const status = await rig.statusWhere("the warning", ({ warnings }) =>
      warnings.some(({ code }) => code === "CONFIG_REMEMBERED"),
    );
    expect(status.config).toMatchObject({ hash: config?.hash, source: "remembered" });
    expect(status.warnings.find(({ code }) => code === "CONFIG_REMEMBERED")?.detail).toContain("refresh.refresh_at");
    expect((await rig.refresh()).status).toBe(200);

    // Fixed, it is taken up, and the warning has gone.
    await rig.configure({ refresh: { lifetime_s: 1800 } });
    rig.agent.kill("SIGHUP");
    await rig.statusWhere("the fixed file", ({ config: now, warnings }) => {
      return now?.source === "file" && warnings.every(({ code }) => code !== "CONFIG_REMEMBERED");
    });
    await rig.stop();

    // The same for one that is no TOML at all.
    await writeFile(rig.configFile, `[store]\ndirectory = "state"\n[identity\n`);
    rig.start();
    expect((await rig.firstAnswer()).status).toBe(200);
  });

  it("is read from the file, then the drop-ins in name order, then the environment", async () => {
    await using rig = await openRig();
    await mkdir(rig.within("config.d"));
    await writeFile(rig.within("config.d/10-shop.toml"), "[refresh]\nlifetime_s = 700\nrefresh_at = 0.9\n");
    await writeFile(rig.within("config.d/20-shop.toml"), "[refresh]\nlifetime_s = 800\n");
    const { obtained_at, expires_at } = await rig.serve();
    expect(Date.parse(expires_at) - Date.parse(obtained_at)).toBe(800_000);
    await rig.restart({ env: { FACEPAY_REFRESH_LIFETIME_S: "900" } });
    await rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
    expect((await rig.refresh()).status).toBe(200);
    const { body } = await rig.get();
    expect(Date.parse(String(body.expires_at)) - Date.parse(String(body.obtained_at))).toBe(900_000);
  });
});

describe("--version and --help", () => {
  it("answer on stdout", async () => {
    for (const [args, pattern] of [
      [["--version"], /^\d+\.\d+\.\d+/],
      [["--help"], /\brun\b/],
    ] as const) {
      await using agent = new AgentProcess(args);
      expect((await agent.exited).code).toBe(0);
      expect(agent.stdout).toMatch(pattern);
    }
  });
});
