import http, { type IncomingMessage } from "node:http";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCashierServer } from "../../../agent/api/cashier-api.ts";
import { type OpenSocket, openSocket } from "../../../agent/api/sockets.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { faultsOfEvent } from "../../support/checks/api-description.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { quantile } from "../../support/fakes/steady-reader.ts";
import {
  ask,
  FakeCredentialService,
  identity,
  makeCredential,
  makeView,
  temporaryDirectory,
  until,
} from "../../support/fixtures/api-fixture.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let socket: string;
let open: OpenSocket;
let credentials: FakeCredentialService;
let clock: FakeClock;
let denied: string[];
let closed: Promise<void> | undefined;

beforeEach(async () => {
  directory = await temporaryDirectory();
  socket = `${directory.path}/api.sock`;
  credentials = new FakeCredentialService();
  clock = new FakeClock();
  denied = [];
  closed = undefined;
  const server = createCashierServer({
    credentials,
    identity: () => identity,
    driver: () => undefined,
    live: () => true,
    served: () => {},
    denied: (reason) => denied.push(reason),
    supportCode: () => "1YPB-2M43-GN84",
    clock,
    log: silentLog,
  });
  open = await openSocket(server, { path: socket, mode: 0o660 });
});

const listeners: Listener[] = [];

afterEach(async () => {
  for (const { text } of listeners.splice(0)) {
    for (const [, event = "", data = ""] of text.matchAll(/^event: (\w+)\n(?:id: \d+\n)?data: (.*)\n\n/gm)) {
      expect(faultsOfEvent(event, data)).toEqual([]);
    }
  }
  closed ??= open.close();
  await clock.advance(1_000);
  await closed;
  expect(clock.sleeping).toBe(0);
  expect(credentials.listeners.size).toBe(0);
  await directory.remove();
});

interface Listener {
  text: string;
  ended: boolean;
  readonly res: IncomingMessage;
  leave(): void;
}

function listen(target = "/v1/authinfo/events"): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const req = http.request({ socketPath: socket, path: target, agent: false }, (res) => {
      const listener: Listener = { text: "", ended: false, res, leave: () => req.destroy() };
      res.setEncoding("utf8");
      res.on("data", (chunk: string) => {
        listener.text += chunk;
      });
      res.on("error", () => res.destroy());
      res.on("close", () => {
        listener.ended = true;
      });
      listeners.push(listener);
      resolve(listener);
    });
    req.on("error", reject);
    req.end();
  });
}

const generation = (n: number) => makeView({ credential: makeCredential({ generation: n }) });

