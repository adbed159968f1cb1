import http from "node:http";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CashierDeps, createCashierServer } from "../../../agent/api/cashier-api.ts";
import { type OpenSocket, openSocket } from "../../../agent/api/sockets.ts";
import { systemClock } from "../../../agent/common/clock.ts";
import type { ErrorCode } from "../../../agent/common/errors.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { failureWith } from "../../support/checks/failures.ts";
import {
  absentView,
  ask,
  askRaw,
  FakeCredentialService,
  identity,
  makeCredential,
  makeView,
  temporaryDirectory,
  until,
} from "../../support/fixtures/api-fixture.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let credentials: FakeCredentialService;
let socket: string;
let open: OpenSocket;
let denied: string[];
let served: string[];
let live: boolean;
let call: (request: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<unknown>;
let configured: boolean;

beforeEach(async () => {
  directory = await temporaryDirectory();
  socket = `${directory.path}/api.sock`;
  credentials = new FakeCredentialService();
  denied = [];
  served = [];
  live = true;
  configured = true;
  call = async () => ({ return_code: "SUCCESS", return_msg: "" });
  const deps: CashierDeps = {
    credentials,
    identity: () => (configured ? identity : undefined),
    driver: () => (configured ? { call: (request, signal) => call(request, signal) } : undefined),
    live: () => live,
    served: (state) => served.push(state),
    denied: (reason) => denied.push(reason),
    supportCode: () => "1YPB-2M43-GN84",
    clock: systemClock(),
    log: silentLog,
  };
  open = await openSocket(createCashierServer(deps), { path: socket, mode: 0o660 });
});

afterEach(async () => {
  await open.close();
  await directory.remove();
});

const get = (target: string) => ask(socket, "GET", target);
const post = (target: string, body?: object | string) =>
  ask(socket, "POST", target, body === undefined ? {} : { body });

describe("what shows that the terminal trades", () => {
  it("is a read or a call of the SDK, and nothing else", async () => {
    const before = credentials.uses;
    await get("/v1/authinfo");
    await post("/v1/sdk/call", { cmd: "getWxpayfaceCode" });
    expect(credentials.uses).toBe(before + 2);
    await ask(socket, "HEAD", "/v1/authinfo");
    await get("/readyz");
    await post("/v1/sdk/call", { cmd: "" });
    await post("/v1/authinfo/reject", { generation: 1 });
    expect(credentials.uses).toBe(before + 2);
  });
});

describe("GET /v1/authinfo", () => {
  it("hands out a fresh authinfo", async () => {
    const answer = await get("/v1/authinfo");
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "content-length": String(answer.text.length),
    });
    expect(answer.body).toMatchObject({
      authinfo: "CANARY-AUTHINFO-0123456789",
      device_id: "DEV-1",
      state: "fresh",
      generation: 7,
      remaining_s: 3599,
    });
    expect(served).toEqual(["fresh"]);
  });

  it.each(["due", "rejected"] as const)("hands out one that is %s", async (state) => {
    credentials.now = makeView({ state });
    expect(await get("/v1/authinfo")).toMatchObject({ status: 200, body: { state } });
  });

  it("hands out a stale one only to a reader that asks for it in exactly these words", async () => {
    credentials.now = makeView({ state: "stale", remainingMs: -61_000 });
    expect(await get("/v1/authinfo")).toMatchObject({
      status: 503,
      headers: { "content-type": "application/problem+json", "retry-after": "3" },
      body: { code: "AUTHINFO_EXPIRED", expired_for_s: 61, stale_available: true },
    });
    for (const query of ["stale=OK", "stale=ok%20", "stale", "stale=", "Stale=ok", "xstale=ok", "stale%3Dok"]) {
      expect((await get(`/v1/authinfo?${query}`)).status, query).toBe(503);
    }
    for (const query of ["stale=ok", "a=b&stale=ok", "stale=ok&callback=x"]) {
      expect(await get(`/v1/authinfo?${query}`), query).toMatchObject({
        status: 200,
        body: { state: "stale", remaining_s: 0 },
      });
    }
  });

  it("hands out none that is expired, absent or unprovisioned, and says why", async () => {
    const cause = { code: "PAY_DNS", sinceWallMs: Date.UTC(2026, 0, 2), detail: "no answer" };
    credentials.now = makeView({ state: "expired", remainingMs: -1_000, cause });
    const expired = await get("/v1/authinfo?stale=ok");
    expect(expired).toMatchObject({
      status: 503,
      body: { code: "AUTHINFO_EXPIRED", cause: { code: "PAY_DNS", since: "2026-01-02T00:00:00.000Z" } },
    });
    expect(expired.text).not.toContain("CANARY");
    credentials.now = { ...absentView, cause };
    expect(await get("/v1/authinfo")).toMatchObject({ status: 503, body: { code: "AUTHINFO_ABSENT" } });
    configured = false;
    credentials.now = { ...absentView, state: "unprovisioned" };
    expect(await get("/v1/authinfo")).toMatchObject({ status: 503, body: { code: "UNPROVISIONED" } });
    expect(served).toEqual([]);
  });

  it("ignores other parameters, JSONP and what the reader would rather have", async () => {
    const answer = await ask(socket, "GET", "/v1/authinfo?callback=steal", { headers: { Accept: "text/javascript" } });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.text.startsWith("{")).toBe(true);
  });
});

