import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAgentError } from "../../../agent/common/errors.ts";
import type { Log } from "../../../agent/common/log/log.ts";
import type { DriverConfig } from "../../../agent/config/config.ts";
import type { DriverEvent, SdkDriver } from "../../../drivers/sdk/driver.ts";
import { createSdkDriver } from "../../../drivers/sdk/sdk-driver.ts";
import { failureWith } from "../../support/checks/failures.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { type ReceivedCall, type Reply, ScriptedBridge, wrap } from "../../support/fakes/scripted-bridge.ts";
import { lineSettings } from "../../support/fixtures/line-settings.ts";

const config: DriverConfig = {
  type: "socket",
  path: "/run/bridge.sock",
  ...lineSettings,
  init: { ip: "10.0.0.2", proxy_type: 1 },
};
const forever = new AbortController().signal;

let clock: FakeClock;
let bridge: ScriptedBridge;
let driver: SdkDriver;
let events: DriverEvent[];
let logged: string[];

function build(overrides: Partial<DriverConfig> = {}, initPasswd?: string): void {
  const write = (code: string, fields?: unknown) => void logged.push(`${code} ${JSON.stringify(fields)}`);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  driver = createSdkDriver({
    config: { ...config, ...overrides },
    ...(initPasswd !== undefined && { initPasswd }),
    version: "9.9.9",
    open: bridge.open,
    clock,
    // The longest back-off of all draws.
    random: { unit: () => 0.999_999, bytes: (length) => Buffer.alloc(length, 7) },
    log,
  });
  driver.subscribe((event) => events.push(event));
}

async function started(): Promise<void> {
  driver.start();
  await clock.settle();
}

/** The code a promise rejects with, or what it resolves to. */
function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => {
    if (isAgentError(error)) return error.code;
    throw error;
  });
}

const is = (call: ReceivedCall, cmd: string) => call.params.cmd === cmd;
const failing = (err_code: number): Reply => ({ result: { return_code: "FAIL", return_msg: "later", err_code } });

beforeEach(() => {
  clock = new FakeClock();
  bridge = new ScriptedBridge();
  events = [];
  logged = [];
  build();
});

afterEach(async () => {
  await driver.close();
  await clock.settle();
  expect(clock.sleeping).toBe(0);
  expect(bridge.closed).toBe(bridge.opened);
  expect(bridge.mostInFlight).toBeLessThanOrEqual(1);
});

describe("start", () => {
  it("greets, initialises once, and is ready", async () => {
    expect(driver.status()).toMatchObject({ state: "opening", type: "socket", path: "/run/bridge.sock" });
    await started();
    expect(bridge.received.subarray(0, 2)).toEqual(Buffer.of(0x7e, 0x7e));
    expect(bridge.said).toEqual(["hello", "initWxpayface"]);
    expect(bridge.calls[0]?.params).toEqual({ protocol: "1.0", agent: "facepay-agent/9.9.9" });
    expect(bridge.calls[1]?.params).toEqual({
      cmd: "initWxpayface",
      version: "1",
      now: Math.floor(clock.wall() / 1000),
      ip: "10.0.0.2",
      proxy_type: 1,
    });
    expect(bridge.calls.map(({ id }) => id)).toEqual([0x07070707, 0x07070708]);
    expect(driver.status()).toMatchObject({
      state: "ready",
      path: "/dev/scripted1",
      identity: { session: "session-1", deviceId: "DEVICE-1", netId: "net-1" },
      opens: { ok: 1 },
      frames: { ok: 2, fcs: 0 },
    });
    expect(driver.status().problem).toBeUndefined();
    expect(events).toEqual([{ type: "ready", identity: driver.status().identity }]);
    expect(await driver.whenReady(forever)).toEqual(driver.status().identity);
  });

  it("passes the password on and lets no extra parameter change the command", async () => {
    build({ init: { cmd: "releaseWxpayface", user: "u" } }, "hunter2");
    await started();
    expect(bridge.calls[1]?.params).toMatchObject({ cmd: "initWxpayface", user: "u", passwd: "hunter2" });
  });

  it("keeps the password out of every message, even if the bridge repeats it", async () => {
    build({}, "hunter2");
    bridge.script = (call) =>
      is(call, "initWxpayface")
        ? bridge.calls.length % 2
          ? { error: { code: -32602, message: "bad passwd hunter2" } }
          : { result: { return_code: "PARAM_ERROR", return_msg: "bad passwd hunter2" } }
        : undefined;
    await started();
    for (let i = 0; i < 10; i++) await clock.advance(5_000);
    expect(logged.join()).toContain("SDK_ERROR");
    expect(logged.join()).toContain("BRIDGE_REFUSED_CALL");
    expect(logged.join() + JSON.stringify(driver.status())).not.toContain("hunter2");
  });
});