describe("GET /v1/authinfo/events", () => {
  it("tells the present state at once and every change after it", async () => {
    const listener = await listen();
    expect(listener.res.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    const document = (await ask(socket, "GET", "/v1/authinfo")).text;
    const first = `event: authinfo\nid: 7\ndata: ${document}\n\n`;
    await until(() => listener.text === first, "the first event");
    credentials.become(generation(8));
    await until(() => listener.text.includes('id: 8\ndata: {"authinfo"'), "the second event");
    credentials.become({ ...generation(8), state: "due" });
    await until(() => listener.text.includes('"state":"due"'), "the third event");
    credentials.become(makeView({ state: "expired", remainingMs: -1 }));
    await until(() => listener.text.includes("event: unavailable\ndata: {"), "the end of it");
    expect(JSON.parse(listener.text.split("event: unavailable\ndata: ")[1] ?? "")).toMatchObject({
      status: 503,
      code: "AUTHINFO_EXPIRED",
    });
    listener.leave();
  });

  it("reaches a listener within a tenth of a second, beside another who does not read", async () => {
    const deaf = net.connect(socket);
    await new Promise((resolve) => deaf.write("GET /v1/authinfo/events HTTP/1.1\r\nHost: x\r\n\r\n", resolve));
    deaf.pause();
    const listener = await listen();
    const times: number[] = [];
    for (let number = 100; number < 140; number++) {
      const heard = new Promise<void>((resolve) => {
        const look = () => {
          if (!listener.text.includes(`id: ${number}\n`)) return;
          listener.res.off("data", look);
          resolve();
        };
        listener.res.on("data", look);
      });
      const before = performance.now();
      credentials.become(generation(number));
      await heard;
      times.push(performance.now() - before);
    }
    console.info(`events: p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`);
    expect(quantile(times, 0.5)).toBeLessThan(100);
    listener.leave();
    deaf.destroy();
  });

  it("tells a stale one only to who takes it", async () => {
    credentials.now = makeView({ state: "stale", remainingMs: -5 });
    const strict = await listen();
    const lenient = await listen("/v1/authinfo/events?stale=ok");
    await until(() => lenient.text.includes('"state":"stale"'), "the stale one");
    await until(() => strict.text.includes("AUTHINFO_EXPIRED"), "the problem");
    expect(strict.text).not.toContain("CANARY");
    credentials.become(makeView({ state: "stale", remainingMs: -9 }));
    await until(() => lenient.text.split("event: authinfo").length === 3, "the next stale one");
    await until(() => strict.text.split("event: unavailable").length === 3, "the next problem");
    strict.leave();
    lenient.leave();
  });

  it("sends a comment every 15 s", async () => {
    const others = clock.sleeping;
    const listener = await listen();
    await until(() => clock.sleeping === others + 1, "the watch");
    await clock.advance(14_999);
    expect(listener.text).not.toContain("\n:");
    await clock.advance(1);
    await until(() => listener.text.endsWith("\n\n:\n\n"), "the first comment");
    await clock.advance(15_000);
    await until(() => listener.text.endsWith("\n\n:\n\n:\n\n"), "the second comment");
    listener.leave();
  });

  it("takes sixteen, and another when one has left", async () => {
    const listeners = await Promise.all(Array.from({ length: 16 }, () => listen()));
    expect(await ask(socket, "GET", "/v1/authinfo/events")).toMatchObject({
      status: 503,
      body: { code: "TOO_MANY_SUBSCRIBERS" },
    });
    expect((await ask(socket, "GET", "/v1/authinfo")).status).toBe(200);
    listeners[0]?.leave();
    await until(async () => {
      const next = await listen();
      const taken = next.res.statusCode === 200;
      if (taken) listeners.push(next);
      else next.leave();
      return taken;
    }, "a free place");
    credentials.become(generation(9));
    for (const listener of listeners.slice(1)) await until(() => listener.text.includes("id: 9"), "everybody's event");
    for (const listener of listeners) listener.leave();
  });

  it("drops a listener that does not listen, and delays nobody for it", async () => {
    const deaf = net.connect(socket);
    deaf.on("error", () => deaf.destroy());
    deaf.pause();
    deaf.write("GET /v1/authinfo/events HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => credentials.listeners.size === 1, "the deaf one");
    const listener = await listen();
    const long = "x".repeat(8_000);
    for (let n = 1; !denied.includes("slow_subscriber"); n++) {
      expect(n).toBeLessThan(500);
      credentials.become(makeView({ credential: makeCredential({ generation: n, authinfo: long }) }));
      await until(() => listener.text.includes(`id: ${n}\n`), "the event of who listens");
    }
    credentials.become(generation(777));
    await until(() => listener.text.includes("id: 777\n"), "a later event");
    expect(listener.ended).toBe(false);
    deaf.destroy();
    listener.leave();
  });

  it("drops a listener that has been stuck for 30 s", async () => {
    const deaf = net.connect(socket);
    deaf.on("error", () => deaf.destroy());
    deaf.pause();
    deaf.write("GET /v1/authinfo/events HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => credentials.listeners.size === 1, "the deaf one");
    // More than the kernel takes (some 200 KB), less than 64 KB above it.
    const text = "x".repeat(8_000);
    for (let n = 1; n * text.length < 245_000; n++) {
      credentials.become(makeView({ credential: makeCredential({ generation: n, authinfo: text }) }));
      await clock.settle();
    }
    expect(denied).toEqual([]);
    await clock.advance(34_999);
    expect(denied).toEqual([]);
    await clock.advance(1);
    expect(denied).toEqual(["slow_subscriber"]);
    await until(() => credentials.listeners.size === 0, "nobody left");
    deaf.destroy();
  });

  it("ends every stream when the agent stops", async () => {
    const listener = await listen();
    await until(() => listener.text !== "", "the first event");
    closed = open.close();
    await until(() => listener.ended, "the end");
    expect(listener.res.complete).toBe(true);
  });
});
