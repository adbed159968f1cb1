import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { DriverConfig } from "../../../agent/config/config.ts";
import type { SdkDriver } from "../../../drivers/sdk/driver.ts";
import { openDriver } from "../../../drivers/sdk/open-driver.ts";
import { noOtherUsers } from "../../support/children/as-user.ts";
import { ScriptedBridge } from "../../support/fakes/scripted-bridge.ts";
import { lineSettings } from "../../support/fixtures/line-settings.ts";

const base = { ...lineSettings, callTimeoutMs: 2_000, initTimeoutMs: 2_000 };

let directory: string;
let socketPath: string;
let bridge: ScriptedBridge;
let server: net.Server;
let connections: net.Socket[];
let drivers: SdkDriver[];

function start(config: Pick<DriverConfig, "type" | "path">): SdkDriver {
  const random = { unit: () => 0, bytes: (length: number) => Buffer.alloc(length, 1) };
  const parts = { version: "0.0.0", clock: systemClock(), random, log: silentLog };
  const driver = openDriver({ ...base, ...config }, parts);
  drivers.push(driver);
  driver.start();
  return driver;
}

async function listen(): Promise<void> {
  server = net.createServer((connection) => {
    connections.push(connection);
    bridge.attach(connection);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
}

async function stop(): Promise<void> {
  for (const connection of connections) connection.destroy();
  await new Promise((resolve) => server.close(resolve));
}

const sees = (driver: SdkDriver, code: string) =>
  vi.waitFor(() => expect(driver.status().problem?.code).toBe(code), { timeout: 60_000 });

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "socket-"));
  socketPath = path.join(directory, "bridge.sock");
  bridge = new ScriptedBridge();
  connections = [];
  drivers = [];
  await listen();
});

afterEach(async () => {
  await Promise.all(drivers.map((driver) => driver.close()));
  await stop();
  await rm(directory, { recursive: true });
});

describe("a bridge on a unix socket", () => {
  it("becomes ready, gives a rawdata, and comes back after a restart of the bridge", async () => {
    const driver = start({ type: "socket", path: socketPath });
    await driver.whenReady(AbortSignal.timeout(5_000));
    expect((await driver.getRawData(AbortSignal.timeout(5_000))).rawData).toBe(bridge.rawdata);
    expect(driver.status()).toMatchObject({ type: "socket", path: socketPath });
    await stop();
    await sees(driver, "BRIDGE_NOT_FOUND");
    bridge.hello = { ...bridge.hello, session: "after the restart" };
    await listen();
    expect((await driver.whenReady(AbortSignal.timeout(5_000))).session).toBe("after the restart");
    expect(bridge.said.filter((name) => name === "initWxpayface").length).toBe(2);
  });

  it("is told apart when it cannot be reached", async () => {
    const file = path.join(directory, "file");
    await writeFile(file, "");
    await sees(start({ type: "socket", path: path.join(directory, "nothing") }), "BRIDGE_NOT_FOUND");
    await sees(start({ type: "socket", path: file }), "BRIDGE_NOT_FOUND");
    await sees(start({ type: "socket", path: path.join(file, "below") }), "BRIDGE_NOT_FOUND");
  });

  it("says so when this user may not connect", async ({ skip }) => {
    skip(noOtherUsers !== undefined, noOtherUsers);
    process.seteuid?.(65_534);
    try {
      await sees(start({ type: "socket", path: socketPath }), "BRIDGE_PERMISSION");
    } finally {
      process.seteuid?.(0);
    }
  });

  it("leaves no connection behind", async () => {
    const driver = start({ type: "socket", path: socketPath });
    await driver.whenReady(AbortSignal.timeout(5_000));
    await driver.close();
    await vi.waitFor(() => expect(connections.map(({ destroyed }) => destroyed)).toEqual([true]), { timeout: 60_000 });
  });
});

describe("the simulated bridge in memory", () => {
  it("serves the driver like a real one", async () => {
    const driver = start({ type: "simulator" });
    await driver.whenReady(AbortSignal.timeout(5_000));
    const { rawData } = await driver.getRawData(AbortSignal.timeout(5_000));
    expect(rawData).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(await driver.probe(AbortSignal.timeout(5_000))).toMatchObject({ rawDataLength: expect.any(Number) });
  });
});