describe("POST /v1/authinfo/reject", () => {
  it("passes the SDK's refusal on and says what comes of it", async () => {
    const body = { generation: 7, err_code: 268435462, return_code: "ERROR", return_msg: "x ".repeat(300) };
    expect(await post("/v1/authinfo/reject", body)).toMatchObject({
      status: 202,
      body: { result: "renewing", generation: 7 },
    });
    expect(credentials.rejections).toEqual([
      { generation: 7, errCode: 268435462, returnCode: "ERROR", returnMsg: `${"x ".repeat(127)}x…` },
    ]);
    credentials.verdict = "limited";
    expect((await post("/v1/authinfo/reject", { generation: 7, err_code: "A" })).body.result).toBe("limited");
    credentials.verdict = "outdated";
    credentials.now = absentView;
    expect(await post("/v1/authinfo/reject", { generation: 6 })).toMatchObject({
      status: 202,
      body: { result: "outdated", generation: 0 },
    });
  });

  it("does not look at the words of what is no news, however many come", async () => {
    const body = { return_msg: "x ".repeat(4_000) };
    await post("/v1/authinfo/reject", { ...body, generation: 6 });
    credentials.now = makeView({ state: "rejected" });
    await post("/v1/authinfo/reject", { ...body, generation: 7 });
    expect(credentials.rejections).toEqual([{ generation: 6 }, { generation: 7 }]);
  });

  it("keeps out of the log what the app was given: this authinfo, the one before, a rawdata of its own", async () => {
    const rawdata = "p3Kd8WxQzT6mVy2LbN9sRf4H";
    const older = "h8Yc2LtVq6ZrXw4KpM9nBs7J";
    credentials.now = makeView({ credential: makeCredential({ authinfo: older, generation: 6 }) });
    await get("/v1/authinfo");
    credentials.now = makeView();
    call = async () => ({ return_code: "SUCCESS", return_msg: "", rawdata });
    await post("/v1/sdk/call", { cmd: "getWxpayfaceRawdata" });
    call = async () => null;
    await post("/v1/sdk/call", { cmd: "other" });
    for (const secret of [older, rawdata, "CANARY-AUTHINFO-0123456789"]) {
      const words = `关于 ${secret.slice(7, 19)} 的`;
      const body = { generation: 7, err_code: words, return_code: words, return_msg: words };
      await post("/v1/authinfo/reject", body);
      const told = "关于 … 的";
      expect(credentials.rejections.at(-1)).toEqual({
        generation: 7,
        errCode: told,
        returnCode: told,
        returnMsg: told,
      });
    }
  });

  it.each([
    [{}],
    [{ generation: 0 }],
    [{ generation: -1 }],
    [{ generation: 1.5 }],
    [{ generation: "7" }],
    [{ generation: 2 ** 53 }],
    [{ generation: 7, err_code: {} }],
    [{ generation: 7, return_code: 1 }],
    [{ generation: 7, return_msg: null }],
    ["[7]"],
  ])("refuses the body %j", async (body) => {
    expect(await post("/v1/authinfo/reject", body)).toMatchObject({ status: 400, body: { code: "BODY_INVALID" } });
    expect(credentials.rejections).toEqual([]);
  });

  it("needs a body", async () => {
    expect((await post("/v1/authinfo/reject")).status).toBe(400);
  });
});

