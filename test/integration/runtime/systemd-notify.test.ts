import { spawn } from "node:child_process";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { openDatagrams } from "../../../agent/runtime/systemd/datagram.ts";
import { type NotifierParts, startNotifier } from "../../../agent/runtime/systemd/notifier.ts";
import { askOurselves } from "../../../agent/runtime/systemd/self-request.ts";
import { NotifySocket } from "../../support/fakes/notify-socket.ts";
import { FakeCredentialService, makeView, temporaryDirectory } from "../../support/fixtures/api-fixture.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

const clock = systemClock();
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

/** Tests of the agent run side by side, and one must not lose another's. */
const directories: (typeof directory)[] = [];

beforeEach(async () => {
  directory = await temporaryDirectory();
  directories.push(directory);
});
afterAll(async () => {
  await removeFactory();
  for (const { remove } of directories) await remove();
});

describe("datagrams", () => {
  it("arrive whole at a path and at an abstract name", async () => {
    for (const address of [`${directory.path}/notify`, `@facepay-test-${process.pid}`]) {
      await using manager = new NotifySocket(address);
      const datagrams = await openDatagrams(address);
      expect(datagrams.send("READY=1\nSTATUS=有效")).toBe("sent");
      await manager.until("the datagram", () => manager.notices.length === 1);
      expect(manager.texts).toEqual(["READY=1\nSTATUS=有效"]);
      datagrams.close();
    }
  });

  it("never wait: a full queue and a receiver that is gone are told", async () => {
    const address = `${directory.path}/notify`;
    const datagrams = await openDatagrams(address);
    expect(datagrams.send("x")).toBe("ENOENT");
    {
      await using _deaf = new NotifySocket(address, { reading: false });
      let outcome = "sent";
      for (let sent = 0; outcome === "sent" && sent < 10_000; sent++) outcome = datagrams.send("x");
      expect(outcome).toBe("full");
    }
    expect(datagrams.send("x")).toBe("ECONNREFUSED");
    datagrams.close();
  });
});

describe("the question to ourselves", () => {
  const path = () => `${directory.path}/api.sock`;
  const serve = async (onConnection: (socket: net.Socket) => void) => {
    const server = net.createServer(onConnection);
    await new Promise<void>((resolve) => server.listen(path(), resolve));
    return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
  };

  it("is answered by any answer, also by a full server that closes the connection", async () => {
    {
      await using _server = await serve((socket) => socket.once("data", () => socket.end("HTTP/1.1 503 x\r\n\r\n")));
      expect(await askOurselves(path(), 5_000, clock)).toBe("answered");
    }
    await using _server = await serve((socket) => socket.destroy());
    expect(await askOurselves(path(), 5_000, clock)).toBe("answered");
  });

  it("is silence when the loop behind the socket stands still", async () => {
    const code = `require("net").createServer().listen(${JSON.stringify(path())}, () => process.stdout.write("up"))`;
    const stopped = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => stopped.stdout.once("data", resolve));
    stopped.kill("SIGSTOP");
    expect(await askOurselves(path(), 200, clock)).toBe("silent");
    const gone = new Promise((resolve) => stopped.once("exit", resolve));
    stopped.kill("SIGKILL");
    await gone;
    expect(await askOurselves(path(), 200, clock)).toBe("refused");
  });

  it("says nothing about the loop when the file is not there", async () => {
    expect(await askOurselves(path(), 200, clock)).toBe("unknown");
  });
});