describe("getRawData", () => {
  it("says hello directly before it asks", async () => {
    await started();
    const reading = await driver.getRawData(forever);
    expect(reading).toEqual({ rawData: bridge.rawdata, identity: driver.status().identity });
    expect(bridge.said.slice(2)).toEqual(["hello", "getWxpayfaceRawdata"]);
    expect(bridge.calls[3]?.params).toEqual({
      cmd: "getWxpayfaceRawdata",
      version: "1",
      now: Math.floor(clock.wall() / 1000),
    });
    expect(logged.join()).not.toContain(bridge.rawdata.slice(0, 8));
  });

  it("initialises again for a new session, tells of it first, and gives the new identity", async () => {
    await started();
    bridge.hello = { ...bridge.hello, session: "session-2", device_id: "DEVICE-2" };
    const reading = await driver.getRawData(forever);
    expect(reading.identity).toMatchObject({ session: "session-2", deviceId: "DEVICE-2" });
    expect(bridge.said.slice(2)).toEqual(["hello", "initWxpayface", "hello", "getWxpayfaceRawdata"]);
    expect(events.slice(1).map(({ type }) => type)).toEqual(["changed", "ready"]);
    expect(events[1]).toMatchObject({ what: ["session", "device"] });
  });

  it("tells of a new network card without another init", async () => {
    await started();
    bridge.hello = { ...bridge.hello, net_id: "net-2" };
    await driver.getRawData(forever);
    expect(bridge.said.slice(2)).toEqual(["hello", "getWxpayfaceRawdata"]);
    expect(events[1]).toMatchObject({ type: "changed", what: ["network"], identity: { netId: "net-2" } });
  });

  it("initialises and tries once more when the SDK says it is not initialised", async () => {
    await started();
    let refusals = 1;
    bridge.script = (call) => (is(call, "getWxpayfaceRawdata") && refusals-- > 0 ? failing(271378620) : undefined);
    expect((await driver.getRawData(forever)).rawData).toBe(bridge.rawdata);
    expect(bridge.said.filter((name) => name !== "hello")).toEqual([
      "initWxpayface",
      "getWxpayfaceRawdata",
      "initWxpayface",
      "getWxpayfaceRawdata",
    ]);
    refusals = 2;
    expect(await outcome(driver.getRawData(forever))).toBe("SDK_NOT_INITIALISED");
  });

  it("waits 500 ms and initialises again while the SDK is initialising, but not for ever", async () => {
    await started();
    let busy = 2;
    bridge.script = (call) => (is(call, "getWxpayfaceRawdata") && busy-- > 0 ? failing(271378621) : undefined);
    const reading = driver.getRawData(forever);
    await clock.advance(499);
    expect(bridge.said.filter((name) => name === "initWxpayface").length).toBe(1);
    await clock.advance(1);
    expect(bridge.said.filter((name) => name === "initWxpayface").length).toBe(2);
    await clock.advance(500);
    expect((await reading).rawData).toBe(bridge.rawdata);
    busy = 1_000;
    const hopeless = outcome(driver.getRawData(forever));
    await clock.advance(15_000);
    expect(await hopeless).toBe("SDK_NOT_INITIALISED");
  });

  it.each([
    [
      "an answer that is no base64",
      { result: { return_code: "SUCCESS", rawdata: "with a space" } },
      "SDK_RAWDATA_INVALID",
    ],
    [
      "a board without network",
      { result: { return_code: "ERROR", return_msg: "ip address is null" } },
      "SDK_NO_NETWORK",
    ],
    ["another failure", { result: { return_code: "SYSTEMERROR" } }, "SDK_ERROR"],
    ["nonsense", { result: 42 }, "SDK_ANSWER_INVALID"],
    ["a native error", { error: { code: -32000, message: "x", data: { status: 7 } } }, "SDK_NATIVE_ERROR"],
    ["a service that is down", { error: { code: -32000, message: "x", data: { status: -1 } } }, "SDK_SERVICE_DOWN"],
    [
      "a library that is missing",
      { error: { code: -32001, message: "x", data: { code: "SDK_LIBRARY_MISSING" } } },
      "SDK_LIBRARY_MISSING",
    ],
    ["a native error without status", { error: { code: -32000, message: "x" } }, "BRIDGE_REFUSED_CALL"],
    ["a refusal", { error: { code: -32601, message: "x" } }, "BRIDGE_REFUSED_CALL"],
  ] satisfies [string, Reply, string][])("reports %s", async (_, reply, code) => {
    await started();
    bridge.script = (call) => (is(call, "getWxpayfaceRawdata") ? reply : undefined);
    expect(await outcome(driver.getRawData(forever))).toBe(code);
    expect(driver.status().state).toBe("ready");
  });

  it("does not wait when there is no line, and says why", async () => {
    bridge.openError = failureWith("BRIDGE_PERMISSION");
    await started();
    expect(await outcome(driver.getRawData(forever))).toBe("BRIDGE_PERMISSION");
    expect(await outcome(driver.call({ cmd: "x" }, forever))).toBe("BRIDGE_PERMISSION");
    expect(driver.status()).toMatchObject({ state: "opening", opens: { BRIDGE_PERMISSION: 1 } });
  });

  it("lets the caller go at once and keeps the line until the answer", async () => {
    await started();
    const release = Promise.withResolvers<undefined>();
    bridge.script = (call) =>
      is(call, "getWxpayfaceRawdata") ? release.promise.then(() => ({ result: 1 })) : undefined;
    const patience = new AbortController();
    const reading = driver.getRawData(patience.signal);
    await clock.settle();
    const call = driver.call({ cmd: "getSdkInfo" }, forever);
    patience.abort(failureWith("BRIDGE_CLOSED"));
    expect(await outcome(reading)).toBe("BRIDGE_CLOSED");
    await clock.settle();
    expect(bridge.said).not.toContain("getSdkInfo");
    release.resolve(undefined);
    expect(await call).toMatchObject({ return_code: "SUCCESS" });
  });
});

