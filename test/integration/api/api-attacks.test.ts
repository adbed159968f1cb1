import net from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCashierServer } from "../../../agent/api/cashier-api.ts";
import type { ApiLimits, ApiServer } from "../../../agent/api/http/server.ts";
import { type OpenSocket, openSocket } from "../../../agent/api/sockets.ts";
import { systemClock } from "../../../agent/common/clock.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { quantile } from "../../support/fakes/steady-reader.ts";
import {
  ask,
  askRaw,
  FakeCredentialService,
  identity,
  statusOf,
  temporaryDirectory,
  until,
} from "../../support/fixtures/api-fixture.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let socket: string;
let open: OpenSocket;
let denied: string[];
let calls: number;
/** Calls that have been told that their caller has left. */
let left: number;
let served: number;
let server: ApiServer;
let answer: Promise<unknown>;

async function start(limits: Partial<ApiLimits> = {}): Promise<void> {
  served = 0;
  server = createCashierServer({
    credentials: new FakeCredentialService(),
    identity: () => identity,
    driver: () => ({
      call: (_request, signal) => {
        calls++;
        signal?.addEventListener("abort", () => left++);
        return answer;
      },
    }),
    live: () => true,
    served: () => {
      served++;
    },
    denied: (reason) => denied.push(reason),
    supportCode: () => "1YPB-2M43-GN84",
    clock: systemClock(),
    log: silentLog,
    limits,
  });
  open = await openSocket(server, { path: socket, mode: 0o660 });
}

beforeEach(async () => {
  directory = await temporaryDirectory();
  socket = `${directory.path}/api.sock`;
  denied = [];
  calls = 0;
  left = 0;
  answer = Promise.resolve({ return_code: "SUCCESS" });
});

afterEach(async () => {
  await open.close();
  await directory.remove();
});

const connections = () =>
  new Promise<number>((resolve) => server.listener.getConnections((_error, count) => resolve(count)));

const headOf = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const GOOD = headOf("GET /v1/authinfo HTTP/1.1", "Host: localhost", "Connection: close");

