import { type Duplex, duplexPair } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import type { BridgeFaults } from "../../../drivers/simulator/bridge-faults.ts";
import { openSimulatedStream } from "../../../drivers/simulator/in-memory.ts";
import { SimulatedBridge } from "../../../drivers/simulator/simulated-bridge.ts";
import { sdkFailures } from "../../../drivers/simulator/simulated-sdk.ts";
import { Deframer, frame, type Received } from "../../../drivers/simulator/wire.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";

const clock = new FakeClock();
const opened: Duplex[] = [];

/** A caller at the other end of the line: everything that came back, taken apart. */
function caller(bridge: SimulatedBridge) {
  const [near, far] = duplexPair();
  opened.push(near, far);
  bridge.attach(far);
  const deframer = new Deframer();
  const received: Received[] = [];
  near.on("data", (chunk: Buffer) => received.push(...deframer.push(chunk)));
  let id = 7;
  const send = async (method: string, params: object) => {
    near.write(frame(JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params })));
    await clock.settle();
    return received.splice(0);
  };
  const ask = async (method: string, params: object): Promise<Record<string, unknown>> => {
    const [only] = await send(method, params);
    if (only?.kind !== "payload") throw new Error(`no answer but ${only?.kind}`);
    return JSON.parse(only.payload.toString());
  };
  const sdk = async (cmd: string) =>
    (await ask("call", { cmd, version: "1", now: 1_722_850_421 })).result as Record<string, unknown>;
  const hello = () => ask("hello", { protocol: "1.0", agent: "facepay-agent/0" });
  return { near, far, received, send, ask, sdk, hello, lastId: () => id };
}

const initialised = async (bridge = new SimulatedBridge({ clock })) => {
  const line = caller(bridge);
  await line.hello();
  await line.sdk("initWxpayface");
  return { bridge, ...line };
};

afterEach(() => {
  for (const stream of opened.splice(0)) stream.destroy();
});