describe("a caller who has gone", () => {
  it("is not worked for: no rawdata is taken after the hello", async () => {
    await started();
    const gate = Promise.withResolvers<undefined>();
    bridge.script = (call) =>
      call.method === "hello" ? gate.promise.then(() => ({ result: bridge.hello })) : undefined;
    const patience = new AbortController();
    const reading = driver.getRawData(patience.signal);
    await clock.settle();
    patience.abort(failureWith("BRIDGE_CLOSED"));
    expect(await outcome(reading)).toBe("BRIDGE_CLOSED");
    gate.resolve(undefined);
    await clock.settle();
    expect(bridge.said.slice(2)).toEqual(["hello"]);
  });
});

describe("the cashier app's calls", () => {
  it("go through unchanged, and so does the answer", async () => {
    await started();
    const request = { cmd: "preloadSdkEnv", version: "1", now: 1, deep: [{ 姓: "王" }, null] };
    bridge.script = (call) =>
      is(call, "preloadSdkEnv") ? { result: { return_code: "ERROR", x: [1, null] } } : undefined;
    expect(await driver.call(request, forever)).toEqual({ return_code: "ERROR", x: [1, null] });
    expect(bridge.calls.at(-1)?.params).toEqual(request);
  });

  it("go ahead of the agent's own, in their order, but a renewal waits for one of them at most", async () => {
    await started();
    const gate = Promise.withResolvers<undefined>();
    bridge.script = (call) => (is(call, "a") ? gate.promise.then(() => ({ result: 1 })) : undefined);
    const calls = ["a", "b"].map((cmd) => driver.call({ cmd }, forever));
    await clock.settle();
    const reading = driver.getRawData(forever);
    calls.push(driver.call({ cmd: "c" }, forever));
    gate.resolve(undefined);
    await Promise.all([...calls, reading]);
    expect(bridge.said.slice(2)).toEqual(["a", "hello", "getWxpayfaceRawdata", "b", "c"]);
  });

  it("come into no turn of the agent's: not between its hello and its rawdata, not before the init between them", async () => {
    await started();
    bridge.hello = { ...bridge.hello, session: "session-2" };
    const gate = Promise.withResolvers<undefined>();
    bridge.script = (call) =>
      call.method === "hello" ? gate.promise.then(() => ({ result: bridge.hello })) : undefined;
    const reading = driver.getRawData(forever);
    await clock.settle();
    const calls = ["a", "b"].map((cmd) => driver.call({ cmd }, forever));
    gate.resolve(undefined);
    await Promise.all([...calls, reading]);
    expect(bridge.said.slice(2)).toEqual(["hello", "initWxpayface", "hello", "getWxpayfaceRawdata", "a", "b"]);
  });

  it("and probes cannot keep each other or the agent from the line", async () => {
    await started();
    const gate = Promise.withResolvers<undefined>();
    bridge.script = (call) => (is(call, "a") ? gate.promise.then(() => ({ result: 1 })) : undefined);
    const ended: string[] = [];
    const note = (name: string) => () => void ended.push(name);
    const work = [
      driver.call({ cmd: "a" }, forever).then(note("a")),
      driver.probe(forever).then(note("probe")),
      driver.probe(forever).then(note("probe")),
      driver.getRawData(forever).then(note("rawdata")),
    ];
    gate.resolve(undefined);
    await Promise.all(work);
    expect(ended).toEqual(["a", "rawdata", "probe", "probe"]);
  });

  it("leave the queue when their caller has gone", async () => {
    await started();
    const gate = Promise.withResolvers<undefined>();
    bridge.script = (call) => (is(call, "slow") ? gate.promise.then(() => ({ result: 1 })) : undefined);
    const slow = driver.call({ cmd: "slow" }, forever);
    const patience = new AbortController();
    const waiting = driver.call({ cmd: "waiting" }, patience.signal);
    const after = driver.call({ cmd: "after" }, forever);
    patience.abort(failureWith("BRIDGE_CLOSED"));
    expect(await outcome(waiting)).toBe("BRIDGE_CLOSED");
    gate.resolve(undefined);
    await Promise.all([slow, after]);
    expect(bridge.said.slice(2)).toEqual(["slow", "after"]);
  });

  it("time out on their own, and the late answer is no one's", async () => {
    await started();
    bridge.script = (call) => (is(call, "lost") ? "silence" : undefined);
    const call = outcome(driver.call({ cmd: "lost" }, forever));
    await clock.advance(9_999);
    expect(driver.status().consecutiveTimeouts).toBe(0);
    await clock.advance(1);
    expect(await call).toBe("BRIDGE_TIMEOUT");
    expect(driver.status().consecutiveTimeouts).toBe(1);
    bridge.answer(bridge.calls.at(-1)?.id, { result: "late" });
    expect(await driver.call({ cmd: "next" }, forever)).toEqual({ return_code: "SUCCESS", return_msg: "" });
    expect(driver.status()).toMatchObject({ consecutiveTimeouts: 0, frames: { stray_id: 1 } });
  });

  it("are refused at once when they fit no frame, and nothing else suffers", async () => {
    await started();
    expect(await outcome(driver.call({ cmd: "x", long: "x".repeat(9_000) }, forever))).toBe("BRIDGE_REFUSED_CALL");
    expect((await driver.getRawData(forever)).rawData).toBe(bridge.rawdata);
  });

  it("may release the SDK: the agent initialises when it next needs a rawdata, not before", async () => {
    await started();
    await driver.call({ cmd: "releaseWxpayface" }, forever);
    await clock.settle();
    expect(bridge.said.slice(2)).toEqual(["releaseWxpayface"]);
    expect((await driver.getRawData(forever)).rawData).toBe(bridge.rawdata);
    expect(bridge.said.slice(3)).toEqual(["hello", "initWxpayface", "hello", "getWxpayfaceRawdata"]);
  });

  it("may initialise what the agent could not", async () => {
    bridge.script = (call) => (is(call, "initWxpayface") && !call.params.mine ? failing(33) : undefined);
    await started();
    expect(driver.status().state).toBe("handshake");
    await driver.call({ cmd: "initWxpayface", mine: true }, forever);
    expect(driver.status().state).toBe("ready");
    expect(await outcome(driver.getRawData(forever))).toMatchObject({ rawData: bridge.rawdata });
  });

  it("show the agent that the SDK has lost its init", async () => {
    await started();
    let lost = true;
    bridge.script = (call) => (is(call, "x") && lost ? failing(271378620) : undefined);
    expect(await driver.call({ cmd: "x" }, forever)).toMatchObject({ err_code: 271378620 });
    lost = false;
    await clock.settle();
    expect(bridge.said.slice(2)).toEqual(["x", "initWxpayface"]);
    expect(driver.status().state).toBe("ready");
  });
});

