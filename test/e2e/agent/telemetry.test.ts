import { readFileSync } from "node:fs";
import net from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { MqttBroker } from "../../support/fakes/mqtt-broker.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const telemetry = (port: number, more: object = {}) => ({ telemetry: { broker: `mqtt://127.0.0.1:${port}`, ...more } });
const soon = () => JSON.stringify({ status: "init", not_after: new Date(Date.now() + 300_000).toISOString() });

describe("an agent with a broker", () => {
  it("reports, obeys what is allowed, and lets no secret out", async () => {
    await using broker = await MqttBroker.start();
    await using rig = await openRig({ config: telemetry(broker.port, { commands: ["refresh", "diagnose"] }) });
    const face = "FaceDataOfACustomer0123456789";
    rig.canaries.add("face data", face);
    const { generation } = await rig.serve();
    const topic = (name: string) => {
      const { spMchid, deviceId } = rig.playground.identity;
      return `facepay/v1/${spMchid}/${deviceId}/${name}`;
    };
    await broker.until((one) => one.topic === topic("health") && one.payload.includes('"state":"fresh"'));
    const birth = JSON.parse(broker.on(topic("state"))[0]?.payload ?? "");
    expect(birth).toMatchObject({ online: true, boot_id: (await rig.status()).boot_id });

    await rig.ask("api", "POST", "/v1/sdk/call", { body: { cmd: "getWxpayfaceCode", face } });
    await rig.ask("api", "POST", "/v1/authinfo/reject", { body: { generation, return_msg: face } });
    await rig.ask("api", "GET", "/v1/authinfo", { headers: { Origin: "http://evil.example" } });
    for (const code of ["AUTHINFO_REJECTED", "AUTHINFO_OBTAINED", "API_REFUSED"])
      await broker.until((one) => one.topic === topic("event") && one.payload.includes(`"${code}"`));

    await broker.publish(topic("cmd/refresh/r1"), soon());
    const ended = (id: string) =>
      broker.until((one) => one.topic.endsWith(`/${id}`) && /^\{"status":"(successful|failed)"/.test(one.payload));
    const [refreshed] = await ended("r1");
    expect(JSON.parse(refreshed?.payload ?? "")).toMatchObject({ status: "successful", result: { state: "fresh" } });
    await broker.publish(topic("cmd/diagnose/d1"), soon());
    const [diagnosed] = await ended("d1");
    expect(JSON.parse(diagnosed?.payload ?? "")).toMatchObject({
      status: "successful",
      result: { schema: "facepay-agent.diagnose/1" },
    });

    // A reload that changes nothing of it keeps the connection and is told.
    const { connections } = broker;
    await rig.configure({ log: { level: "debug" } });
    process.kill(rig.agent.pid, "SIGHUP");
    await broker.until((one) => one.topic === topic("event") && one.payload.includes('"CONFIGURED"'));
    expect(broker.connections).toBe(connections);

    // Power off: the broker speaks for the terminal.
    await rig.agent.crash();
    await broker.until((one) => one.topic === topic("state") && one.payload.includes('"online":false'));
    rig.saw("telemetry", JSON.stringify(broker.heard));
  });

  it("without telemetry has loaded nothing of it", async () => {
    await using rig = await openRig();
    await rig.serve();
    const run = readFileSync(new URL("../../../agent/cli/run.ts", import.meta.url), "utf8");
    expect(run).toContain('await import("../runtime/telemetry-link.ts")');
    expect(run).not.toMatch(/^import (?!type)[^;]*telemetry/m);
    expect((await rig.status()).warnings.map(({ code }) => code)).not.toContain("TELEMETRY_DOWN");
  });

  it.each<[what: string, act: (socket: net.Socket) => void]>([
    ["says nothing", () => undefined],
    ["hangs up", (socket) => socket.destroy()],
    ["speaks HTTP", (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["refuses everybody", (socket) => socket.write(Buffer.from("20020005", "hex"))],
    ["announces 256 MB", (socket) => socket.write(Buffer.from("2002000030ffffff7f", "hex"))],
    ["never acknowledges", (socket) => socket.write(Buffer.from("20020000", "hex"))],
    [
      "floods",
      (socket) => {
        const packet = Buffer.concat([Buffer.from("30ff3f00016100", "hex"), Buffer.alloc(0x1fff - 4)]);
        socket.write(Buffer.from("20020000", "hex"));
        const pour = () => {
          while (!socket.destroyed && socket.write(packet));
        };
        socket.on("drain", pour);
        pour();
      },
    ],
  ])("whose broker %s serves and renews as if there were none", async (_what, act) => {
    const sockets = new Set<net.Socket>();
    const tried = Promise.withResolvers<void>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("data", () => {
        tried.resolve();
        act(socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await using rig = await openRig({ config: telemetry((server.address() as net.AddressInfo).port) });
      await rig.serve();
      await tried.promise;
      for (let n = 0; n < 200; n++) expect((await rig.get()).status).toBe(200);
      expect((await rig.refresh()).status).toBe(200);
      expect((await rig.ask("admin", "GET", "/livez")).status).toBe(200);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
});