describe("the notifier", () => {
  const start = (address: string, parts: Partial<NotifierParts> = {}) =>
    startNotifier({
      place: { address, watchdogMs: 1_000 },
      credentials: new FakeCredentialService(),
      live: () => true,
      apiSocket: () => undefined,
      monotonicUs: () => 123_456n,
      language: "en",
      log: silentLog,
      clock,
      ...parts,
    });

  it("says READY first and only once, then the status at each change, at last STOPPING and nothing more", async () => {
    const address = `${directory.path}/notify`;
    await using manager = new NotifySocket(address);
    const credentials = new FakeCredentialService();
    const notifier = await start(address, { credentials });
    credentials.become(makeView({ state: "due" }));
    credentials.become(makeView({ state: "due" }));
    await manager.until("two beats", () => manager.values("WATCHDOG").length >= 2);
    await notifier.stop();
    expect(credentials.listeners.size).toBe(0);
    await manager.until("the end", () => manager.values("STOPPING").length === 1);
    const heard = manager.notices.length;
    await delay(600);
    expect(manager.notices.length).toBe(heard);
    expect(manager.texts[0]).toBe("READY=1\nSTATUS=fresh, generation 7, 59 min left");
    expect(manager.values("READY")).toEqual(["1"]);
    expect(manager.values("STATUS")).toEqual([
      "fresh, generation 7, 59 min left",
      "due: still good, being renewed, generation 7, 59 min left",
    ]);
    expect(manager.texts.at(-1)).toBe("STOPPING=1");
  });

  it("does not feed the watchdog while the scheduler stands, and does again when it turns", async () => {
    const address = `${directory.path}/notify`;
    await using manager = new NotifySocket(address);
    let turns = false;
    const notifier = await start(address, { live: () => turns });
    await delay(800);
    expect(manager.values("WATCHDOG")).toEqual([]);
    turns = true;
    await manager.until("a beat", () => manager.values("WATCHDOG").length > 0);
    await notifier.stop();
  });

  it("does not feed the watchdog while our own server is silent or gone, but when the question cannot be put", async () => {
    const path = `${directory.path}/api.sock`;
    const server = net.createServer((socket) => socket.pause());
    const beats = async (address: string) => {
      await using manager = new NotifySocket(address);
      const notifier = await start(address, { apiSocket: () => path });
      await delay(800);
      await notifier.stop();
      return manager.values("WATCHDOG").length;
    };
    expect(await beats(`${directory.path}/no-file`)).toBeGreaterThan(0);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    expect(await beats(`${directory.path}/silent`)).toBe(0);
    server.close();
  });

  it("says nothing after STOPPING, though an answer to its own question comes in later", async () => {
    const path = `${directory.path}/api.sock`;
    const questions: net.Socket[] = [];
    const server = net.createServer((socket) => questions.push(socket));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const address = `${directory.path}/notify`;
    await using manager = new NotifySocket(address);
    const told: string[] = [];
    const log = { ...silentLog, warn: (code: string) => told.push(code) };
    const notifier = await start(address, { apiSocket: () => path, log });
    await manager.until("a question", () => questions.length > 0);
    await notifier.stop();
    for (const socket of questions) socket.end("HTTP/1.1 200 OK\r\n\r\n");
    await delay(100);
    expect(manager.texts.at(-1)).toBe("STOPPING=1");
    // Nor is anything sent on a descriptor that may be somebody else's by now.
    expect(told).toEqual([]);
    server.close();
  });

  it("tells a reload with its instant, and READY after it, also when it fails", async () => {
    const address = `${directory.path}/notify`;
    await using manager = new NotifySocket(address);
    const notifier = await start(address);
    await notifier.during(() => delay(20));
    await expect(notifier.during(() => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
    await notifier.stop();
    await manager.until("the end", () => manager.values("STOPPING").length === 1);
    const order = manager.texts.filter((text) => !text.startsWith("WATCHDOG"));
    expect(order.slice(1)).toEqual([
      "RELOADING=1\nMONOTONIC_USEC=123456",
      "READY=1",
      "RELOADING=1\nMONOTONIC_USEC=123456",
      "READY=1",
      "STOPPING=1",
    ]);
  });

  it("keeps READY for a manager whose queue is full", async () => {
    const address = `${directory.path}/notify`;
    await using manager = new NotifySocket(address, { reading: false });
    const flood = await openDatagrams(address);
    while (flood.send("x") === "sent");
    flood.close();
    const notifier = await start(address);
    await delay(200);
    manager.read();
    await manager.until("READY", () => manager.values("READY").length === 1);
    await notifier.stop();
  });

  it("costs nothing but a line in the log when nobody hears it", async () => {
    const told: string[] = [];
    const log = { ...silentLog, warn: (code: string) => told.push(code) };
    const notifier = await start(`${directory.path}/nobody`, { log });
    await notifier.stop();
    expect(new Set(told)).toEqual(new Set(["NOTIFY_FAILED"]));
  });
});

describe.concurrent("the agent", () => {
  it("is ready and feeds the watchdog with neither bridge nor WeChat Pay, and tells reload and end", async () => {
    await using rig = await openRig({ unplugged: true, payDown: true });
    const address = rig.within("notify");
    await using manager = new NotifySocket(address);
    rig.start({ env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "2000000" } });
    await manager.until("READY", () => manager.values("READY").length === 1);
    expect((await rig.get()).status).toBe(503);
    await manager.until("three beats", () => manager.values("WATCHDOG").length >= 3);
    expect(manager.values("STATUS")[0]).toMatch(/^尚未获取.* \/ absent/);

    rig.agent.kill("SIGHUP");
    await manager.until("ready again", () => manager.values("READY").length === 2);
    const [instant] = manager.values("MONOTONIC_USEC");
    expect(Math.abs(Number(process.hrtime.bigint() / 1_000n) - Number(instant))).toBeLessThan(10_000_000);
    expect((await rig.stop()).code).toBe(0);
    expect(manager.values("STOPPING")).toEqual(["1"]);
  });

  it("is silent towards the watchdog when it hangs", async () => {
    await using rig = await openRig({ unplugged: true, payDown: true });
    const address = rig.within("notify");
    await using manager = new NotifySocket(address);
    rig.start({ env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "1000000" } });
    await manager.until("a beat", () => manager.values("WATCHDOG").length > 0);
    rig.agent.kill("SIGSTOP");
    await delay(100);
    const heard = manager.notices.length;
    await delay(1_000);
    expect(manager.notices.length).toBe(heard);
    rig.agent.kill("SIGCONT");
    await manager.until("a beat after it", () => manager.notices.length > heard);
  });

  it("loads nothing for it when nobody has asked", async () => {
    await using rig = await openRig({ unplugged: true, payDown: true });
    rig.start();
    await rig.firstAnswer();
    await delay(300);
    expect(rig.agent.mapped().filter((file) => file.includes("koffi"))).toEqual([]);
  });
});