describe("a line that is open and not usable", () => {
  it("stays open while init fails, is kept awake, and is tried again with back-off", async () => {
    bridge.script = (call) => (is(call, "initWxpayface") ? failing(33) : undefined);
    await started();
    expect(driver.status()).toMatchObject({ state: "handshake", problem: { code: "SDK_ERROR" } });
    expect(await outcome(driver.getRawData(forever))).toBe("SDK_ERROR");
    for (let second = 0; second < 120; second++) await clock.advance(1_000);
    const inits = bridge.said.filter((name) => name === "initWxpayface").length;
    expect(inits).toBeGreaterThan(10);
    expect(inits).toBeLessThan(20);
    expect(bridge.opened).toBe(1);
    const ready = driver.whenReady(forever);
    bridge.script = () => undefined;
    await clock.advance(10_000);
    expect((await ready).session).toBe("session-1");
    expect(driver.status().problem).toBeUndefined();
  });

  it("waits 500 ms while the SDK is initialising", async () => {
    let busy = 3;
    bridge.script = (call) => (is(call, "initWxpayface") && busy-- > 0 ? failing(271378621) : undefined);
    await started();
    await clock.advance(1_499);
    expect(driver.status().state).toBe("handshake");
    await clock.advance(1);
    expect(driver.status().state).toBe("ready");
  });

  it("is not used by a bridge of another major version", async () => {
    bridge.hello = { ...bridge.hello, protocol: "2.0" };
    await started();
    expect(driver.status()).toMatchObject({ state: "handshake", problem: { code: "BRIDGE_PROTOCOL" } });
    expect(await outcome(driver.call({ cmd: "x" }, forever))).toBe("BRIDGE_PROTOCOL");
    expect(await outcome(driver.getRawData(forever))).toBe("BRIDGE_PROTOCOL");
    bridge.hello = { ...bridge.hello, protocol: "1.7" };
    await clock.advance(10_000);
    expect(driver.status().state).toBe("ready");
  });

  it("is no longer used once it turns out to be one of another version", async () => {
    await started();
    bridge.hello = { ...bridge.hello, protocol: "2.0" };
    expect(await outcome(driver.getRawData(forever))).toBe("BRIDGE_PROTOCOL");
    expect(driver.status().state).toBe("handshake");
    await clock.settle();
    expect(await outcome(driver.call({ cmd: "x" }, forever))).toBe("BRIDGE_PROTOCOL");
  });

  it("is no loss when it goes", async () => {
    bridge.script = () => "silence";
    await started();
    bridge.unplug();
    await clock.settle();
    expect(driver.status()).toMatchObject({ state: "opening", problem: { code: "BRIDGE_LOST" } });
    expect(events).toEqual([]);
  });

  it("says that only its own calls come back", async () => {
    bridge.script = (call) => ({ octets: wrap(JSON.stringify({ jsonrpc: "2.0", ...call })) });
    await started();
    await clock.advance(10_000);
    expect(driver.status().problem).toEqual({ code: "BRIDGE_ECHO", params: {} });
    expect(driver.status().frames.echo).toBe(1);
  });
});

