import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import type { Rig } from "../../test/support/fixtures/running-agent.ts";
import type { Servers } from "./servers.ts";

export interface Fault {
  readonly what: string;
  /** Any of these may come first; others of the same device may not. */
  readonly expected: readonly string[];
  /** Whom the alert names; undefined: whoever. */
  readonly device?: string;
  act(): Promise<void>;
  undo(): Promise<void>;
}

const HOUR_S = 3_600;

/** What really happens to a terminal. */
export function terminalFaults(rig: Rig, device: string): Fault[] {
  const dead = { expected: ["FacepayTerminalDead"], device };
  return [
    {
      ...{ what: "power off", ...dead },
      act: async () => void (await rig.agent.crash()),
      undo: async () => void (await rig.serve()),
    },
    {
      ...{ what: "hangs", ...dead },
      act: async () => void process.kill(rig.agent.pid, "SIGSTOP"),
      undo: async () => void process.kill(rig.agent.pid, "SIGCONT"),
    },
    {
      ...{ what: "bridge unplugged", expected: ["FacepayBridgeAway"], device },
      act: () => rig.unplug(),
      undo: () => rig.plug(),
    },
    {
      ...{ what: "WeChat Pay away", expected: ["FacepayRenewalFailing"], device },
      async act() {
        await rig.payDown();
        await rig.refresh();
      },
      async undo() {
        await rig.payUp();
        await rig.until("a renewal", async () => (await rig.refresh()).status === 200);
      },
    },
    {
      ...{ what: "started without anything kept, WeChat Pay away", expected: ["FacepayNoAuthinfo"], device },
      async act() {
        await rig.agent.stop();
        await rig.payDown();
        rmSync(rig.stateDirectory, { recursive: true, force: true });
        rig.start();
      },
      async undo() {
        await rig.payUp();
        await rig.until("a renewal", async () => (await rig.refresh()).status === 200);
      },
    },
    {
      ...{ what: "a configuration that is refused", expected: ["FacepayConfigurationRefused"], device },
      async act() {
        await rig.configure({ refresh: { lifetime_s: -1 } });
        process.kill(rig.agent.pid, "SIGHUP");
      },
      async undo() {
        await rig.configure();
        process.kill(rig.agent.pid, "SIGHUP");
      },
    },
    {
      ...{ what: "the SDK refuses three authinfos", expected: ["FacepayRejectedOften"], device },
      async act() {
        for (let n = 0; n < 3; n++) {
          const { generation } = await rig.served(({ state }) => state === "fresh");
          await rig.ask("api", "POST", "/v1/authinfo/reject", { body: { generation } });
        }
      },
      // Its hour goes on; another run of the agent counts anew.
      undo: async () => undefined,
    },
  ];
}

/** What cannot be done to this machine is published as a terminal would: its clock, disk, memory, certificate and version. */
export function publishedFaults(port: number, device: string): Fault[] {
  const now = () => Math.floor(Date.now() / 1_000);
  const well = () => ({
    ...{ version: "0.1.0", version_number: 1_000, config_hash: "0", config_refused: 0, state: "fresh", generation: 1 },
    ...{ expires_at: now() + HOUR_S, last_success_at: now(), failures: 0, last_error: "", bridge_state: "ready" },
    ...{ skew_s: 0, clock_trusted: 1, persisted: 1, warnings: "", uptime_s: 9, disk_free_mb: 900 },
    ...{ memory_available_mb: 300, client_certificate_expires_at: now() + 300 * 24 * HOUR_S },
    ...{ served_total: 0, refresh_ok_total: 1, refresh_failed_total: 0, rejected_total: 0 },
  });
  const publish = async (name: string, payload: object) => {
    const topic = `facepay/v1/1900000100/${device}/${name}`;
    const args = ["-h", "127.0.0.1", "-p", String(port), "-q", "1", "-r", "-t", topic, "-m", JSON.stringify(payload)];
    if (spawnSync("mosquitto_pub", args).status !== 0) throw new Error(`mosquitto_pub refuses ${topic}`);
  };
  const made = (what: string, alert: string, change: () => object): Fault => ({
    ...{ what, expected: [alert], device },
    act: async () => {
      await publish("state", { online: true });
      await publish("health", { ...well(), ...change() });
    },
    undo: async () => publish("health", well()),
  });
  return [
    made("clock slow", "FacepayClockWrong", () => ({ skew_s: 400 })),
    made("clock fast", "FacepayClockWrong", () => ({ skew_s: -3_000 })),
    made("certificate ends", "FacepayCertificateEnds", () => ({ client_certificate_expires_at: now() + 86_400 })),
    made("disk refuses", "FacepayDiskRefuses", () => ({ persisted: 0, warnings: "AUTHINFO_NOT_PERSISTED" })),
    made("disk full", "FacepayDiskRefuses", () => ({ disk_free_mb: 1 })),
    made("memory short", "FacepayLowMemory", () => ({ memory_available_mb: 9 })),
    made("old version", "FacepayOldVersion", () => ({ version: "0.0.1", version_number: 1 })),
    made("ends within ten minutes", "FacepayAuthinfoEndsSoon", () => ({ expires_at: now() + 300, state: "due" })),
    made("expired", "FacepayNoAuthinfo", () => ({ expires_at: now() - 1, state: "expired" })),
    made("bridge away", "FacepayBridgeAway", () => ({ bridge_state: "opening" })),
  ];
}

export function serverFaults(
  servers: Servers,
  gateway: { crash(): Promise<unknown>; restart(): Promise<unknown> },
): Fault[] {
  return [
    {
      ...{ what: "exporter killed", expected: ["FacepayExporterDown"] },
      act: () => servers.kill("prometheus-mqtt-exporter"),
      undo: async () => servers.exporter(),
    },
    {
      ...{ what: "gateway killed", expected: ["FacepayGatewayDown"] },
      act: async () => void (await gateway.crash()),
      undo: async () => void (await gateway.restart()),
    },
  ];
}
