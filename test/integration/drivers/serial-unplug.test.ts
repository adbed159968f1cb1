import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { SerialPort } from "serialport";
import { expect, it, vi } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { DriverConfig } from "../../../agent/config/config.ts";
import type { DriverEvent } from "../../../drivers/sdk/driver.ts";
import { openDriver } from "../../../drivers/sdk/open-driver.ts";
import { ScriptedBridge } from "../../support/fakes/scripted-bridge.ts";
import { seeded } from "../../support/faults/seeded.ts";
import { lineSettings } from "../../support/fixtures/line-settings.ts";
import { openPty } from "../../support/fixtures/own-pty.ts";

const UNPLUGS = 200;
/** Side by side: a line that is stuck is found out within two seconds, and most of a round is waiting for that. */
const TERMINALS = 5;
const BARE_ROUNDS = 24;
const WINDOW_MS = 300;
/** Of one core. A stuck serialport takes four fifths of one. */
const BUSY = 0.5;
const within = (ms: number) => AbortSignal.timeout(ms);

const config: DriverConfig = { type: "serial", ...lineSettings, callTimeoutMs: 2_000, initTimeoutMs: 2_000 };

/** What this process takes of one core. */
async function processorShare(): Promise<number> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await delay(WINDOW_MS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / (performance.now() - startedAt);
}

/** Fails when the process does not come to rest: something reads nothing at full speed for ever. */
const comesToRest = () =>
  vi.waitFor(async () => expect(await processorShare()).toBeLessThan(BUSY), { timeout: 60_000, interval: 10 });

/** Sends noise for as long as the line takes it. */
function flood(stream: Duplex): void {
  const noise = Buffer.alloc(2_048, "~noise on the line");
  const more = () => {
    if (stream.destroyed) return;
    if (stream.write(noise)) setImmediate(more);
    else stream.once("drain", more);
  };
  more();
}

async function openDevices(): Promise<number> {
  const fds = await readdir("/proc/self/fd");
  const targets = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return targets.filter((target) => target.startsWith("/dev/pts/")).length;
}

it("control: serialport alone, unplugged under load, gets stuck on a busy core or destroys itself", async () => {
  const states: Record<string, number> = {};
  for (let round = 0; round < BARE_ROUNDS; round++) {
    const pty = await openPty();
    const port = new SerialPort({ path: pty.path, baudRate: 115_200, autoOpen: false });
    await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
    let closed = false;
    port.on("close", () => {
      closed = true;
    });
    port.on("error", () => undefined);
    port.resume();
    pty.stream.resume();
    flood(pty.stream);
    if (round % 2 === 1) port.write(Buffer.alloc(100_000, 0x42));
    await delay(30 + (round % 7));
    pty.unplug();
    await delay(100);
    const busy = !closed && (await processorShare()) > BUSY;
    const state = port.destroyed ? "destroyed" : closed ? "closed" : `stuck${busy ? ", a core busy" : ""}`;
    states[state] = (states[state] ?? 0) + 1;
    // What cures it, and what the driver does.
    if (port.port?.isOpen) await port.port.close();
    port.destroy();
  }
  console.info(`serialport alone, ${BARE_ROUNDS} unplugs under load: ${JSON.stringify(states)}`);
  // How many of them burn a core depends on what else runs on it; that some hang does not.
  expect((states.stuck ?? 0) + (states["stuck, a core busy"] ?? 0)).toBeGreaterThan(0);
  await comesToRest();
});

it(`${UNPLUGS} unplugs under load and ${UNPLUGS} reconnections are survived, without a busy core`, async () => {
  const before = await openDevices();
  const directory = await mkdtemp(path.join(os.tmpdir(), "unplug-"));
  const lost: Record<string, number> = {};
  let reconnections = 0;
  const terminal = async (number: number): Promise<void> => {
    const link = path.join(directory, `bridge${number}`);
    const bridge = new ScriptedBridge();
    const chance = seeded(number);
    const plugIn = async () => {
      const plugged = await openPty({ link });
      bridge.attach(plugged.stream);
      return plugged;
    };
    let pty = await plugIn();
    const driver = openDriver(
      { ...config, path: link },
      {
        version: "0.0.0",
        clock: systemClock(),
        // The shortest back-off of all draws.
        random: { unit: () => 0, bytes: (length) => Buffer.alloc(length, number) },
        log: silentLog,
      },
    );
    const events: DriverEvent[] = [];
    driver.subscribe((event) => events.push(event));
    driver.start();
    for (let round = 0; round < UNPLUGS / TERMINALS; round++) {
      await driver.whenReady(within(20_000));
      flood(pty.stream);
      const text = "x".repeat(6_000);
      const calls = [
        driver.getRawData(within(5_000)),
        driver.call({ cmd: "x", text }, within(5_000)),
        driver.probe(within(5_000)),
      ];
      const settled = Promise.allSettled(calls);
      await delay(chance.below(40));
      const had = events.length;
      pty.unplug();
      await settled;
      const gone = () => events.slice(had).find(({ type }) => type === "lost");
      await vi.waitFor(() => expect(gone()).toBeDefined(), { timeout: 60_000 });
      const event = gone();
      const how = event?.type === "lost" ? event.detail.replaceAll(/\/\S+ has/g, "the device has") : "";
      lost[how] = (lost[how] ?? 0) + 1;
      pty = await plugIn();
      await driver.whenReady(within(20_000));
      expect((await driver.getRawData(within(5_000))).rawData).toBe(bridge.rawdata);
      reconnections++;
    }
    await driver.close();
    pty.unplug();
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: TERMINALS }, (_, number) => terminal(number + 1)));
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  await comesToRest();
  const share = ((await processorShare()) * 100).toFixed(0);
  console.info(`${UNPLUGS} unplugs, ${reconnections} reconnections in ${seconds} s; ${share} % of a core afterwards`);
  console.info(`how the loss was found out: ${JSON.stringify(lost)}`);
  expect(reconnections).toBe(UNPLUGS);
  expect(await openDevices()).toBe(before);
  await rm(directory, { recursive: true });
});
