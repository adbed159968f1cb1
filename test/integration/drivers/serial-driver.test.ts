import { mkdtemp, readdir, readlink, rm, symlink, unlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { isAgentError } from "../../../agent/common/errors.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { DriverConfig } from "../../../agent/config/config.ts";
import type { DriverEvent, SdkDriver } from "../../../drivers/sdk/driver.ts";
import { openDriver } from "../../../drivers/sdk/open-driver.ts";
import type { Pty } from "../../../drivers/simulator/pty.ts";
import { noOtherUsers } from "../../support/children/as-user.ts";
import { ScriptedBridge } from "../../support/fakes/scripted-bridge.ts";
import { lineSettings } from "../../support/fixtures/line-settings.ts";
import { openPty } from "../../support/fixtures/own-pty.ts";

const base: DriverConfig = { type: "serial", ...lineSettings, callTimeoutMs: 30_000, initTimeoutMs: 30_000 };
const within = (ms: number) => AbortSignal.timeout(ms);

let directory: string;
let link: string;
let pty: Pty;
let bridge: ScriptedBridge;
let drivers: SdkDriver[];
let events: DriverEvent[];

function start(config: Partial<DriverConfig> = {}): SdkDriver {
  const driver = openDriver(
    { ...base, path: link, ...config },
    {
      version: "0.0.0",
      clock: systemClock(),
      // The shortest back-off of all draws.
      random: { unit: () => 0, bytes: (length) => Buffer.alloc(length, 1) },
      log: silentLog,
    },
  );
  drivers.push(driver);
  driver.subscribe((event) => events.push(event));
  driver.start();
  return driver;
}

async function plugIn(): Promise<void> {
  pty = await openPty({ link });
  bridge.attach(pty.stream);
}

const sees = (driver: SdkDriver, code: string) =>
  vi.waitFor(() => expect(driver.status().problem?.code).toBe(code), { timeout: 60_000 });

/** What this process has open under /dev: the devices a driver must give back. */
async function openDevices(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  return links.filter((target) => target.startsWith("/dev/pts/")).sort();
}

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "serial-"));
  link = path.join(directory, "bridge");
  bridge = new ScriptedBridge();
  drivers = [];
  events = [];
  await plugIn();
});

afterEach(async () => {
  await Promise.all(drivers.map((driver) => driver.close()));
  pty.unplug();
  await rm(directory, { recursive: true });
});

