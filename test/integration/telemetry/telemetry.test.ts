import { describe, expect, it } from "vitest";
import type { Clock } from "../../../agent/common/clock.ts";
import { systemClock } from "../../../agent/common/clock.ts";
import type { FailureRecord } from "../../../agent/common/errors.ts";
import type { Log } from "../../../agent/common/log/log.ts";
import type { RemoteCommand } from "../../../agent/config/config.ts";
import { createAuthority, createSelfSigned } from "../../../agent/simulator/certificates.ts";
import { Telemetry, type TelemetryParts } from "../../../agent/telemetry/telemetry.ts";
import { MqttBroker } from "../../support/fakes/mqtt-broker.ts";

const BASE = "facepay/v1/1900000100/DEVICE-1";
const state = `${BASE}/state`;
const event = `${BASE}/event`;

interface RigOptions {
  readonly port: number;
  readonly tls?: boolean;
  readonly commands?: readonly RemoteCommand[];
  readonly clock?: Clock;
  readonly over?: Partial<TelemetryParts>;
}

/** The runner on real sockets, with everything else of a terminal stood in for. */
function open({ port, tls = false, commands = [], clock = systemClock(), over = {} }: RigOptions) {
  const health: Record<string, string | number> = { state: "fresh", generation: 1 };
  const troubles: (FailureRecord | undefined)[] = [];
  const executed: string[] = [];
  const logged: string[] = [];
  const tell = (code: string, fields?: Readonly<Record<string, unknown>>) => {
    logged.push(code);
    telemetry.event(code, fields);
  };
  const log: Log = { debug: () => undefined, info: tell, warn: tell, error: tell };
  const stop = new AbortController();
  const telemetry: Telemetry = new Telemetry({
    config: {
      broker: { tls, host: "127.0.0.1", port },
      ...{ topicPrefix: "facepay", intervalS: 900, keepaliveS: 60, commands },
    },
    ...{ spMchid: "1900000100", version: "1.2.3", bootId: "boot", clock, log },
    deviceId: () => "DEVICE-1",
    health: () => ({ ...health }),
    clockTrusted: () => true,
    secrets: () => ({ secrets: {}, problems: [], warnings: [] }),
    commands: {
      refresh: async () => {
        executed.push("refresh");
        return { state: "fresh" };
      },
      diagnose: async () => {
        executed.push("diagnose");
        return { checks: ["x".repeat(20_000)] };
      },
    },
    onTrouble: (failure) => troubles.push(failure),
    // No waiting but for what is a rule.
    random: { unit: () => 0, bytes: (length) => Buffer.alloc(length, 0xab) },
    ...over,
  });
  const running = telemetry.run(stop.signal);
  return {
    ...{ telemetry, health, troubles, executed, logged },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const init = (seconds = 300) =>
  JSON.stringify({ status: "init", not_after: new Date(Date.now() + seconds * 1_000).toISOString() });

describe("a terminal and its operator's broker", () => {
  it("tell each other who is there, how it is, and what has happened", async () => {
    await using broker = await MqttBroker.start();
    {
      await using rig = open({ port: broker.port });
      const [birth] = await broker.until(({ topic }) => topic === state);
      expect(birth).toMatchObject({ retain: true, qos: 1 });
      expect(JSON.parse(birth?.payload ?? "")).toMatchObject({ online: true, version: "1.2.3", boot_id: "boot" });
      const [health] = await broker.until(({ topic }) => topic === `${BASE}/health`);
      expect(health).toMatchObject({ retain: true, payload: '{"state":"fresh","generation":1}' });
      rig.telemetry.event("AUTHINFO_REJECTED", { generation: 3 });
      const [rejected] = await broker.until(({ payload }) => payload.includes("AUTHINFO_REJECTED"));
      expect(rejected).toMatchObject({ topic: event, qos: 1, retain: false });
      rig.health.state = "due";
      await broker.until(({ payload }) => payload.includes('"due"'));
    }
    // Who leaves says so himself.
    expect(JSON.parse(broker.on(state).at(-1)?.payload ?? "")).toMatchObject({ online: false });
    expect(broker.connections).toBe(1);
  });

  it("a will that comes late, or a stranger's word, does not stand", async () => {
    await using broker = await MqttBroker.start();
    await using _rig = open({ port: broker.port });
    const [birth] = await broker.until(({ topic }) => topic === `${BASE}/health`).then(() => broker.on(state));
    for (const lie of [birth?.payload.replace("true", "false") ?? "", '{"online":false,"session":"old"}', ""]) {
      const before = broker.on(state).length;
      await broker.publish(state, lie);
      await broker.until(({ topic, payload }) => topic === state && payload === birth?.payload, before + 1);
      expect(broker.on(state).at(-1)?.payload).toBe(birth?.payload);
      broker.heard.length = 0;
      await broker.publish(state, birth?.payload ?? "");
    }
  });

  it("are apart for a while: what happened meanwhile follows in order, without a gap", async () => {
    await using broker = await MqttBroker.start();
    await using rig = open({ port: broker.port });
    await broker.until(({ topic }) => topic === `${BASE}/health`);
    await broker.kill();
    for (let n = 0; n < 30; n++) rig.telemetry.event("AUTHINFO_OBTAINED", { generation: n });
    await broker.open();
    await broker.until(({ payload }) => payload.includes('"generation":29'));
    const ids = broker.on(event).map(({ payload }) => JSON.parse(payload).id);
    expect(ids).toEqual(ids.map((_id, at) => at + 1));
    expect(rig.troubles.at(-1)).toBeUndefined();
    expect(rig.logged).toContain("TELEMETRY_LOST");
    const [first, second] = broker.on(state).filter(({ payload }) => payload.includes("true"));
    expect(Date.parse(JSON.parse(second?.payload ?? "").at)).toBeGreaterThan(
      Date.parse(JSON.parse(first?.payload ?? "").at),
    );
  });
});

describe("commands over the broker", () => {
  it("are carried out when they are allowed, and answered on their topic", async () => {
    await using broker = await MqttBroker.start();
    await using rig = open({ port: broker.port, commands: ["refresh", "diagnose"] });
    // One that waits there already, and one that comes.
    await broker.publish(`${BASE}/cmd/refresh/1`, init());
    const answered = (topic: string, status: string) =>
      broker.until((one) => one.topic === topic && one.payload.startsWith(`{"status":"${status}"`));
    await answered(`${BASE}/cmd/refresh/1`, "executing");
    const [done] = await answered(`${BASE}/cmd/refresh/1`, "successful");
    expect(done).toMatchObject({ retain: true, payload: '{"status":"successful","result":{"state":"fresh"}}' });
    await broker.publish(`${BASE}/cmd/diagnose/2`, init());
    const [report] = await answered(`${BASE}/cmd/diagnose/2`, "successful");
    expect(report?.payload.length).toBeGreaterThan(20_000);
    await broker.until(({ payload }) => payload.includes('"op":"diagnose","command":"2","outcome":"successful"'));
    expect(rig.executed).toEqual(["refresh", "diagnose"]);
    // Its own answers come back to it, also the one that is larger than any command, and are no commands.
    expect(rig.logged).not.toContain("COMMAND_REFUSED");
  });

  it("that fail say why", async () => {
    await using broker = await MqttBroker.start();
    const commands = {
      refresh: () => Promise.reject(new Error("out of order")),
      diagnose: () => Promise.reject(new Error("out of order")),
    };
    await using _rig = open({ port: broker.port, commands: ["refresh"], over: { commands } });
    await broker.until(({ topic }) => topic === state);
    await broker.publish(`${BASE}/cmd/refresh/1`, init());
    const [failed] = await broker.until(({ payload }) => payload.startsWith('{"status":"failed"'));
    expect(JSON.parse(failed?.payload ?? "")).toMatchObject({ status: "failed", result: { code: "INTERNAL" } });
  });

  it("are refused on the wire as in the table: nothing is done, and each is an event", async () => {
    await using broker = await MqttBroker.start();
    await using rig = open({ port: broker.port, commands: ["refresh"] });
    await broker.until(({ topic }) => topic === `${BASE}/health`);
    const attacks: [topic: string, payload: string | Buffer, reason: string][] = [
      [`${BASE}/cmd/diagnose/1`, init(), "not_allowed"],
      [`${BASE}/cmd/reboot/1`, init(), "not_allowed"],
      [`${BASE}/cmd/refresh/2`, init(-1), "expired"],
      [`${BASE}/cmd/refresh/3`, init(3_600), "too_far"],
      [`${BASE}/cmd/refresh/4`, "refresh", "not_json"],
      [`${BASE}/cmd/refresh/5`, `${init()} `.padEnd(6_000), "too_large"],
      [`${BASE}/cmd/refresh/6`, Buffer.alloc(200_000), "too_large"],
      [`${BASE}/cmd/refresh/7`, '{"status":"successful"}', "status"],
    ];
    for (const [topic, payload] of attacks) await broker.publish(topic, payload, false);
    const told = await broker.until(({ payload }) => payload.includes("COMMAND_REFUSED"), attacks.length);
    expect(told.map(({ payload }) => JSON.parse(payload).reason)).toEqual(attacks.map(([, , reason]) => reason));
    expect(rig.executed).toEqual([]);
    // What is for another terminal never gets here: the subscription is to this one's topics.
    await broker.publish("facepay/v1/1900000100/DEVICE-2/cmd/refresh/8", init());
    await broker.publish(`${BASE}/cmd/refresh/9`, init());
    await broker.until(({ topic, payload }) => topic.endsWith("/9") && payload.startsWith('{"status":"successful"'));
    expect(rig.executed).toEqual(["refresh"]);
  });

  it("are not even subscribed to when none is allowed", async () => {
    await using broker = await MqttBroker.start();
    await using rig = open({ port: broker.port });
    await broker.until(({ topic }) => topic === `${BASE}/health`);
    await broker.publish(`${BASE}/cmd/refresh/1`, init());
    rig.telemetry.event("STOPPING");
    await broker.until(({ payload }) => payload.includes("STOPPING"));
    expect(rig.executed).toEqual([]);
    expect(rig.logged).not.toContain("COMMAND_REFUSED");
  });
});

describe("a broker with TLS", () => {
  it("gets in touch with a terminal by certificates, both ways", async () => {
    const ca = await createAuthority({ now: Date.now() });
    const [server, client] = [await ca.issueServer(), await ca.issueClient({ commonName: "DEVICE-1" })];
    const options = { key: server.privateKeyPem, cert: server.certPem, ca: ca.certPem };
    await using broker = await MqttBroker.start({ ...options, requestCert: true, rejectUnauthorized: true });
    const secrets = { ca: ca.certPem, clientCert: client.certPem, clientKey: client.privateKeyPem };
    const over = { secrets: () => ({ secrets, problems: [], warnings: [] }) };
    await using _rig = open({ port: broker.port, tls: true, over });
    await broker.until(({ topic }) => topic === `${BASE}/health`);
  });

  it.each(["a stranger's certificate", "another name", "no word of ours: it wants a certificate"] as const)(
    "is told nothing when it has %s",
    async (what) => {
      const now = Date.now();
      const ca = await createAuthority({ now });
      const server =
        what === "a stranger's certificate"
          ? await createSelfSigned({ now })
          : await ca.issueServer(what === "another name" ? { names: ["mqtt.example.com"] } : {});
      const strict = what.startsWith("no word");
      await using broker = await MqttBroker.start({
        ...{ key: server.privateKeyPem, cert: server.certPem, ca: ca.certPem },
        ...{ requestCert: strict, rejectUnauthorized: strict },
      });
      const over = { secrets: () => ({ secrets: { ca: ca.certPem }, problems: [], warnings: [] }) };
      await using rig = open({ port: broker.port, tls: true, over });
      await expect.poll(() => rig.troubles.at(0)?.code, { timeout: 60_000 }).toBe("TELEMETRY_BROKER");
      expect(["tls", "closed", "unreachable"]).toContain(rig.troubles[0]?.params?.variant);
      if (!strict) expect(rig.troubles[0]?.params?.variant).toBe("tls");
      expect(broker.heard).toEqual([]);
    },
  );

  it("is not asked while a file of its section is refused, and the main job is told why", async () => {
    await using broker = await MqttBroker.start();
    const problem = {
      key: "telemetry.ca_file",
      origin: "x",
      what: { id: "secret.token_alone" },
      instead: { id: "secret.token_alone" },
    } as const;
    await using rig = open({ port: broker.port, over: { secrets: () => ({ problems: [problem], warnings: [] }) } });
    await expect.poll(() => rig.troubles.at(0)?.params?.variant, { timeout: 60_000 }).toBe("files");
    expect(broker.connections).toBe(0);
  });
});