describe("silence", () => {
  it("is broken by a hello every 30 s, and not while there are calls", async () => {
    await started();
    await clock.advance(29_999);
    expect(bridge.calls.length).toBe(2);
    await clock.advance(1);
    expect(bridge.said.slice(2)).toEqual(["hello"]);
    await clock.advance(20_000);
    await driver.call({ cmd: "x" }, forever);
    await clock.advance(29_999);
    expect(bridge.said.slice(2)).toEqual(["hello", "x"]);
    await clock.advance(1);
    expect(bridge.said.slice(2)).toEqual(["hello", "x", "hello"]);
  });

  it("ends the line after three timeouts, and the next one is opened", async () => {
    await started();
    bridge.script = () => "silence";
    await clock.advance(30_000 + 3 * 10_000 - 1);
    expect(bridge.opened).toBe(1);
    expect(driver.status().state).toBe("ready");
    await clock.advance(1);
    expect(driver.status()).toMatchObject({ state: "opening", problem: { code: "BRIDGE_TIMEOUT" } });
    expect(events.at(-1)).toMatchObject({ type: "lost", code: "BRIDGE_TIMEOUT" });
    bridge.script = () => undefined;
    await clock.advance(500);
    expect(bridge.opened).toBe(2);
    expect(driver.status().state).toBe("ready");
    // The same session: the SDK has been initialised already.
    expect(bridge.said.filter((name) => name === "initWxpayface").length).toBe(1);
  });

  it("is ended by an answer of any kind", async () => {
    await started();
    for (let round = 0; round < 5; round++) {
      bridge.script = () => "silence";
      for (let i = 0; i < 2; i++) {
        const call = outcome(driver.call({ cmd: "x" }, forever));
        await clock.advance(10_000);
        expect(await call).toBe("BRIDGE_TIMEOUT");
      }
      bridge.script = () => ({ error: { code: -32603, message: "no" } });
      expect(await outcome(driver.call({ cmd: "x" }, forever))).toBe("BRIDGE_REFUSED_CALL");
    }
    expect(bridge.opened).toBe(1);
  });
});