describe("a bridge on a serial device", () => {
  it("becomes ready and gives a rawdata, over serialport", async () => {
    const driver = start();
    expect(await driver.whenReady(within(60_000))).toMatchObject({ deviceId: "DEVICE-1" });
    bridge.rawdata = Buffer.alloc(5_000, "}~\x11\x13 all that must be escaped").toString("base64");
    expect((await driver.getRawData(within(60_000))).rawData).toBe(bridge.rawdata);
    // The longest frame, every octet escaped: more than a tty takes in one write.
    const text = "~}".repeat(4_000);
    bridge.script = (call) => (call.params.text ? { result: { length: String(call.params.text).length } } : undefined);
    expect(await driver.call({ cmd: "x", text }, within(60_000))).toEqual({ length: text.length });
    expect(driver.status()).toMatchObject({ state: "ready", type: "serial", path: link, opens: { ok: 1 } });
    expect(bridge.said.slice(0, 2)).toEqual(["hello", "initWxpayface"]);
  });

  it("gives the device back when it is closed, so that the next one can have it", async () => {
    const before = await openDevices();
    const first = start();
    await first.whenReady(within(60_000));
    expect((await openDevices()).length).toBe(before.length + 1);
    await first.close();
    expect(await openDevices()).toEqual(before);
    await start().whenReady(within(60_000));
  });

  it("is lost when unplugged and ready again when plugged in under the same name", async () => {
    const driver = start();
    await driver.whenReady(within(60_000));
    pty.unplug();
    await sees(driver, "BRIDGE_NOT_FOUND");
    expect(events.map(({ type }) => type)).toEqual(["ready", "lost"]);
    await expect(driver.getRawData(within(1_000))).rejects.toSatisfy((error) =>
      isAgentError(error, "BRIDGE_NOT_FOUND"),
    );
    await plugIn();
    await driver.whenReady(within(60_000));
    expect((await driver.getRawData(within(60_000))).rawData).toBe(bridge.rawdata);
    expect(events.map(({ type }) => type)).toEqual(["ready", "lost", "ready"]);
  });

  it("is noticed to have become another device under the same name, though the old one still lives", async () => {
    const driver = start();
    await driver.whenReady(within(60_000));
    const old = pty;
    await unlink(link);
    const other = await openPty();
    await symlink(other.path, link);
    bridge.hello = { ...bridge.hello, session: "other", device_id: "DEVICE-2" };
    bridge.attach(other.stream);
    await vi.waitFor(() => expect(driver.status()).toMatchObject({ state: "ready", opens: { ok: 2 } }), {
      timeout: 60_000,
    });
    expect(driver.status().identity?.deviceId).toBe("DEVICE-2");
    old.unplug();
    await driver.close();
    other.unplug();
  });

  it("that falls silent is opened anew after three timeouts", async () => {
    const driver = start({ callTimeoutMs: 200 });
    await driver.whenReady(within(60_000));
    bridge.script = () => "silence";
    for (let i = 0; i < 3; i++) {
      await expect(driver.call({ cmd: "x" }, within(60_000))).rejects.toMatchObject({ code: "BRIDGE_TIMEOUT" });
    }
    await vi.waitFor(() => expect(driver.status().opens.ok).toBeGreaterThanOrEqual(2), { timeout: 60_000 });
    bridge.script = () => undefined;
    await driver.whenReady(within(60_000));
  });

  it("survives twenty unplugs in a row, in rest and under load, and leaves nothing open", async () => {
    const before = (await openDevices()).length;
    const driver = start();
    for (let round = 0; round < 20; round++) {
      await driver.whenReady(within(60_000));
      const text = "x".repeat(6_000);
      const load =
        round % 2 === 0
          ? []
          : [
              driver.getRawData(within(60_000)),
              driver.call({ cmd: "x", text }, within(60_000)),
              driver.probe(within(60_000)),
            ];
      const settled = Promise.allSettled(load);
      if (round % 4 === 1) await new Promise(setImmediate);
      pty.unplug();
      await settled;
      await vi.waitFor(() => expect(driver.status().state).not.toBe("ready"), { timeout: 60_000 });
      await plugIn();
    }
    await driver.whenReady(within(60_000));
    expect((await driver.getRawData(within(60_000))).rawData).toBe(bridge.rawdata);
    // Before was the pseudo-terminal's own end; the agent's has come, and nothing else.
    expect((await openDevices()).length).toBe(before + 1);
  });

  it("is told apart when it cannot be opened", async () => {
    const holder = start();
    await holder.whenReady(within(60_000));
    await sees(start(), "BRIDGE_BUSY");
    await holder.close();

    const file = path.join(directory, "file");
    await writeFile(file, "");
    const misled = start({ path: file });
    await sees(misled, "BRIDGE_OPEN_FAILED");
    expect(misled.status().problem?.params).toEqual({ variant: "not_serial", path: file });
    const elsewhere = start({ path: "/dev/null" });
    await sees(elsewhere, "BRIDGE_OPEN_FAILED");
    expect(elsewhere.status().problem?.params).toEqual({ variant: "not_serial", path: "/dev/null" });
    await sees(start({ path: path.join(directory, "nothing") }), "BRIDGE_NOT_FOUND");
    await sees(start({ path: path.join(file, "below") }), "BRIDGE_NOT_FOUND");
  });

  it("says so when this user may not open it", async ({ skip }) => {
    skip(noOtherUsers !== undefined, noOtherUsers);
    process.seteuid?.(65_534);
    try {
      await sees(start({ path: pty.path }), "BRIDGE_PERMISSION");
    } finally {
      process.seteuid?.(0);
    }
  });

  it("becomes ready as soon as the cause has gone", async () => {
    pty.unplug();
    const driver = start();
    await sees(driver, "BRIDGE_NOT_FOUND");
    await plugIn();
    await driver.whenReady(within(60_000));
    expect(driver.status().problem).toBeUndefined();
  });
});
