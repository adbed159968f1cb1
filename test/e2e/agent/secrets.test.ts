import { readdirSync, readFileSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { commonFaults } from "../../../agent/simulator/answer-faults.ts";
import { Canaries } from "../../support/checks/canaries.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

describe("the search for secrets", () => {
  it("finds any eight characters of one, plain or encoded", () => {
    const canaries = new Canaries();
    const octets = canaries.random("authinfo", 750).bytes(750);
    octets.fill(7, 0, 300);
    const secret = octets.toString("base64");
    canaries.addKey("key", "-----BEGIN PRIVATE KEY-----\nMIIEfirstline\nABCDEFGHIJKLMNOP\n-----END PRIVATE KEY-----\n");
    for (const at of [0, 500, 992]) {
      const piece = secret.slice(at, at + 8);
      const inner = `x ${piece} x`;
      const forms = [
        inner,
        ...[piece, `1${piece}`, `22${piece}`].map((text) => Buffer.from(text).toString("base64")),
        Buffer.from(inner).toString("base64url"),
        Buffer.from(piece).toString("hex"),
        `0${Buffer.from(piece).toString("hex").toUpperCase()}`,
        [...piece].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(""),
        encodeURIComponent(inner),
        piece.replaceAll("+", "-").replaceAll("/", "_"),
        piece.replaceAll("/", "\\/"),
      ];
      for (const form of forms) expect(canaries.in(`"${form}"`), form).toEqual(["authinfo"]);
    }
    expect(canaries.in(octets.subarray(400, 412).toString("hex"))).toEqual(["authinfo"]);
    expect(canaries.in("xxABCDEFGHxx")).toEqual(["key"]);
    expect(canaries.in("MIIEfirstline, BEGIN PRIVATE KEY")).toEqual([]);
    expect(canaries.all("authinfo")).toEqual([secret]);
  });
});

/** Of every process on this machine, as far as this user may look. */
function everyPublicFace(): string {
  const read = (file: string) => {
    try {
      return readFileSync(file, "latin1");
    } catch {
      // Another user's, or it has just ended.
      return "";
    }
  };
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => ["cmdline", "environ"].map((name) => read(`/proc/${pid}/${name}`))).join("\0");
}

