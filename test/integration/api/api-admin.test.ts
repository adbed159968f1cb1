import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAdminServer } from "../../../agent/api/admin-api.ts";
import { withoutAuthinfo } from "../../../agent/api/authinfo-document.ts";
import { type OpenSocket, openSocket } from "../../../agent/api/sockets.ts";
import { createClockSync } from "../../../agent/common/clock-sync.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { History, observationOf } from "../../../agent/runtime/history.ts";
import { statusDocument } from "../../../agent/runtime/status-document.ts";
import type { ProbeReading } from "../../../drivers/sdk/driver.ts";
import { failureWith } from "../../support/checks/failures.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import {
  absentView,
  ask,
  askRaw,
  FakeCredentialService,
  makeView,
  temporaryDirectory,
  until,
} from "../../support/fixtures/api-fixture.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let credentials: FakeCredentialService;
let clock: FakeClock;
let socket: string;
let open: OpenSocket;
let probe: ((signal: AbortSignal) => Promise<ProbeReading>) | undefined;
let renderMetrics: () => Promise<string>;
let status: () => unknown;

const reading: ProbeReading = {
  identity: { protocol: "1.0", bridge: "b/1", session: "s", deviceId: "D", netId: "N", sdkVersion: "V" },
  helloMs: 3,
  rawDataMs: 40,
  rawDataLength: 1234,
};

beforeEach(async () => {
  directory = await temporaryDirectory();
  socket = `${directory.path}/admin.sock`;
  credentials = new FakeCredentialService();
  clock = new FakeClock();
  probe = async () => reading;
  renderMetrics = async () => "facepay_x 1\n";
  status = () =>
    statusDocument({
      version: "0",
      supportCode: "0000-0000-0000",
      bootId: "b",
      pid: 1,
      startedAtWallMs: 0,
      uptimeS: 1,
      view: credentials.view(),
      clock: createClockSync(clock, "b", "/nonexistent/synchronized").status(),
      warnings: [],
    });
  const server = createAdminServer({
    view: () => withoutAuthinfo(credentials.view()),
    retryAfterS: () => credentials.retryAfterS(),
    refresh: async (signal) => withoutAuthinfo(await credentials.refresh(signal)),
    probe: () => probe,
    status: () => status(),
    history: (hours) => {
      const history = new History();
      history.observe(0, observationOf(credentials.view(), undefined));
      return history.document({ boot: clock.boot(), wall: clock.wall() }, hours);
    },
    renderMetrics: () => renderMetrics(),
    live: () => true,
    denied: () => {},
    supportCode: () => "1YPB-2M43-GN84",
    clock,
    log: silentLog,
  });
  open = await openSocket(server, { path: socket, mode: 0o660 });
});

afterEach(async () => {
  const closed = open.close();
  await clock.advance(1_000);
  await closed;
  await directory.remove();
});

const get = (target: string) => ask(socket, "GET", target);
const post = (target: string) => ask(socket, "POST", target);
const REFRESH = "/v1/authinfo/refresh";