/** Every one is refused with this status and counted under this reason, yields no authinfo and no CORS header. */
const refused: [name: string, octets: string, status: number, reason: string][] = [
  ["no Host", headOf("GET /v1/authinfo HTTP/1.1"), 400, "host"],
  ["two Hosts", headOf("GET /v1/authinfo HTTP/1.1", "Host: a", "Host: a"), 400, "host"],
  ["two Hosts, one empty", headOf("GET /v1/authinfo HTTP/1.1", "Host:", "Host: a"), 400, "host"],
  ["HTTP/1.0 without Host", headOf("GET /v1/authinfo HTTP/1.0"), 400, "host"],
  [
    "a doubled Host far behind",
    headOf("GET /v1/authinfo HTTP/1.1", "Host: a", ...Array.from({ length: 1_900 }, () => "a:"), "Host: b"),
    400,
    "host",
  ],
  ["an absolute target", headOf("GET http://evil/v1/authinfo HTTP/1.1", "Host: localhost"), 400, "target"],
  ["a network-path target", headOf("GET //v1/authinfo HTTP/1.1", "Host: localhost"), 400, "target"],
  ["CONNECT", headOf("CONNECT localhost:80 HTTP/1.1", "Host: localhost"), 405, "method"],
  ["TRACE", headOf("TRACE /v1/authinfo HTTP/1.1", "Host: localhost", "Connection: close"), 405, "method"],
  ["a method nobody knows", headOf("FOO /v1/authinfo HTTP/1.1", "Host: localhost"), 405, "method"],
  [
    "a preflight",
    headOf(
      "OPTIONS /v1/authinfo HTTP/1.1",
      "Host: localhost",
      "Connection: close",
      "Access-Control-Request-Method: POST",
      "Access-Control-Request-Private-Network: true",
    ),
    403,
    "preflight",
  ],
  [
    "an Origin",
    headOf("GET /v1/authinfo HTTP/1.1", "Host: localhost", "Connection: close", "Origin: http://localhost"),
    403,
    "origin",
  ],
  [
    "a preflight with Origin",
    headOf("OPTIONS /v1/authinfo HTTP/1.1", "Host: localhost", "Connection: close", "Origin: https://evil"),
    403,
    "origin",
  ],
  [
    "a Referer",
    headOf("GET /v1/authinfo HTTP/1.1", "Host: localhost", "Connection: close", "Referer: https://evil/"),
    403,
    "referer",
  ],
  [
    "an image",
    headOf("GET /v1/authinfo HTTP/1.1", "Host: localhost", "Connection: close", "Sec-Fetch-Dest: image"),
    403,
    "sec_fetch",
  ],
  [
    "a page's WebSocket",
    headOf(
      "GET /v1/authinfo HTTP/1.1",
      "Host: localhost",
      "Connection: Upgrade, close",
      "Upgrade: websocket",
      "Origin: https://evil",
      "Sec-WebSocket-Version: 13",
    ),
    403,
    "origin",
  ],
  [
    "a page's fetch",
    headOf(
      "GET /v1/authinfo HTTP/1.1",
      "Host: localhost",
      "Connection: close",
      "Sec-Fetch-Mode: no-cors",
      "Sec-Fetch-Site: cross-site",
    ),
    403,
    "sec_fetch",
  ],
  ["HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed"],
  ["a TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001", 400, "malformed"],
  [
    "an expectation",
    headOf("POST /v1/sdk/call HTTP/1.1", "Host: localhost", "Connection: close", "Expect: magic"),
    417,
    "expect",
  ],
  [
    "a form",
    `${headOf("POST /v1/sdk/call HTTP/1.1", "Host: localhost", "Content-Type: text/plain", "Content-Length: 11")}{"cmd":"x"}\n`,
    415,
    "content_type",
  ],
  [
    "a multipart form",
    `${headOf("POST /v1/sdk/call HTTP/1.1", "Host: localhost", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 3")}--x`,
    415,
    "content_type",
  ],
  [
    "a body of a GET",
    `${headOf("GET /v1/authinfo HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 2")}{}`,
    400,
    "body_unexpected",
  ],
  [
    "length and chunks",
    `${headOf("POST /v1/sdk/call HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 5", "Transfer-Encoding: chunked")}0\r\n\r\n`,
    400,
    "malformed",
  ],
  [
    "two lengths",
    `${headOf("POST /v1/sdk/call HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 5", "Content-Length: 6")}{"a":1}`,
    400,
    "malformed",
  ],
  [
    "an unknown coding",
    headOf(
      "POST /v1/sdk/call HTTP/1.1",
      "Host: localhost",
      "Content-Type: application/json",
      "Transfer-Encoding: xchunked",
    ),
    400,
    "malformed",
  ],
  ["bare line feeds", "GET /v1/authinfo HTTP/1.1\nHost: localhost\n\n", 400, "malformed"],
  [
    "a folded header",
    headOf("GET /v1/authinfo HTTP/1.1", "Host: localhost", "X: a", " b", "Host : c"),
    400,
    "malformed",
  ],
  [
    "a header of 1 MB",
    headOf("GET /v1/authinfo HTTP/1.1", "Host: localhost", `X: ${"x".repeat(1_000_000)}`),
    431,
    "headers_too_large",
  ],
  [
    "10,000 headers",
    headOf("GET /v1/authinfo HTTP/1.1", "Host: localhost", ...Array.from({ length: 10_000 }, (_, i) => `x${i}: y`)),
    431,
    "headers_too_large",
  ],
  [
    "a target of 9 KB",
    headOf(`GET /v1/authinfo?${"x".repeat(9_000)} HTTP/1.1`, "Host: localhost"),
    431,
    "headers_too_large",
  ],
];

describe("refused and counted:", () => {
  beforeEach(() => start());

  it.each(refused)("%s", async (_name, octets, status, reason) => {
    const raw = await askRaw(socket, octets);
    expect(statusOf(raw), raw.slice(0, 300)).toBe(status);
    expect(raw).toContain("application/problem+json");
    expect(raw).toMatch(/^Cache-Control: no-store\r$/im);
    expect(raw).not.toContain("CANARY");
    expect(raw).not.toMatch(/access-control/i);
    expect(denied).toEqual([reason]);
    expect(calls).toBe(0);
    expect(statusOf(await askRaw(socket, GOOD))).toBe(200);
  });
});

