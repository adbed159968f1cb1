import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCashierServer } from "../../../agent/api/cashier-api.ts";
import { type OpenSocket, openSocket } from "../../../agent/api/sockets.ts";
import { systemClock } from "../../../agent/common/clock.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { AuthinfoView } from "../../../agent/credential/credential-types.ts";
import { startChild } from "../../support/children/child.ts";
import { type ClientLibrary, clientLibraries, DrivenClient, workshop } from "../../support/clients/conformance.ts";
import {
  absentView,
  FakeCredentialService,
  identity,
  makeCredential,
  makeView,
  temporaryDirectory,
} from "../../support/fixtures/api-fixture.ts";

/** Long enough for any machine; only a test of the time-out itself waits for it to pass. */
const PATIENT_MS = 60_000;
const HASTY_MS = 300;

const STARTING = "刷脸支付准备中，请稍候或扫码支付|Face payment is starting. Please wait or pay by QR code.";
const NETWORK = "网络异常，暂不能刷脸，请扫码支付|Network problem: no face payment now. Please pay by QR code.";
const EXPIRED = "暂时不能刷脸支付，请扫码支付|No face payment at the moment. Please pay by QR code.";
const DEVICE = "刷脸设备异常，请扫码支付|The face camera does not respond. Please pay by QR code.";
const SETUP = "本机尚未开通刷脸支付，请扫码支付|Face payment is not set up here. Please pay by QR code.";
const UNAVAILABLE = "刷脸支付暂不可用，请扫码支付|Face payment is unavailable. Please pay by QR code.";
const UNREACHABLE = `AGENT_UNREACHABLE - ${UNAVAILABLE}`;

const failing = (code: string) => ({ cause: { code, sinceWallMs: Date.UTC(2026, 0, 2), params: {} } });
const generation = (number: number) => makeView({ credential: makeCredential({ generation: number }) });
const expired = (more: Partial<AuthinfoView> = {}) => makeView({ state: "expired", remainingMs: -4000, ...more });

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let socket: string;
let credentials: FakeCredentialService;
let denied: string[];
const opened: OpenSocket[] = [];

async function startAgent(): Promise<OpenSocket> {
  const server = createCashierServer({
    credentials,
    identity: () => identity,
    driver: () => undefined,
    live: () => true,
    served: () => {},
    denied: (reason) => denied.push(reason),
    supportCode: () => "1YPB-2M43-GN84",
    clock: systemClock(),
    log: silentLog,
  });
  const open = await openSocket(server, { path: socket, mode: 0o660 });
  opened.push(open);
  return open;
}

beforeEach(async () => {
  directory = await temporaryDirectory();
  socket = `${directory.path}/api.sock`;
  credentials = new FakeCredentialService();
  denied = [];
});

afterEach(async () => {
  for (const open of opened.splice(0)) await open.close();
  await directory.remove();
});