// Every rig looks for every secret in all that its agents have let out, when it closes: so do all the other stories.
describe.concurrent("no secret comes out", () => {
  it.each(["direct", "gateway"] as const)("of an agent in %s mode that tells all it can", async (mode) => {
    const config = { log: { level: "debug" }, driver: { call_timeout_ms: 500, init_timeout_ms: 500 } };
    await using rig = await openRig({ mode, config });
    const copy = rig.within("run/authinfo.json");
    await rig.configure({ file_copy: { path: copy }, metrics: { textfile: rig.within("run/facepay.prom") } });
    const given = new Set(await readdir(rig.directory, { recursive: true }));
    const { authinfo } = await rig.serve();
    const rawData = () => rig.canaries.all("raw_data").at(-1) ?? "";
    for (const secret of ["authinfo", "raw_data", "client key"]) {
      expect(rig.canaries.all(secret).length, secret).toBeGreaterThan(0);
    }

    // WeChat Pay, the bridge and the cashier app repeat in their texts what they were given.
    const message = `参数错误 ${authinfo} ${rawData()} ${rig.playground.bearerToken}`;
    // In pieces that are no longer than a word, and encoded.
    const piecemeal = (...secrets: string[]) =>
      secrets
        .map((secret) => secret.replace(/\W/g, "").slice(4, 16))
        .flatMap((piece) => [
          piece,
          Buffer.from(piece).toString("base64url"),
          piece.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`),
        ]);
    rig.pay.faults.next({
      status: 400,
      body: JSON.stringify({ code: "PARAM_ERROR", message, detail: { value: message } }),
    });
    // Who works without the token knows none of it.
    const token = mode === "gateway" ? [rig.playground.bearerToken] : [];
    const pieces = piecemeal(authinfo, rawData(), ...token);
    const reason = JSON.stringify({ code: "SYSTEM_ERROR", message: pieces.join("，"), detail: message });
    rig.pay.faults.next({ status: 500, body: reason, headers: { "Request-ID": pieces[1] ?? "" } });
    rig.pay.faults.next({ status: 200, body: message });
    const refreshed = await rig.refresh();
    expect(refreshed.status).toBe(502);
    await rig.ask("api", "POST", "/v1/authinfo/reject", {
      body: { generation: 1, err_code: message, return_msg: piecemeal(authinfo).join("，") },
    });
    await rig.served(({ generation }) => generation > 1);
    for (const fault of [
      { rpcError: { code: -32000, message, data: { status: 5, message } } },
      { rpcError: { code: -32603, message, data: message } },
      { result: { return_code: message.slice(0, 60), return_msg: message } },
      { rpcError: { code: -32000, message: piecemeal(rawData()).join("，"), data: { status: 5 } } },
      { result: { return_code: "ERROR", return_msg: piecemeal(rawData()).join("，") } },
      { payload: message },
      { rawData: ` ${rawData()}` },
    ]) {
      rig.bridge.next({ only: "getWxpayfaceRawdata", ...fault });
      await rig.ask("admin", "POST", "/v1/bridge/probe");
    }
    await rig.ask("api", "POST", "/v1/sdk/call", { body: { cmd: authinfo, authinfo } });
    for (const target of ["/v1/authinfo/reject", "/v1/sdk/call"]) {
      await rig.ask("api", "POST", target, { body: { cmd: 1, authinfo } });
    }
    await rig.ask("admin", "GET", `/v1/status?${encodeURIComponent(authinfo)}`);
    await rig.ask("api", "GET", `/${encodeURIComponent(authinfo)}`);
    await rig.status();
    await rig.metrics();
    await using technician = new AgentProcess(["status", "--config", rig.configFile, "--lang", "both"]);
    await technician.exited;
    rig.saw("the technician's screen", technician.stdout + technician.stderr);
    rig.saw("argv and environ", rig.agent.publicFace());
    rig.saw("argv and environ of everybody", everyPublicFace());
    const made = (await readdir(rig.directory, { recursive: true })).filter((name) => !given.has(name));
    // The copy is where the authinfo belongs; what the agent has made beside it is not, nor a copy half made.
    const files = made.map((name) => rig.within(name)).filter((file) => file !== copy && statSync(file).isFile());
    for (const file of files) rig.saw(file, await readFile(file, "latin1"));
    expect(files.map((file) => path.basename(file))).toEqual(
      expect.arrayContaining(["state.sealed", "config.remembered.json", "store.key", "facepay.prom"]),
    );
    expect(rig.canaries.in(await readFile(copy, "latin1"))).toEqual(["authinfo"]);
    expect(rig.leaks()).toEqual([]);
    expect(rig.agent.publicFace()).toContain("facepay-agent.js");
    expect((await rig.stop()).code).toBe(0);
    expect(rig.agent.stderr.split("\n").length).toBeGreaterThan(10);
  });

  it("of an agent in an outage, nor more than a line a minute beside the changes of state", async () => {
    await using rig = await openRig();
    await rig.serve();
    rig.pay.faults.always = commonFaults.captivePortal;
    await rig.refresh();
    // The answer and the log come by different ways.
    await rig.until("the outage is told", async () => rig.agent.logged("REFRESH_FAILED").length > 0);
    const before = rig.agent.log().length;
    await rig.until("three more attempts have failed", async () => rig.pay.requests.length >= 5, 120_000);
    const more = rig.agent.log().slice(before);
    expect(more.length, JSON.stringify(more)).toBeLessThanOrEqual(1);
  });
});

describe("what is slow to load", () => {
  it("is loaded only after the sockets answer", async () => {
    await using rig = await openRig({ line: "serial" });
    await rig.serve();
    await rig.agent.crash();
    const file = rig.within("loads.txt");
    const observer = new URL("../../support/children/load-observer.js", import.meta.url).href;
    rig.start({ env: { NODE_OPTIONS: `--import=${observer}`, LOAD_OBSERVER_FILE: file } });
    expect((await rig.firstAnswer()).status).toBe(200);
    await rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
    expect((await rig.refresh()).status).toBe(200);
    const events = await rig.until("the heavy packages are loaded after all", async () => {
      const lines = (await readFile(file, "utf8")).split("\n");
      return ["load undici", "load serialport"].every((load) => lines.includes(load)) && lines;
    });
    const [api = -1, admin = -1] = ["api.sock", "admin.sock"].map((name) =>
      events.findIndex((it) => it.includes(name)),
    );
    // Either may be the first.
    const listening = Math.max(api, admin);
    expect(Math.min(api, admin)).toBeGreaterThan(0);
    const heavy = ["undici", "serialport", "@serialport/bindings-cpp", "koffi", "prom-client", "systeminformation"];
    const early = events.slice(0, listening).filter((line) => line.startsWith("load "));
    expect(early.filter((line) => heavy.some((name) => line === `load ${name}`))).toEqual([]);
    expect(early.length).toBeGreaterThan(0);
  });
});