describe("a body", () => {
  beforeEach(() => start());
  const head = (...more: string[]) =>
    headOf("POST /v1/sdk/call HTTP/1.1", "Host: x", "Content-Type: application/json", ...more);

  it("of 16 KiB is taken, of one octet more refused", async () => {
    const sized = (size: number) => `{"cmd":"${"x".repeat(size - 10)}"}`;
    expect((await ask(socket, "POST", "/v1/sdk/call", { body: sized(16_384) })).status).toBe(200);
    expect(await ask(socket, "POST", "/v1/sdk/call", { body: sized(16_385) })).toMatchObject({
      status: 413,
      headers: { connection: "close" },
      body: { code: "BODY_TOO_LARGE" },
    });
    expect(denied).toEqual(["body_too_large"]);
  });

  it("of 100 MB is refused before it has come, and the connection closed", async () => {
    const answer = await ask(socket, "POST", "/v1/sdk/call", { body: Buffer.alloc(100 * 1024 * 1024, 32) });
    expect(answer.status).toBe(413);
    expect(calls).toBe(0);
  });

  it("is refused so that a sender who writes it all before reading still gets to read why", async () => {
    const client = net.connect(socket);
    const broken: Error[] = [];
    client.on("error", (error) => broken.push(error));
    client.pause();
    await new Promise((resolve) => client.write(head("Content-Length: 600000") + " ".repeat(600_000), resolve));
    let text = "";
    client.on("data", (chunk) => {
      text += chunk;
    });
    client.resume();
    await new Promise((resolve) => client.once("close", resolve));
    expect(statusOf(text)).toBe(413);
    expect(broken).toEqual([]);
  });

  it("in chunks without end is refused at 16 KiB, and the connection closed", async () => {
    const chunk = `4000\r\n${" ".repeat(0x4000)}\r\n`;
    const raw = await askRaw(socket, head("Transfer-Encoding: chunked") + chunk + chunk);
    expect(statusOf(raw)).toBe(413);
    expect(raw).toMatch(/connection: close/i);
    expect(denied).toEqual(["body_too_large"]);
  });

  it("is announced and refused without being asked for", async () => {
    const raw = await askRaw(socket, head("Content-Length: 20000", "Expect: 100-continue"));
    expect(statusOf(raw)).toBe(413);
    expect(raw).not.toContain("100 Continue");
  });

  it("is announced and asked for", async () => {
    const raw = await askRaw(
      socket,
      `${head("Content-Length: 11", "Expect: 100-continue", "Connection: close")}{"cmd":"x"}`,
    );
    expect(raw).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  });

  it.each([
    ['{"__proto__":{"polluted":1},"cmd":"x"}'],
    ['{"cmd":"x","a":{"constructor":{"prototype":{"polluted":1}}}}'],
    [`{"cmd":"x","a":${"[".repeat(7_000)}${"]".repeat(7_000)}}`],
    ['{"cmd":"x","cmd":"y"}'],
    ['{"cmd":"x","a":1e400}'],
    ['{"cmd":"\\ud800"}'],
    ['["cmd"]'],
    ["null"],
    ["{"],
  ])("that means mischief is refused: %.60s", async (body) => {
    const answer = await ask(socket, "POST", "/v1/sdk/call", { body });
    expect(answer).toMatchObject({ status: 400, body: { code: "BODY_INVALID" } });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(calls).toBe(0);
    expect(denied).toEqual(["body_invalid"]);
  });
});

