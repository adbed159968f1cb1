import { randomBytes } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import type { BridgeFaults } from "../../../drivers/simulator/bridge-faults.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const LINES = ["serial", "socket"] as const;
const quick = { driver: { call_timeout_ms: 400, init_timeout_ms: 2_000 } };

async function expectStillServed(rig: Rig, authinfo: string): Promise<void> {
  expect((await rig.served()).authinfo).toBe(authinfo);
}

describe.concurrent.each(LINES)("a bridge on a %s line", (line) => {
  it("that falls silent is opened anew after three timeouts, and works again when it answers", async () => {
    await using rig = await openRig({ line, config: quick });
    const { authinfo } = await rig.serve();
    rig.bridge.faults = { silent: true };
    const refreshed = await rig.refresh();
    expect([refreshed.status, refreshed.body.cause]).toMatchObject([502, { code: "BRIDGE_TIMEOUT" }]);
    const { last_error, bridge } = await rig.statusWhere(
      "the line has been opened anew",
      (status) => Number(status.bridge?.opens.ok) >= 2,
    );
    expect(last_error).toMatchObject({ code: "BRIDGE_TIMEOUT", remedy: "ser.handshake" });
    expect(bridge?.state).not.toBe("ready");
    await expectStillServed(rig, authinfo);
    rig.bridge.behave();
    await rig.served(({ generation, state }) => generation === 2 && state === "fresh");
    expect(await rig.metric("facepay_bridge_opens_total")).toMatchObject({ 'outcome="ok"': expect.any(Number) });
  });

  it("that is unplugged costs nothing, and is found again under its name", async () => {
    await using rig = await openRig({ line, config: quick });
    const { authinfo } = await rig.serve();
    await rig.unplug();
    await rig.statusWhere("nothing there", ({ bridge }) => bridge?.problem?.code === "BRIDGE_NOT_FOUND");
    const refreshed = await rig.refresh();
    expect([refreshed.status, refreshed.body.cause]).toMatchObject([502, { code: "BRIDGE_NOT_FOUND" }]);
    const { last_error } = await rig.status();
    expect(last_error).toMatchObject({ code: "BRIDGE_NOT_FOUND", remedy: "ser.present" });
    await expectStillServed(rig, authinfo);
    await rig.plug();
    await rig.served(({ generation, state }) => generation === 2 && state === "fresh");
    expect(rig.bridge.sdk.inits).toBe(1);
  });

  const random = randomBytes(600);
  const faults: [what: string, fault: BridgeFaults][] = [
    ["noise before an answer", { noiseBefore: random }],
    ["noise after an answer", { noiseAfter: random }],
    ["an echo", { echo: true }],
    ["the answer before once more", { stale: true }],
    ["every answer twice", { duplicate: true }],
  ];
  it.each(faults)("that sends %s is understood all the same", async (_what, fault) => {
    await using rig = await openRig({ line });
    rig.bridge.faults = fault;
    await rig.serve();
    expect((await rig.refresh()).status).toBe(200);
  });
});