/** Something else in the agent's place, which says octets that no agent says and then behaves badly. */
async function startOther(
  text: string | Buffer,
  then: "close" | "reset" | "silence" | "dribble",
): Promise<AsyncDisposable> {
  const clients = new Set<net.Socket>();
  const server = net.createServer((client) => {
    clients.add(client.on("error", () => {}));
    client.once("data", () => {
      if (then === "dribble") {
        for (const octet of Buffer.from(text)) client.write(Buffer.from([octet]));
        client.end();
      } else if (then === "close") client.end(text);
      else client.write(text, () => then === "reset" && client.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const answer = (body: string, status = "200 OK", length = Buffer.byteLength(body)) =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
const stream = (events: string) => `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${events}`;
const DOCUMENT =
  '{"authinfo":"a\\"}{b\\\\","state":"fresh","generation":3,"remaining_s":9,"more":{"generation":8,"x":["}"]}}';
const PROBLEM = '{"title_zh":"过期 \\u8fc7 }\\"","code":"AUTHINFO_EXPIRED","cause":{"detail":"{\\"","code":"PAY_DNS"}}';

const NO_ANSWERS = [
  ["nothing, and closes", "", "close"],
  ["half a head", "HTTP/1.1 200 OK\r\nContent-Ty", "close"],
  ["half a body", answer('{"authinfo":"abc","state":"fresh","generation":1', "200 OK", 900), "close"],
  ["half a body, and resets", answer('{"authinfo":"abc"', "200 OK", 900), "reset"],
  ["JSON that is cut off", answer('{"authinfo":"abc","state":"fresh","generation":1'), "close"],
  ["a web page", answer("<html></html>"), "close"],
  ["an empty object", answer("{}"), "close"],
  ["no HTTP", "\u0000\u0001hello\r\n\r\n", "close"],
  ["more than any answer", answer(`{"authinfo":"${"a".repeat(200_000)}"}`), "close"],
] as const;

const commands = new Map<string, Promise<readonly [string, ...string[]]>>();
const shops: string[] = [];
afterAll(() => Promise.all(shops.map((shop) => rm(shop, { recursive: true, force: true }))));

async function command(library: ClientLibrary): Promise<readonly [string, ...string[]]> {
  const shop = await workshop();
  shops.push(shop);
  return await library.build(shop);
}

/** Undefined where the language is not at hand. */
async function start(library: ClientLibrary, timeoutMs = PATIENT_MS): Promise<DrivenClient> {
  const built = commands.get(library.name) ?? command(library);
  commands.set(library.name, built);
  return new DrivenClient(await built, socket, timeoutMs);
}

describe.each(clientLibraries)("the client for $name", (library) => {
  beforeEach(({ skip }) => {
    const reason = library.missing();
    if (reason !== undefined) skip(reason);
  });

  it("has at most 200 lines", () => {
    const file = path.resolve(import.meta.dirname, "../../../docs/clients", library.file);
    expect(readFileSync(file, "utf8").split("\n").length - 1).toBeLessThanOrEqual(200);
  });

  it("reads every kind of answer", async () => {
    await startAgent();
    await using client = await start(library);
    const seen = async (view: AuthinfoView) => {
      credentials.become(view);
      return await client.ask("read");
    };
    expect(await seen(makeView())).toBe("read ok fresh 7 -");
    expect(await seen(makeView({ state: "due" }))).toBe("read ok due 7 -");
    expect(await seen(makeView({ state: "due", ...failing("PAY_DNS") }))).toBe("read ok due 7 PAY_DNS");
    expect(await seen(makeView({ state: "rejected" }))).toBe("read ok rejected 7 -");
    const strange = makeView({ credential: makeCredential({ authinfo: '"\\{}[],:"authinfo":"' }) });
    expect(await seen(strange)).toBe("read ok fresh 7 -");

    expect(await seen(absentView)).toBe(`read AUTHINFO_ABSENT - ${STARTING}`);
    const problems = [
      ["BRIDGE_NOT_FOUND", DEVICE],
      ["SDK_HUNG", DEVICE],
      ["DEVICE_ID_MISSING", DEVICE],
      ["PAY_CONNECT_REFUSED", NETWORK],
      ["PAY_TLS_EXPIRED", NETWORK],
      ["PAY_FORBIDDEN", UNAVAILABLE],
    ] as const;
    for (const [code, text] of problems) {
      expect(await seen({ ...absentView, ...failing(code) })).toBe(`read AUTHINFO_ABSENT ${code} ${text}`);
      expect(await seen(expired(failing(code)))).toBe(`read AUTHINFO_EXPIRED ${code} ${text}`);
    }
    expect(await seen({ ...absentView, ...failing("CLOCK_WRONG") })).toBe(
      `read AUTHINFO_ABSENT CLOCK_WRONG ${STARTING}`,
    );
    expect(await seen(expired())).toBe(`read AUTHINFO_EXPIRED - ${EXPIRED}`);
    expect(await seen({ ...absentView, state: "unprovisioned" })).toBe(`read UNPROVISIONED - ${SETUP}`);
    expect(denied).toEqual([]);
  });

  it("reports a rejection and tells what became of it", async () => {
    await startAgent();
    await using client = await start(library);
    for (const verdict of ["renewing", "outdated", "limited"] as const) {
      credentials.verdict = verdict;
      expect(await client.ask("reject 7")).toBe(`reject ${verdict}`);
    }
    expect(credentials.rejections[0]).toMatchObject({ generation: 7, returnCode: "PARAM_ERROR" });
    expect(await client.ask("reject 0")).toBe("reject BODY_INVALID");
    credentials.become({ ...absentView, state: "unprovisioned" });
    expect(await client.ask("reject 7")).toBe("reject UNPROVISIONED");
  });

  it("watches every change, over restarts of the agent", async () => {
    const first = await startAgent();
    await using client = await start(library);
    client.send("watch");
    expect(await client.next("watch")).toBe("watch ok fresh 7 -");
    const told = async (view: AuthinfoView) => {
      credentials.become(view);
      return await client.next("watch");
    };
    expect(await told(makeView({ state: "due", ...failing("PAY_DNS") }))).toBe("watch ok due 7 PAY_DNS");
    expect(await told(expired(failing("PAY_DNS")))).toBe(`watch AUTHINFO_EXPIRED PAY_DNS ${NETWORK}`);
    expect(await told(generation(8))).toBe("watch ok fresh 8 -");
    await first.close();
    credentials.now = generation(9);
    const second = await startAgent();
    // The restart took less than the time-out: it is no news by itself.
    expect(await client.next("watch")).toBe("watch ok fresh 9 -");
    await second.close();
    credentials.now = absentView;
    await startAgent();
    expect(await client.next("watch")).toBe(`watch AUTHINFO_ABSENT - ${STARTING}`);
    expect(denied).toEqual([]);
  });

  it("waits for a socket that appears late, and says when the agent is gone for longer than the time-out", async () => {
    await using client = await start(library, HASTY_MS);
    expect(await client.ask("read")).toBe(`read ${UNREACHABLE}`);
    expect(await client.ask("reject 7")).toBe("reject AGENT_UNREACHABLE");
    client.send("watch");
    expect(await client.next("watch")).toBe(`watch ${UNREACHABLE}`);
    const open = await startAgent();
    expect(await client.next("watch ok")).toBe("watch ok fresh 7 -");
    await open.close();
    expect(await client.next("watch AGENT")).toBe(`watch ${UNREACHABLE}`);
    await startAgent();
    expect(await client.next("watch ok")).toBe("watch ok fresh 7 -");
  });

  it("takes nothing else for an answer", async () => {
    await using client = await start(library);
    for (const [what, octets, then] of NO_ANSWERS) {
      await using _other = await startOther(octets, then);
      expect(await client.ask("read"), what).toBe(`read ${UNREACHABLE}`);
      expect(await client.ask("reject 7"), what).toBe("reject AGENT_UNREACHABLE");
    }
  });

  it("waits no longer than the time-out for an answer that does not come or does not end", async () => {
    for (const octets of ["", "HTTP/1.1 200 OK\r\n", answer('{"authinfo":"abc"', "200 OK", 900)]) {
      await using _other = await startOther(octets, "silence");
      await using client = await start(library, HASTY_MS);
      expect(await client.ask("read")).toBe(`read ${UNREACHABLE}`);
      client.send("watch");
      expect(await client.next("watch")).toBe(`watch ${UNREACHABLE}`);
    }
  });

  it("reads an answer that comes octet by octet, whatever its JSON looks like", async () => {
    {
      await using _other = await startOther(answer(DOCUMENT), "dribble");
      await using client = await start(library);
      expect(await client.ask("read")).toBe("read ok fresh 3 -");
    }
    await using _other = await startOther(answer(PROBLEM, "503 Service Unavailable"), "dribble");
    await using client = await start(library);
    expect(await client.ask("read")).toBe(`read AUTHINFO_EXPIRED PAY_DNS ${NETWORK}`);
  });

  it("hears events octet by octet, passes comments over, and half an event too", async () => {
    const events = `:\n\nevent: authinfo\nid: 3\ndata: ${DOCUMENT}\n\n:\n\nevent: unavailable\ndata: ${PROBLEM}\n\nevent: authinfo\ndata: {"authinfo":"c`;
    await using _other = await startOther(stream(events), "dribble");
    await using client = await start(library);
    client.send("watch");
    // The peer closes after half an event each time; the client comes again.
    for (let round = 0; round < 2; round++) {
      expect(await client.next("watch")).toBe("watch ok fresh 3 -");
      expect(await client.next("watch")).toBe(`watch AUTHINFO_EXPIRED PAY_DNS ${NETWORK}`);
    }
  });

  it("comes again when more are waiting than the socket takes", async () => {
    await using agent = startChild("full-socket-child.ts", [socket]);
    expect(await agent.line()).toBe("full");
    await using client = await start(library);
    client.send("read");
    // Time for the client to start and be refused. One that comes later is served all the same.
    await delay(1_000);
    agent.process.kill("SIGCONT");
    expect(await client.next("read")).toBe("read ok fresh 3 -");
  });
});