describe("a lost line", () => {
  it("rejects what is under way and what waits, and comes back by itself", async () => {
    await started();
    bridge.script = () => "silence";
    const work = [driver.getRawData(forever), driver.call({ cmd: "x" }, forever), driver.probe(forever)].map(outcome);
    await clock.settle();
    bridge.unplug();
    await clock.settle();
    expect(await Promise.all(work)).toEqual(["BRIDGE_LOST", "BRIDGE_LOST", "BRIDGE_LOST"]);
    expect(driver.status()).toMatchObject({ state: "opening", problem: { code: "BRIDGE_LOST" } });
    expect(await outcome(driver.getRawData(forever))).toBe("BRIDGE_LOST");
    bridge.script = () => undefined;
    const ready = driver.whenReady(forever);
    await clock.advance(500);
    expect((await ready).deviceId).toBe("DEVICE-1");
    expect(events.map(({ type }) => type)).toEqual(["ready", "lost", "ready"]);
  });

  it("is looked for with a growing pause up to 10 s, for ever, and the pause starts anew once it was ready", async () => {
    await started();
    bridge.openError = failureWith("BRIDGE_NOT_FOUND");
    bridge.unplug();
    await clock.settle();
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      const pause = clock.nextWakeIn ?? 0;
      pauses.push(Math.round(pause));
      await clock.advance(pause);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000]);
    expect(driver.status().opens).toEqual({ ok: 1, BRIDGE_NOT_FOUND: 9 });
    // News once, not nine times.
    expect(logged.filter((line) => line.includes("BRIDGE_NOT_FOUND")).length).toBe(9);
    bridge.openError = undefined;
    await clock.advance(10_000);
    expect(driver.status().state).toBe("ready");
    bridge.unplug();
    await clock.settle();
    expect(Math.round(clock.nextWakeIn ?? 0)).toBe(500);
  });

  it("takes no answer from the line before", async () => {
    await started();
    bridge.script = () => "silence";
    const old = outcome(driver.call({ cmd: "x" }, forever));
    await clock.settle();
    const oldId = bridge.calls.at(-1)?.id;
    bridge.unplug();
    await clock.settle();
    expect(await old).toBe("BRIDGE_LOST");
    await clock.advance(500);
    bridge.answer(oldId, { result: bridge.hello });
    await clock.settle();
    expect(driver.status()).toMatchObject({ state: "handshake", frames: { stray_id: 1 } });
  });
});