describe("time and room", () => {
  it("ends a slowloris, and a connection that never says anything, with 408", async () => {
    await start({ headersTimeoutMs: 600, requestTimeoutMs: 1_200 });
    const silent = askRaw(socket, "");
    const slow = net.connect(socket);
    let heard = "";
    slow.on("data", (chunk) => {
      heard += chunk;
    });
    slow.on("error", () => slow.destroy());
    const drip = setInterval(() => slow.write("X"), 100);
    slow.write("GET /v1/authinfo HTTP/1.1\r\n");
    await until(() => slow.destroyed || slow.readableEnded, "the slow one is cut");
    clearInterval(drip);
    expect(statusOf(heard)).toBe(408);
    expect(statusOf(await silent)).toBe(408);
    expect(denied).toEqual(["request_timeout", "request_timeout"]);
  });

  it("ends a body that does not come with 408", async () => {
    await start({ headersTimeoutMs: 600, requestTimeoutMs: 1_200 });
    const raw = await askRaw(
      socket,
      `${headOf("POST /v1/sdk/call HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 50")}{"cmd"`,
    );
    expect(statusOf(raw)).toBe(408);
    expect(calls).toBe(0);
  });

  it("closes a connection that lies idle", async () => {
    await start({ keepAliveMs: 200 });
    const raw = await askRaw(socket, headOf("GET /livez HTTP/1.1", "Host: x"));
    expect(statusOf(raw)).toBe(200);
    expect(denied).toEqual([]);
  });

  it("keeps a place for a fresh reader among 200 slow ones", async () => {
    await start({ connections: 64 });
    const crowd = Array.from({ length: 200 }, () => {
      const slow = net.connect(socket);
      slow.on("error", () => slow.destroy());
      slow.write("GET /v1/authinfo HTTP/1.1\r\nX");
      return slow;
    });
    await until(() => denied.filter((reason) => reason === "crowded").length >= 136, "the crowd is thinned");
    const times: number[] = [];
    for (let i = 0; i < 100; i++) {
      const before = performance.now();
      expect((await ask(socket, "GET", "/v1/authinfo")).status).toBe(200);
      times.push(performance.now() - before);
    }
    for (const slow of crowd) slow.destroy();
    console.info(`among 200 slow readers: p99 ${quantile(times, 0.99).toFixed(1)} ms`);
  });

  it("keeps a place for a fresh reader among 64 idle ones", async () => {
    await start({ connections: 64 });
    const idle = await Promise.all(
      Array.from(
        { length: 64 },
        () =>
          new Promise<net.Socket>((resolve) => {
            const client = net.connect(socket);
            client.on("error", () => client.destroy());
            client.once("data", () => resolve(client));
            client.once("close", () => resolve(client));
            client.write(headOf("GET /livez HTTP/1.1", "Host: x"));
          }),
      ),
    );
    expect((await ask(socket, "GET", "/v1/authinfo")).status).toBe(200);
    for (const client of idle) client.destroy();
  });

  it("never cuts off a reader at work to make room", async () => {
    await start({ connections: 64 });
    const working = Promise.withResolvers<unknown>();
    answer = working.promise;
    const call = ask(socket, "POST", "/v1/sdk/call", { body: { cmd: "x" } });
    const stream = net.connect(socket);
    let events = "";
    stream.on("data", (chunk) => {
      events += chunk;
    });
    stream.write(headOf("GET /v1/authinfo/events HTTP/1.1", "Host: x"));
    await until(() => calls === 1 && events.includes("event: authinfo"), "both at work");
    const crowd = Array.from({ length: 200 }, () => {
      const idle = net.connect(socket);
      idle.on("error", () => idle.destroy());
      idle.write(headOf("GET /livez HTTP/1.1", "Host: x"));
      return idle;
    });
    await until(() => denied.filter((reason) => reason === "crowded").length >= 137, "the crowd is thinned");
    working.resolve({ return_code: "SUCCESS" });
    expect((await call).status).toBe(200);
    expect(stream.closed).toBe(false);
    stream.destroy();
    for (const idle of crowd) idle.destroy();
  });

  const LIVEZ = headOf("GET /livez HTTP/1.1", "Host: x");

  it("takes ten thousand requests on a connection", async () => {
    await start({ keepAliveMs: 60_000 });
    const client = net.connect(socket);
    let answers = 0;
    let last = "";
    client.setEncoding("latin1").on("data", (text: string) => {
      const before = answers;
      answers += text.match(/HTTP\/1\.1 200 /g)?.length ?? 0;
      last = text;
      const isNext = Math.floor(answers / 4) > Math.floor(before / 4) && answers < 10_000;
      if (isNext) client.write(LIVEZ.repeat(4));
    });
    client.write(LIVEZ.repeat(4));
    await new Promise((resolve) => client.once("close", resolve));
    expect(answers).toBe(10_000);
    expect(last).toMatch(/connection: close/i);
    expect((await ask(socket, "GET", "/livez")).status).toBe(200);
  });

  it("answers a pipeline in order until four answers are unsent, refuses the next one and drops the rest", async () => {
    await start();
    const raw = await askRaw(socket, headOf("GET /v1/authinfo HTTP/1.1", "Host: x").repeat(20_000));
    expect([...raw.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      ...Array(4).fill("200"),
      "429",
    ]);
    expect(raw).toContain("PIPELINE_TOO_LONG");
    expect(raw).toMatch(/connection: close/i);
    expect([served, denied]).toEqual([4, ["pipeline"]]);
  });

  it("answers the calls of such a pipeline that are under way, and does not begin any other", async () => {
    await start();
    const working = Promise.withResolvers<unknown>();
    answer = working.promise;
    const body = '{"cmd":"x"}';
    const call = `${headOf("POST /v1/sdk/call HTTP/1.1", "Host: x", "Content-Type: application/json", `Content-Length: ${body.length}`)}${body}`;
    const heard = askRaw(socket, call + LIVEZ.repeat(3) + call.repeat(2_000));
    await until(() => denied.includes("pipeline"), "the rest is refused");
    expect((await ask(socket, "GET", "/livez")).status).toBe(200);
    working.resolve({ return_code: "SUCCESS" });
    const raw = await heard;
    expect([...raw.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      ...Array(4).fill("200"),
      "429",
    ]);
    expect([calls, denied]).toEqual([1, ["pipeline"]]);
  });

  it("ends the work for a pipeline whose caller leaves", async () => {
    await start();
    const call = (cmd: string) =>
      `${headOf("POST /v1/sdk/call HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 11")}{"cmd":"${cmd}"}`;
    answer = new Promise(() => undefined);
    const client = net.connect(socket);
    client.on("error", () => undefined);
    client.write(call("x").repeat(4) + LIVEZ.repeat(20));
    await until(() => calls === 4 && denied.includes("pipeline"), "four calls are at work");
    client.destroy();
    await until(() => left === 4, "all have been told");
  });

  it("is not taken by refused POSTs whose body never comes", async () => {
    await start();
    const head = headOf("POST /nowhere HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 9");
    const clients: net.Socket[] = [];
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 60; i++) {
        const client = net.connect({ path: socket, allowHalfOpen: true });
        client.resume().on("error", () => client.destroy());
        client.write(head);
        clients.push(client);
      }
      expect((await ask(socket, "GET", "/v1/authinfo")).status).toBe(200);
    }
    await until(() => denied.filter((reason) => reason === "not_found").length === 600, "all are refused");
    // Only a few are waited for.
    expect(await connections()).toBeLessThanOrEqual(8);
    for (const client of clients) client.destroy();
  });

  it("is not taken by pipelines whose answers are never read", async () => {
    await start();
    const post = `${headOf("POST /nowhere HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 2")}{}`;
    const pieces = [post.repeat(1_000), headOf("GET /v1/authinfo HTTP/1.1", "Host: x").repeat(3_000)];
    const clients = Array.from({ length: 200 }, (_, i) => {
      const client = net.connect(socket);
      client.pause().on("error", () => client.destroy());
      client.write(pieces[i % 2] ?? "");
      return client;
    });
    const refused = (reason: string) => denied.filter((one) => one === reason).length;
    await until(() => refused("pipeline") === 100 && refused("not_found") === 100, "all are refused");
    expect((await ask(socket, "GET", "/v1/authinfo")).status).toBe(200);
    await until(async () => (await connections()) <= 8, "no more than the few that are waited for are left");
    expect(served).toBe(401);
    for (const client of clients) client.destroy();
  });

  it("answers garbage behind a good request without mixing the two", async () => {
    await start();
    const raw = await askRaw(socket, `${headOf("GET /livez HTTP/1.1", "Host: x")}\u0000\u0001garbage\r\n\r\n`);
    expect(denied).toEqual(["malformed"]);
    expect([...raw.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(["200", "400"]);
  });
});