describe("POST /v1/authinfo/refresh", () => {
  it("tells the new state, never the authinfo", async () => {
    const answer = await post(REFRESH);
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body)).toEqual([
      "state",
      "generation",
      "obtained_at",
      "expires_at",
      "remaining_s",
      "expiry_source",
      "persisted",
    ]);
    expect(answer.text).not.toContain("CANARY");
  });

  it("needs no Content-Type without a body, and takes an empty object", async () => {
    const raw = await askRaw(socket, `POST ${REFRESH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(raw).toMatch(/^HTTP\/1\.1 200 /);
    clock.stepWall(0);
    await clock.advance(10_000);
    expect((await ask(socket, "POST", REFRESH, { body: {} })).status).toBe(200);
  });

  it("tells a failure with its cause, since when it stands, and when to ask again", async () => {
    const cause = { code: "PAY_DNS", sinceWallMs: Date.UTC(2026, 0, 2), detail: "no answer" };
    credentials.now = makeView({ cause });
    credentials.retryIn = 12;
    credentials.refreshing = () => Promise.reject(failureWith("PAY_DNS"));
    expect(await post(REFRESH)).toMatchObject({
      status: 502,
      headers: { "content-type": "application/problem+json", "retry-after": "12" },
      body: { code: "REFRESH_FAILED", cause: { code: "PAY_DNS", since: "2026-01-02T00:00:00.000Z" } },
    });
    await clock.advance(10_000);
    credentials.refreshing = () => Promise.reject(failureWith("PAY_TIMEOUT"));
    const since = new Date(clock.wall()).toISOString();
    expect((await post(REFRESH)).body.cause).toEqual({
      code: "PAY_TIMEOUT",
      since,
      detail: "the answer was not complete in time",
      params: {},
    });
  });

  it("is refused within 10 s of the last one that was let through", async () => {
    expect((await post(REFRESH)).status).toBe(200);
    await clock.advance(4_500);
    expect(await post(REFRESH)).toMatchObject({
      status: 429,
      headers: { "retry-after": "6" },
      body: { code: "REFRESH_TOO_SOON" },
    });
    await clock.advance(5_499);
    expect((await post(REFRESH)).status).toBe(429);
    await clock.advance(1);
    expect((await post(REFRESH)).status).toBe(200);
  });

  it("tells the seconds left of a wait that WeChat Pay asked for", async () => {
    credentials.refreshing = () => Promise.reject(failureWith("PAY_RATE_LIMITED.held", {}, { seconds: 41.2 }));
    expect(await post(REFRESH)).toMatchObject({
      status: 429,
      headers: { "retry-after": "42" },
      body: { code: "REFRESH_HELD", cause: { code: "PAY_RATE_LIMITED" } },
    });
    await clock.advance(10_000);
    credentials.refreshing = () => Promise.reject(failureWith("PAY_RATE_LIMITED", { retryAfterS: 60 }));
    expect((await post(REFRESH)).status).toBe(502);
  });

  it("is 503 without a configuration, which does not count", async () => {
    credentials.now = { ...absentView, state: "unprovisioned" };
    for (let i = 0; i < 3; i++) {
      expect(await post(REFRESH)).toMatchObject({ status: 503, body: { code: "UNPROVISIONED" } });
    }
    credentials.now = makeView();
    expect((await post(REFRESH)).status).toBe(200);
  });

  it("answers a defect of ours with 500", async () => {
    credentials.refreshing = () => Promise.reject(new TypeError("CANARY"));
    const answer = await post(REFRESH);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("CANARY");
  });
});

describe("POST /v1/bridge/probe", () => {
  it("tells lengths and timings", async () => {
    expect(await post("/v1/bridge/probe")).toMatchObject({
      status: 200,
      body: {
        device_id: "D",
        bridge: "b/1",
        session: "s",
        protocol: "1.0",
        sdk_version: "V",
        net_id: "N",
        hello_ms: 3,
        rawdata_ms: 40,
        rawdata_length: 1234,
      },
    });
  });

  it("tells a failure with its cause", async () => {
    probe = () => Promise.reject(failureWith("BRIDGE_TIMEOUT", {}, { method: "hello", ms: 5 }));
    expect(await post("/v1/bridge/probe")).toMatchObject({
      status: 502,
      body: { code: "PROBE_FAILED", cause: { code: "BRIDGE_TIMEOUT", detail: "no answer to hello within 5 ms" } },
    });
    probe = undefined;
    expect((await post("/v1/bridge/probe")).status).toBe(503);
  });

  it("runs two at a time and no more", async () => {
    const release = Promise.withResolvers<ProbeReading>();
    let running = 0;
    probe = () => {
      running++;
      return release.promise;
    };
    const probes = [post("/v1/bridge/probe"), post("/v1/bridge/probe")];
    await until(() => running === 2, "two probes");
    expect((await post("/v1/bridge/probe")).body.code).toBe("TOO_BUSY");
    release.resolve(reading);
    for (const answer of await Promise.all(probes)) expect(answer.status).toBe(200);
  });
});

describe("reading", () => {
  it("gives the status document and the metrics", async () => {
    expect(await get("/v1/status")).toMatchObject({ status: 200, body: { version: "0" } });
    expect(await get("/metrics")).toMatchObject({
      status: 200,
      text: "facepay_x 1\n",
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    });
    expect((await get("/livez")).status).toBe(200);
    expect((await get("/readyz")).status).toBe(200);
  });

  it("gives the history of the hours asked for, never an authinfo", async () => {
    const answer = await get("/v1/history?hours=3");
    expect(answer).toMatchObject({ status: 200, body: { hours: 3, states: [{ state: "fresh", generation: 7 }] } });
    expect(answer.text).not.toContain("CANARY");
    expect((await get("/v1/history")).body.hours).toBe(24);
    for (const query of ["hours=0", "hours=25", "hours=x", "hours=1&hours=1"]) {
      const refused = await get(`/v1/history?${query}`);
      expect(refused, query).toMatchObject({
        status: 400,
        headers: { "content-type": "application/problem+json" },
        body: { code: "QUERY_INVALID" },
      });
    }
  });

  it("survives a status or a scrape that fails", async () => {
    status = () => {
      throw new Error("CANARY");
    };
    renderMetrics = () => Promise.reject(new Error("CANARY"));
    for (const target of ["/v1/status", "/metrics"]) {
      const answer = await get(target);
      expect(answer.status, target).toBe(500);
      expect(answer.text).not.toContain("CANARY");
    }
  });

  it.each(["/v1/authinfo", "/v1/authinfo?stale=ok", "/v1/authinfo/events", "/v1/sdk/call", "/v1/authinfo/reject"])(
    "has no way to %s",
    async (target) => {
      for (const method of ["GET", "POST"]) {
        const answer = await ask(socket, method, target);
        expect(answer.status).toBe(404);
        expect(answer.text).not.toContain("CANARY");
      }
    },
  );

  it.each([
    ["GET", REFRESH, "POST"],
    ["GET", "/v1/bridge/probe", "POST"],
    ["POST", "/v1/status", "GET, HEAD"],
    ["POST", "/v1/history", "GET, HEAD"],
    ["POST", "/metrics", "GET, HEAD"],
  ])("%s %s is not allowed: nothing happens by looking", async (method, target, allow) => {
    expect(await ask(socket, method, target)).toMatchObject({ status: 405, headers: { allow } });
  });
});