describe.concurrent("a bridge", () => {
  it.each([
    ["an answer to another call", { wrongId: true }],
    ["damaged frames", { badFcs: true }],
    ["half a frame", { truncated: true }],
    ["frames that are too long", { oversize: true }],
    ["what is no JSON", { payload: "{" }],
  ] as [string, BridgeFaults][])("that sends %s times out, and is named as the failing link", async (_what, fault) => {
    await using rig = await openRig({ config: quick });
    const { authinfo } = await rig.serve();
    rig.bridge.faults = fault;
    const refreshed = await rig.refresh();
    expect(refreshed.status).toBe(502);
    expect(refreshed.body.cause).toMatchObject({ code: expect.stringMatching(/^BRIDGE_/) });
    expect((await rig.status()).last_error).toMatchObject({ remedy: expect.stringMatching(/^ser\./) });
    await expectStillServed(rig, authinfo);
    rig.bridge.behave();
    await rig.served(({ generation, state }) => generation === 2 && state === "fresh");
  });

  it.each([
    ["that is empty", ""],
    ["with a space", "AAAA AAAA"],
    ["that is no base64", "not base64!"],
  ])("has its rawdata %s refused before it is sent anywhere", async (_what, rawData) => {
    await using rig = await openRig();
    rig.bridge.next({ only: "getWxpayfaceRawdata", rawData });
    rig.start();
    const { last_error } = await rig.statusWhere("the refusal", (status) => status.last_error !== null);
    expect(last_error).toMatchObject({ code: "SDK_RAWDATA_INVALID", remedy: "ser.device_data" });
    expect(rig.pay.requests).toEqual([]);
    await rig.served();
  });

  it("that has started anew is initialised anew, before the next rawdata", async () => {
    await using rig = await openRig();
    await rig.serve();
    rig.bridge.restart();
    const before = rig.bridge.requests.length;
    expect((await rig.refresh()).status).toBe(200);
    const asked = rig.bridge.requests.slice(before).map(({ method, cmd }) => cmd ?? method);
    // Whether one hello more lies between depends on which of them has met the new session.
    expect(asked.filter((one, index) => one !== "hello" || index === 0)).toEqual([
      "hello",
      "initWxpayface",
      "getWxpayfaceRawdata",
    ]);
  });

  it("whose SDK has forgotten its init, or is still at it, is waited for", async () => {
    await using rig = await openRig();
    await rig.serve();
    rig.bridge.sdk.forgetInit();
    expect((await rig.refresh()).status).toBe(200);
    expect(rig.bridge.sdk.inits).toBe(2);
    expect(rig.bridge.count("releaseWxpayface")).toBe(0);
    await rig.agent.crash();
    rig.bridge.sdk.initialiseFor(1_200);
    rig.start();
    await rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
    expect((await rig.refresh()).status).toBe(200);
  });

  it("that has changed its network card leads to a new authinfo, the old one served meanwhile", async () => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    rig.bridge.netId = "wlan0-02:00:00:00:00:02";
    rig.pay.faults.next({ delayMs: 700 });
    expect((await rig.ask("admin", "POST", "/v1/bridge/probe")).status).toBe(200);
    await expectStillServed(rig, authinfo);
    await rig.served(({ generation, state }) => generation === 2 && state === "fresh");
  });

  it("that has changed its network card while the agent was down leads to a new authinfo", async () => {
    await using rig = await openRig();
    await rig.serve();
    await rig.agent.crash();
    rig.bridge.netId = "wlan0-02:00:00:00:00:02";
    rig.start();
    await rig.served(({ generation, state }) => generation === 2 && state === "fresh");
  });

  it("that is plugged in while somebody waits for a refresh, serves it", async () => {
    await using rig = await openRig();
    await rig.serve();
    await rig.unplug();
    await rig.statusWhere("the loss", ({ bridge }) => bridge?.state === "opening");
    const refreshed = rig.refresh();
    await rig.plug();
    expect((await refreshed).status).toBe(200);
  });

  it("is probed: lengths and timings, no rawdata", async () => {
    await using rig = await openRig({ config: quick });
    await rig.serve();
    const probed = await rig.ask("admin", "POST", "/v1/bridge/probe");
    expect(probed.status).toBe(200);
    expect(Object.values(probed.body)).toContain(672);
    expect(rig.bridge.count("getWxpayfaceRawdata")).toBe(2);
    expect(rig.pay.requests).toHaveLength(1);
    await rig.unplug();
    const failed = await rig.ask("admin", "POST", "/v1/bridge/probe");
    expect(failed.status).toBeGreaterThanOrEqual(500);
    expect(failed.body).toMatchObject({ cause: { code: expect.stringMatching(/^BRIDGE_/) } });
  });

  it("with another major version of the protocol is an error", async () => {
    await using rig = await openRig({ config: quick });
    rig.bridge.protocol = "2.0";
    rig.start();
    const { last_error } = await rig.statusWhere("the error", (status) => status.last_error !== null);
    expect(last_error).toMatchObject({ code: "BRIDGE_PROTOCOL", remedy: "ser.protocol" });
    rig.bridge.protocol = "1.9";
    await rig.served();
  });
});