describe("noise", () => {
  it("is counted and harms no call", async () => {
    await started();
    const answer = (call: ReceivedCall) => wrap(JSON.stringify({ jsonrpc: "2.0", id: call.id, result: "right" }));
    bridge.script = (call) => ({
      octets: Buffer.concat([
        Buffer.from("\x00\xff garbage"),
        wrap("no json"),
        wrap("[]"),
        wrap("7"),
        wrap(Buffer.of(0xff)),
        wrap('{"jsonrpc":"2.0"}'),
        wrap(JSON.stringify({ jsonrpc: "2.0", id: call.id + 1, result: "wrong" })),
        answer(call),
        answer(call),
      ]),
    });
    expect(await driver.call({ cmd: "x" }, forever)).toBe("right");
    expect(driver.status().frames).toMatchObject({
      fcs: 1,
      not_json: 1,
      batch: 1,
      not_object: 1,
      not_utf8: 1,
      not_rpc: 1,
      stray_id: 2,
    });
  });
});

describe("close", () => {
  it("ends everything that waits and stays closed", async () => {
    await started();
    bridge.script = () => "silence";
    const call = outcome(driver.call({ cmd: "x" }, forever));
    const queued = outcome(driver.getRawData(forever));
    await clock.settle();
    await driver.close();
    expect(await call).toBe("BRIDGE_CLOSED");
    expect(await queued).toBe("BRIDGE_CLOSED");
    expect(await outcome(driver.whenReady(forever))).toBe("BRIDGE_CLOSED");
    expect(await outcome(driver.call({ cmd: "x" }, forever))).toBe("BRIDGE_CLOSED");
    expect(driver.status().state).toBe("closed");
    driver.start();
    await clock.advance(60_000);
    expect(bridge.opened).toBe(1);
  });

  it("lets go who waits for the bridge, and so does the caller's own signal", async () => {
    bridge.openError = failureWith("BRIDGE_NOT_FOUND");
    await started();
    const waiting = outcome(driver.whenReady(forever));
    const patience = new AbortController();
    const impatient = outcome(driver.whenReady(patience.signal));
    patience.abort(failureWith("BRIDGE_NOT_READY"));
    expect(await impatient).toBe("BRIDGE_NOT_READY");
    await driver.close();
    expect(await waiting).toBe("BRIDGE_CLOSED");
  });
});

it("a listener that throws stops nobody", async () => {
  driver.subscribe(() => {
    throw new Error("listener defect");
  });
  const seen: string[] = [];
  const end = driver.subscribe((event) => seen.push(event.type));
  await started();
  end();
  bridge.unplug();
  await clock.advance(1_000);
  expect(seen).toEqual(["ready"]);
  expect(driver.status().state).toBe("ready");
});