describe("POST /v1/sdk/call", () => {
  it("passes the request on unchanged and answers with the SDK's answer", async () => {
    const requests: unknown[] = [];
    call = async (request) => {
      requests.push(request);
      return { return_code: "ERROR", err_code: 1, deep: [{ 中: null }] };
    };
    const request = { cmd: "getWxpayfaceCode", version: "1", now: 1, nested: { list: [1, "2"] } };
    expect(await post("/v1/sdk/call", request)).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json" },
      body: { return_code: "ERROR", err_code: 1, deep: [{ 中: null }] },
    });
    expect(requests).toEqual([request]);
  });

  it.each([[{}], [{ cmd: "" }], [{ cmd: 1 }], [[]]])("refuses the body %j", async (body) => {
    expect(await post("/v1/sdk/call", body)).toMatchObject({ status: 400, body: { code: "BODY_INVALID" } });
  });

  it.each<[ErrorCode, number, string]>([
    ["BRIDGE_TIMEOUT", 504, "SDK_CALL_TIMEOUT"],
    ["BRIDGE_LOST", 503, "BRIDGE_UNAVAILABLE"],
    ["BRIDGE_NOT_FOUND", 503, "BRIDGE_UNAVAILABLE"],
    ["BRIDGE_NOT_READY", 503, "BRIDGE_UNAVAILABLE"],
    ["BRIDGE_CLOSED", 503, "BRIDGE_UNAVAILABLE"],
    ["BRIDGE_REFUSED_CALL", 502, "SDK_CALL_FAILED"],
    ["SDK_ANSWER_INVALID", 502, "SDK_CALL_FAILED"],
  ])("tells %s as %i %s with its cause", async (code, status, problemCode) => {
    call = () => Promise.reject(failureWith(code));
    const answer = await post("/v1/sdk/call", { cmd: "x" });
    expect(answer).toMatchObject({
      status,
      headers: { "content-type": "application/problem+json" },
      body: { code: problemCode, cause: { code, detail: expect.any(String) } },
    });
    expect(answer.body.cause).toHaveProperty("since", expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/));
  });

  it("tells the status of a native failure", async () => {
    call = () => Promise.reject(failureWith("SDK_NATIVE_ERROR", {}, { status: -7 }));
    expect(await post("/v1/sdk/call", { cmd: "x" })).toMatchObject({
      status: 502,
      body: { code: "SDK_NATIVE_ERROR", data: { status: -7 } },
    });
  });

  it("is unprovisioned without a driver", async () => {
    configured = false;
    expect(await post("/v1/sdk/call", { cmd: "x" })).toMatchObject({ status: 503, body: { code: "UNPROVISIONED" } });
  });

  it("lets eight wait and no more", async () => {
    const release = Promise.withResolvers<unknown>();
    let waiting = 0;
    call = () => {
      waiting++;
      return release.promise;
    };
    const calls = Array.from({ length: 8 }, () => post("/v1/sdk/call", { cmd: "x" }));
    await until(() => waiting === 8, "eight calls waiting");
    expect(await post("/v1/sdk/call", { cmd: "x" })).toMatchObject({
      status: 503,
      headers: { "retry-after": "1" },
      body: { code: "TOO_BUSY" },
    });
    release.resolve({ ok: 1 });
    for (const answer of await Promise.all(calls)) expect(answer.status).toBe(200);
    expect((await post("/v1/sdk/call", { cmd: "x" })).status).toBe(200);
  });

  it("gives a queued call up when its caller leaves", async () => {
    let signal: AbortSignal | undefined;
    call = (_request, given) => {
      signal = given;
      return new Promise((_resolve, reject) => given.addEventListener("abort", () => reject(given.reason)));
    };
    const body = '{"cmd":"x"}';
    const client = net.connect(socket);
    client.write(
      `POST /v1/sdk/call HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => signal !== undefined, "the call");
    expect(signal?.aborted).toBe(false);
    client.destroy();
    await until(() => signal?.aborted === true, "the abort");
    call = async () => ({});
    expect((await post("/v1/sdk/call", { cmd: "x" })).status).toBe(200);
  });

  it("answers a defect of ours with 500 and no detail", async () => {
    call = () => Promise.reject(new TypeError("CANARY"));
    const answer = await post("/v1/sdk/call", { cmd: "x" });
    expect(answer).toMatchObject({ status: 500, body: { code: "INTERNAL" } });
    expect(answer.text).not.toContain("CANARY");
  });
});

describe("health", () => {
  it("is alive while the loops turn", async () => {
    expect(await get("/livez")).toMatchObject({ status: 200, body: { status: "ok" } });
    live = false;
    expect(await get("/livez")).toMatchObject({ status: 503, body: { code: "NOT_LIVE" } });
  });

  it.each([
    ["fresh", 200],
    ["due", 200],
    ["rejected", 200],
    ["stale", 503],
    ["expired", 503],
    ["absent", 503],
    ["unprovisioned", 503],
  ] as const)("readyz of %s is %i", async (state, status) => {
    credentials.now = makeView({ state });
    expect((await get("/readyz?stale=ok")).status).toBe(status);
  });
});

describe("the way to a route", () => {
  it.each([
    "/",
    "/v1",
    "/v1/authinfo/",
    "/V1/authinfo",
    "/v1/AUTHINFO",
    "/..%2fv1/authinfo",
    "/v1/%61uthinfo",
    "/v1/authinfo%00",
    "/v1/./authinfo",
    "/v1//authinfo",
    "/v1/authinfo;x",
    "/v1/status",
    "/v1/history",
    "/metrics",
    "/v1/authinfo/refresh",
    "/v1/bridge/probe",
  ])("%s is nowhere", async (target) => {
    const answer = await get(target);
    expect(answer).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    expect(answer.text).not.toContain("CANARY");
  });

  it.each([
    ["POST", "/v1/authinfo", "GET, HEAD"],
    ["GET", "/v1/authinfo/reject", "POST"],
    ["GET", "/v1/sdk/call", "POST"],
    ["POST", "/livez", "GET, HEAD"],
    ["DELETE", "/v1/authinfo", "GET, HEAD"],
    ["HEAD", "/v1/authinfo/reject", "POST"],
    ["PUT", "/nowhere", "GET, HEAD, POST"],
  ])("%s %s is not allowed", async (method, target, allow) => {
    const answer = await ask(socket, method, target, { headers: { "X-HTTP-Method-Override": "GET" } });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe(allow);
  });

  it("keeps a connection for many requests, in order", async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 1; i <= 50; i++) {
      credentials.now = makeView({ credential: makeCredential({ generation: i }) });
      expect((await ask(socket, "GET", "/v1/authinfo", { agent })).body.generation).toBe(i);
      expect((await ask(socket, "GET", "/nowhere", { agent })).status).toBe(404);
      expect((await ask(socket, "POST", "/v1/sdk/call", { agent, body: { cmd: "x" } })).status).toBe(200);
    }
    expect(await new Promise((resolve) => openConnections(resolve))).toBe(1);
    agent.destroy();
    function openConnections(done: (count: number) => void) {
      done(Object.values(agent.freeSockets).flat().length);
    }
  });

  it("serves an HTTP/1.0 reader that names a host", async () => {
    const raw = await askRaw(socket, "GET /v1/authinfo HTTP/1.0\r\nHost: x\r\n\r\n");
    expect(raw).toMatch(/^HTTP\/1\.1 200 /);
    expect(raw).toContain("CANARY");
  });
});
