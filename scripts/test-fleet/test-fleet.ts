/**
 * `npm run test:fleet`: real mosquitto, MQTT exporter, Prometheus and Alertmanager with the files of docs/fleet, three agents and a gateway.
 * Faults one after the other; for each, the alert that comes first has to be the right one, and a change has to be seen within 20 s. Waits of
 * rules are shortened. Needs root's or anybody's right to run: apt-get install mosquitto mosquitto-clients prometheus
 * prometheus-mqtt-exporter prometheus-alertmanager. `-- --rounds N`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { GatewayRig } from "../../test/support/fixtures/gateway-rig.ts";
import { openRig, type Rig, removeFactory } from "../../test/support/fixtures/running-agent.ts";
import { readOptions } from "../read-options.ts";
import { type Fault, publishedFaults, serverFaults, terminalFaults } from "./faults.ts";
import { Servers, until } from "./servers.ts";

/** sysexits EX_UNAVAILABLE. */
const MISSING = 69;
const DEVICES = ["LTAFLEET0001", "LTAFLEET0002", "LTAFLEET0003"];
const KEEPALIVE_S = 5;
/** Of a change, from fault to Prometheus (specification 10), also of a terminal that says nothing any more. */
const SEEN_WITHIN_MS = 20_000;
const RIGHT_SHARE = 0.95;

const options = readOptions("test:fleet", { rounds: { type: "string", default: "2" } });
process.env.PATH = `${process.env.PATH}:/usr/sbin`;
const needed = ["mosquitto", "mosquitto_pub", "prometheus", "prometheus-mqtt-exporter", "prometheus-alertmanager"];
const absent = needed.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);
if (absent.length > 0) {
  process.stderr.write(
    `not installed: ${absent.join(", ")}\napt-get install mosquitto mosquitto-clients prometheus prometheus-mqtt-exporter prometheus-alertmanager\n`,
  );
  process.exit(MISSING);
}

const say = (line: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
const directory = mkdtempSync(path.join(os.tmpdir(), "facepay-fleet-"));
const failures: string[] = [];
let injected = 0;
let right = 0;
let slowest = 0;

async function inject(servers: Servers, fault: Fault): Promise<void> {
  const { what, expected, device } = fault;
  const concerns = (name: string, whom: string) => (device === undefined ? expected.includes(name) : whom === device);
  const before = new Set(
    (await servers.alerts())
      .filter(({ state }) => state === "firing")
      .map(({ name, device: whom }) => `${name} ${whom}`),
  );
  injected++;
  await fault.act();
  let first = "";
  let seenMs = 0;
  const from = performance.now();
  try {
    await until(what, async () => {
      const alerts = (await servers.alerts()).filter(
        ({ name, device: whom }) => concerns(name, whom) && !before.has(`${name} ${whom}`),
      );
      if (seenMs === 0 && alerts.length > 0) seenMs = performance.now() - from;
      const firing = alerts.filter(({ state }) => state === "firing").map(({ name }) => name);
      first = firing.find((name) => expected.includes(name)) ?? firing[0] ?? "";
      return first !== "";
    });
  } catch {
    first = "none";
  }
  const isRight = expected.includes(first) && seenMs <= SEEN_WITHIN_MS;
  if (isRight) right++;
  else failures.push(`${what}: ${first} after ${Math.round(seenMs / 1_000)} s`);
  slowest = Math.max(slowest, seenMs);
  say(
    `${isRight ? "ok" : "WRONG"}: ${what} (${device ?? "servers"}) -> ${first}, seen after ${(seenMs / 1_000).toFixed(1)} s`,
  );
  await fault.undo();
  await until(`the end of ${what}`, async () => {
    const alerts = await servers.alerts();
    return (
      first === "FacepayRejectedOften" ||
      !alerts.some(({ name, device: whom }) => concerns(name, whom) && name === first)
    );
  }).catch(() => failures.push(`${what}: the alert stays`));
}

try {
  await using gateway = await GatewayRig.create();
  await gateway.start();
  await using servers = new Servers(directory);
  await servers.start(gateway.healthPort);
  const rigs: Rig[] = [];
  try {
    for (const deviceId of DEVICES) {
      const telemetry = { broker: `mqtt://127.0.0.1:${servers.brokerPort}`, keepalive_s: KEEPALIVE_S };
      const rig = await openRig({ deviceId, anyIdentity: true, config: { telemetry } });
      rigs.push(rig);
      await rig.serve();
    }
    await until(
      "all terminals in Prometheus",
      async () => (await servers.query("facepay_fleet_online == 1")).length === DEVICES.length,
    );
    say(`${DEVICES.length} agents, a gateway, mosquitto, exporter, Prometheus, Alertmanager`);
    for (let round = 0; round < options.number("rounds"); round++) {
      for (const [n, rig] of rigs.entries()) {
        const all = terminalFaults(rig, DEVICES[n] ?? "");
        // Rejections count for an hour: once for each terminal.
        for (const fault of round === 0 ? all : all.slice(0, -1)) await inject(servers, fault);
      }
      for (const fault of publishedFaults(servers.brokerPort, "LTAFLEET0009")) await inject(servers, fault);
      for (const fault of serverFaults(servers, {
        crash: () => gateway.process.crash(),
        restart: () => gateway.restart(),
      }))
        await inject(servers, fault);
    }
    for (const expr of [
      "facepay_fleet:trouble",
      "facepay_fleet:newest_version",
      "facepay_gateway_terminals_succeeded",
      "sum by (device) (sum_over_time(facepay_fleet:trouble[7d])) > 0",
    ])
      if ((await servers.query(expr)).length === 0) failures.push(`no data: ${expr}`);
    if ((await servers.received()) === 0) failures.push("no alert has come to the Alertmanager");
  } finally {
    for (const rig of rigs) await rig[Symbol.asyncDispose]();
  }
} finally {
  await removeFactory();
  rmSync(directory, { recursive: true, force: true });
}
say(
  `${injected} faults, the right alert first in ${right} (${Math.round((100 * right) / injected)} %), slowest seen after ${(slowest / 1_000).toFixed(1)} s`,
);
const passed = right / injected >= RIGHT_SHARE && failures.length <= injected - right;
if (!passed) say(`FAILED: ${failures.join("; ")}`);
process.exitCode = passed ? 0 : 1;
