import { afterEach, beforeEach, expect, it } from "vitest";
import type { Log } from "../../../agent/common/log/log.ts";
import type { SdkDriver } from "../../../drivers/sdk/driver.ts";
import { createSdkDriver } from "../../../drivers/sdk/sdk-driver.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { type ReceivedCall, type Reply, ScriptedBridge } from "../../support/fakes/scripted-bridge.ts";
import { lineSettings } from "../../support/fixtures/line-settings.ts";

// A bridge that repeats in its next words what it was given, or gave, before.

const PASSWORD = "Qr7-hunter2-Zw";
const HELD = "g4Wb9TtXk2Lq8ZpVn6Rs";
const SHOWN = "k7MfQ2zYx9HsT5vLbE3wPq";
const forever = new AbortController().signal;
const native: Reply = { error: { code: -32000, message: "refused", data: { status: 5 } } };

let clock: FakeClock;
let bridge: ScriptedBridge;
let driver: SdkDriver;
let told: string[];

beforeEach(async () => {
  clock = new FakeClock();
  bridge = new ScriptedBridge();
  told = [];
  const write = (code: string, fields?: unknown) => void told.push(`${code} ${JSON.stringify(fields)}`);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  driver = createSdkDriver({
    config: { type: "socket", path: "/run/bridge.sock", ...lineSettings, init: {} },
    initPasswd: PASSWORD,
    secrets: () => [HELD],
    version: "9.9.9",
    open: bridge.open,
    clock,
    random: { unit: () => 0.999_999, bytes: (length) => Buffer.alloc(length, 7) },
    log,
  });
  driver.subscribe((event) => told.push(JSON.stringify(event)));
  driver.start();
  await clock.settle();
});

afterEach(async () => {
  await driver.close();
  await clock.settle();
});

/** Everything a reading leaves behind, whether it succeeds or not. */
async function reading(): Promise<string> {
  const left = await driver.probe(forever).then(
    (probe) => JSON.stringify(probe),
    (error: Error & { context?: unknown }) => `${error.message} ${JSON.stringify(error.context)}`,
  );
  return `${left} ${JSON.stringify(driver.status())} ${told.join(" ")}`;
}

const isRawData = ({ params }: ReceivedCall) => params.cmd === "getWxpayfaceRawdata";
const refusal = (return_msg: string): Reply => ({ result: { return_code: "SYSTEMERROR", return_msg } });

it.each([
  ["the password of init, in another call", PASSWORD],
  ["the authinfo that is held, though it never came over this line", HELD],
])("is not let tell %s", async (_, secret) => {
  bridge.script = (call) => (isRawData(call) ? refusal(`about ${secret.slice(2, 12)} now`) : undefined);
  expect(await reading()).toContain("about … now");
  bridge.script = (call) =>
    isRawData(call) ? { error: { code: -32601, message: `about ${secret.slice(2, 12)} now` } } : undefined;
  const left = await reading();
  expect(left).not.toContain(secret.slice(2, 8));
  expect(left).not.toContain(secret.slice(6, 12));
});

it("is not let tell an authinfo that the cashier app has shown in a call that failed", async () => {
  bridge.script = () => native;
  await expect(driver.call({ cmd: "preloadSdkEnv", authinfo: SHOWN }, forever)).rejects.toThrow();
  bridge.script = (call) => (isRawData(call) ? refusal(`about ${SHOWN.slice(2, 12)} now`) : undefined);
  expect(await reading()).toContain("about … now");
});

it.each(["bridge", "session", "net_id", "sdk_version"])("is not let tell it as its %s", async (word) => {
  for (const secret of [PASSWORD, HELD, bridge.rawdata]) {
    await driver.getRawData(forever);
    bridge.hello = { ...bridge.hello, [word]: `v1/${secret}` };
    const left = await reading();
    expect(left).not.toContain(secret.slice(0, 8));
    expect(left).toContain("…");
    expect(driver.status().identity?.deviceId).toBe("DEVICE-1");
  }
});

it("is not let tell it as the protocol it speaks", async () => {
  bridge.hello = { ...bridge.hello, protocol: HELD };
  const left = await reading();
  expect(left).toContain("BRIDGE_PROTOCOL.version");
  expect(left).not.toContain(HELD.slice(0, 8));
});

it("starts anew when its session changes, though neither may be shown", async () => {
  const inits = () => bridge.said.filter((said) => said === "initWxpayface").length;
  for (const [at, session] of [HELD, HELD.slice(1), HELD.slice(2)].entries()) {
    bridge.hello = { ...bridge.hello, session };
    await driver.getRawData(forever);
    expect(driver.status().identity?.session).toBe("…");
    expect(inits()).toBe(at + 2);
    await driver.getRawData(forever);
    expect(told.filter((line) => line.startsWith("BRIDGE_CHANGED"))).toHaveLength(at + 1);
  }
});

it("has its own words shown as they are, cleaned of what a terminal obeys", async () => {
  bridge.hello = { ...bridge.hello, session: "s\u001b[2J7", bridge: "vendor/2.13.100" };
  await driver.getRawData(forever);
  expect(driver.status().identity).toMatchObject({ session: "s [2J7", bridge: "vendor/2.13.100" });
});