describe("SimulatedBridge", () => {
  it("says hello with a session that changes when it restarts", async () => {
    const bridge = new SimulatedBridge({ clock });
    const { hello, lastId } = caller(bridge);
    const first = await hello();
    expect(first).toMatchObject({ jsonrpc: "2.0", id: lastId(), result: { protocol: "1.0", session: bridge.session } });
    expect((first.result as { device_id: string }).device_id).toMatch(/^[!-~]{1,32}$/);
    bridge.restart();
    bridge.deviceId = undefined;
    const { result } = await hello();
    expect(result).not.toHaveProperty("device_id");
    expect(result).not.toMatchObject({ session: (first.result as { session: string }).session });
  });

  it("wants one init for each session", async () => {
    const bridge = new SimulatedBridge({ clock });
    const { sdk, hello } = caller(bridge);
    await hello();
    expect(await sdk("getWxpayfaceRawdata")).toEqual(sdkFailures.notInitialised);
    expect(await sdk("initWxpayface")).toEqual({ return_code: "SUCCESS", return_msg: "" });
    expect(await sdk("preloadSdkEnv")).toMatchObject({ return_code: "SUCCESS" });
    expect(await sdk("getWxpayfaceCode")).toHaveProperty("face_code");
    bridge.restart();
    expect(await sdk("preloadSdkEnv")).toMatchObject({ err_code: 271378620 });
    expect(bridge.sdk.inits).toBe(1);
  });

  it("is initialising for as long as it is told", async () => {
    const { bridge, sdk } = await initialised();
    bridge.sdk.initialiseFor(1000);
    expect(await sdk("initWxpayface")).toMatchObject({ err_code: 271378621 });
    await clock.advance(1000);
    expect(await sdk("getSdkInfo")).toMatchObject({ err_code: 271378620 });
    expect(await sdk("initWxpayface")).toMatchObject({ return_code: "SUCCESS" });
  });

  it("gives a fresh rawdata with plus and slash each time, even under replayed chance", async () => {
    const random = { unit: () => 0, bytes: (length: number) => Buffer.alloc(length, 7) };
    const { sdk, hello } = await initialised(new SimulatedBridge({ clock, random }));
    const first = String((await sdk("getWxpayfaceRawdata")).rawdata);
    await hello();
    const second = String((await sdk("getWxpayfaceRawdata")).rawdata);
    expect(first).toMatch(/^[A-Za-z0-9+/]{670,672}={0,2}$/);
    expect(first).toContain("+");
    expect(first).toContain("/");
    expect(first).toHaveLength(672);
    expect(second).not.toBe(first);
  });

  it("keeps a log and names what breaks the specification", async () => {
    const { bridge, sdk, hello, send, near } = await initialised();
    await hello();
    await sdk("getWxpayfaceRawdata");
    expect(bridge.violations).toEqual([]);
    expect(bridge.requests.at(-1)).toMatchObject({ method: "call", cmd: "getWxpayfaceRawdata", at: clock.boot() });
    expect([bridge.count("hello"), bridge.count("getWxpayfaceRawdata")]).toEqual([2, 1]);
    await sdk("getWxpayfaceRawdata");
    await send("hello", {});
    near.write(frame("[]"));
    near.write(frame("{"));
    near.write(frame(JSON.stringify({ jsonrpc: "2.0", id: "1", method: "hello" })));
    await clock.settle();
    expect(bridge.violations).toHaveLength(6);
  });

  it.each<[string, BridgeFaults, (received: Received[], id: number) => unknown, unknown]>([
    ["silent", { silent: true }, (r) => r.length, 0],
    ["bad FCS", { badFcs: true }, (r) => r.map(({ kind }) => kind), ["fcs"]],
    ["oversize", { oversize: true }, (r) => r.map(({ kind }) => kind), ["oversize"]],
    ["truncated", { truncated: true }, (r) => r.length, 0],
    ["duplicate", { duplicate: true }, (r) => r.length, 2],
    ["noise", { noiseBefore: Buffer.from("~x~"), noiseAfter: Buffer.from("~y~") }, (r) => r.length, 3],
    ["wrong id", { wrongId: true }, (r, id) => json(r[0]).id !== id, true],
    ["stale", { stale: true }, (r, id) => r.map((one) => Number(json(one).id) - id), [-1, 0]],
    ["echo", { echo: true }, (r) => r.map((one) => "method" in json(one)), [true, false]],
    ["native", { nativeStatus: -1 }, (r) => json(r[0]).error, expect.objectContaining({ data: { status: -1 } })],
    ["any result", { result: null }, (r) => json(r[0]).result, null],
    ["any payload", { payload: "no JSON" }, (r) => r[0]?.kind === "payload" && r[0].payload.toString(), "no JSON"],
  ])("misbehaves once as told: %s", async (_name, fault, look, expected) => {
    const { bridge, send, lastId, sdk } = await initialised();
    bridge.next({ ...fault, only: "getSdkInfo" });
    expect(await sdk("preloadSdkEnv")).toMatchObject({ return_code: "SUCCESS" });
    const received = await send("call", { cmd: "getSdkInfo" });
    expect(look(received, lastId())).toEqual(expected);
    const next = await send("call", { cmd: "getSdkInfo" });
    expect(next.filter(({ kind }) => kind === "payload")).toHaveLength(1);
  });

  it("gives the rawdata it is told to give, until it is to behave", async () => {
    const { bridge, sdk } = await initialised();
    for (const rawData of ["", "a b=", "not base64!", "A".repeat(7000)]) {
      bridge.faults = { rawData };
      expect(await sdk("getWxpayfaceRawdata")).toEqual({ return_code: "SUCCESS", return_msg: "", rawdata: rawData });
    }
    bridge.behave();
    expect((await sdk("getWxpayfaceRawdata")).rawdata).toHaveLength(672);
  });

  it("answers late, in order, and lets go of a line that has closed", async () => {
    const { bridge, send, received, far, near } = await initialised();
    bridge.next({ delayMs: 5000 });
    expect(await send("call", { cmd: "getSdkInfo" })).toEqual([]);
    expect(await send("call", { cmd: "preloadSdkEnv" })).toEqual([]);
    await clock.advance(5000);
    expect(received.splice(0)).toHaveLength(2);
    bridge.next({ delayMs: 5000 });
    await send("call", { cmd: "getSdkInfo" });
    near.destroy();
    far.destroy();
    await clock.settle();
    expect(clock.sleeping).toBe(0);
    const again = caller(bridge);
    expect(await again.hello()).toHaveProperty("result");
  });

  it("serves a line in memory", async () => {
    const line = openSimulatedStream();
    const answer = new Promise<Buffer>((resolve) => line.stream.once("data", resolve));
    line.stream.write(
      frame('{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":"1.0","agent":"facepay-agent/0"}}'),
    );
    expect((await answer).toString()).toContain('"session"');
    await line.close();
    expect(line.stream.destroyed).toBe(true);
  });
});

function json(received: Received | undefined): Record<string, unknown> {
  return received?.kind === "payload" ? JSON.parse(received.payload.toString()) : {};
}
