import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { type AnswerFault, commonFaults } from "../../../agent/simulator/answer-faults.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const RETRY_AFTER_S = 20;

/** The status names the link that fails and what to do, the reader has the old authinfo all the same. */
async function expectBroken(rig: Rig, code: string, remedy: string, generation: number): Promise<void> {
  const { last_error, authinfo } = await rig.statusWhere(
    `${code} in the status`,
    (status) => status.last_error?.code === code,
  );
  expect(last_error).toMatchObject({ code, remedy, since: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) });
  expect(authinfo).toMatchObject({ state: "due", generation });
  const { status, body } = await rig.get();
  expect([status, body.state, body.generation]).toEqual([200, "due", generation]);
}

describe.concurrent("an answer that is no authinfo", () => {
  const kinds: [fault: AnswerFault, code: string, remedy: string][] = [
    [{ status: 503 }, "PAY_UNAVAILABLE", "pay.reach"],
    [{ status: 500 }, "PAY_SERVER_ERROR", "pay.reach"],
    [{ status: 400 }, "PAY_BAD_REQUEST", "pay.auth"],
    [{ status: 401 }, "PAY_UNAUTHORIZED", "pay.auth"],
    [{ status: 403 }, "PAY_FORBIDDEN", "pay.auth"],
    [commonFaults.tooManyRequests(2), "PAY_RATE_LIMITED", "pay.reach"],
    [{ delivery: "hang" }, "PAY_TIMEOUT", "pay.reach"],
    [{ delivery: "drip" }, "PAY_TIMEOUT", "pay.reach"],
    [{ delivery: "reset" }, "PAY_CONNECTION_LOST", "pay.reach"],
    [{ status: 404 }, "PAY_NOT_FOUND", "pay.auth"],
    [commonFaults.captivePortal, "PAY_CAPTIVE_PORTAL", "net.captive"],
    [{ signature: "none" }, "PAY_UNSIGNED", "pay.auth"],
    [{ signature: "bad" }, "PAY_SIGNATURE_INVALID", "pay.auth"],
    [{ timestampOffsetS: 310 }, "PAY_SIGNATURE_EXPIRED", "time.offset"],
    [{ authinfo: undefined }, "PAY_AUTHINFO_MISSING", "pay.authinfo"],
    [{ expiresIn: 59 }, "PAY_EXPIRES_IN_INVALID", "pay.authinfo"],
  ];

  it.each(kinds)("%o is told as %s, and costs the cashier app nothing", async (fault, code, remedy) => {
    await using rig = await openRig({ config: { wechatpay: { attempt_timeout_ms: 700, connect_timeout_ms: 700 } } });
    const { authinfo, generation } = await rig.serve();
    rig.pay.faults.always = fault;
    const refreshed = await rig.refresh();
    expect(refreshed.status).toBe(502);
    expect(refreshed.headers["content-type"]).toMatch(/^application\/problem\+json\b/);
    expect(refreshed.body).toMatchObject({ code: expect.any(String), cause: { code } });
    await expectBroken(rig, code, remedy, generation);
    expect((await rig.served()).authinfo).toBe(authinfo);

    const { next_attempt } = await rig.status();
    const pauseS = (Date.parse(next_attempt?.at ?? "") - Date.now()) / 1_000;
    if (/BAD_REQUEST|UNAUTHORIZED|FORBIDDEN/.test(code)) {
      expect(pauseS).toBeGreaterThan(280);
    } else {
      expect(pauseS).toBeLessThan(4.5);
      rig.pay.faults.clear();
      await rig.served((served) => served.generation === generation + 1 && served.state === "fresh");
      expect((await rig.status()).last_error).toBeNull();
    }
    const rawData = rig.pay.requests.map(({ rawDataDigest }) => rawDataDigest);
    expect(new Set(rawData).size).toBe(rawData.length);
  });

  it("keeps a Retry-After, whoever asks for a refresh", async () => {
    await using rig = await openRig();
    rig.pay.faults.next(commonFaults.tooManyRequests(RETRY_AFTER_S));
    rig.start();
    const absent = await rig.until("the 429 as the cause", async () => {
      const answer = await rig.get();
      return answer.status === 503 && JSON.stringify(answer.body.cause ?? "").includes("PAY_RATE_LIMITED") && answer;
    });
    expect(absent.body.code).toBe("AUTHINFO_ABSENT");
    expect(Number(absent.headers["retry-after"])).toBeGreaterThan(RETRY_AFTER_S - 5);
    const held = await rig.refresh();
    expect(held.status).toBe(429);
    expect(Number(held.headers["retry-after"])).toBeGreaterThan(RETRY_AFTER_S - 5);
    expect(Number(held.headers["retry-after"])).toBeLessThanOrEqual(RETRY_AFTER_S * 1.1);
    expect(rig.pay.requests).toHaveLength(1);
    // After that time it asks again by itself.
    await rig.until("the authinfo", async () => (await rig.get()).status === 200, 120_000);
    const [first, second] = rig.pay.requests;
    expect(Number(second?.at) - Number(first?.at)).toBeGreaterThanOrEqual(RETRY_AFTER_S * 1_000);
  });

  it("holds back five minutes after a 401, but not from a technician", async () => {
    await using rig = await openRig();
    rig.pay.faults.next({ status: 401 });
    rig.start();
    await rig.statusWhere("the 401", ({ last_error }) => last_error?.code === "PAY_UNAUTHORIZED");
    expect((await rig.refresh()).status).toBe(200);
    await rig.served();
  });
});

describe.concurrent("a way that is broken", () => {
  it("is told while it lasts and forgotten when it is fixed", async () => {
    await using rig = await openRig();
    const { generation } = await rig.serve();
    await rig.payDown();
    const refreshed = await rig.refresh();
    expect([refreshed.status, refreshed.body.cause]).toMatchObject([502, { code: "PAY_CONNECT_REFUSED" }]);
    await expectBroken(rig, "PAY_CONNECT_REFUSED", "pay.reach", generation);
    await rig.payUp();
    await rig.served((served) => served.generation === generation + 1);
    const { last_error, state_changes } = await rig.status();
    expect(last_error).toBeNull();
    expect(state_changes.map(({ to }) => to)).toEqual(expect.arrayContaining(["due", "fresh"]));
  });

  it("is gone around by the next base URL, at once", async () => {
    await using rig = await openRig();
    const dead = "https://127.0.0.1:9";
    await rig.configure({ wechatpay: { base_urls: [dead, rig.pay.url] } });
    await rig.serve();
    const { wechatpay } = await rig.status();
    expect(wechatpay?.base_urls.map(({ base_url }) => base_url)).toEqual([dead, rig.pay.url]);
    expect(await rig.metric("facepay_wechatpay_requests_total")).toMatchObject({
      [`base_url="${dead}",outcome="pay_connect_refused"`]: 1,
      [`base_url="${rig.pay.url}",outcome="ok"`]: 1,
    });
    expect(rig.bridge.count("getWxpayfaceRawdata")).toBe(1);
  });

  it.each([
    ["NODE_EXTRA_CA_CERTS", (ca: string) => ({ NODE_EXTRA_CA_CERTS: ca })],
    ["SSL_CERT_FILE", (ca: string) => ({ SSL_CERT_FILE: ca, NODE_OPTIONS: "--use-openssl-ca" })],
    ["the system's roots", (ca: string) => ({ SSL_CERT_FILE: ca, NODE_USE_SYSTEM_CA: "1" })],
  ])("is not opened by roots that only %s adds", async (_what, environment) => {
    await using rig = await openRig();
    await rig.configure({ wechatpay: { ca_file: undefined } });
    rig.start({ env: environment(rig.within("ca.pem")) });
    const { last_error } = await rig.statusWhere("the distrust", (status) => status.last_error !== null);
    expect(last_error?.code).toBe("PAY_TLS_UNTRUSTED");
    expect(rig.pay.requests).toEqual([]);
  });
});

describe.concurrent("an authinfo that the SDK refuses", () => {
  const reject = (rig: Rig, body: object) => rig.ask("api", "POST", "/v1/authinfo/reject", { body });

  it("is renewed within a second, and served as rejected until then", async () => {
    await using rig = await openRig();
    const { authinfo, generation } = await rig.serve();
    rig.pay.faults.next({ delayMs: 1_000 });
    const askedAt = Date.now();
    const answer = await reject(rig, { generation, err_code: 268435462, return_code: "PARAM_ERROR", return_msg: "x" });
    expect(answer.status).toBe(202);
    expect((await rig.get()).body).toMatchObject({ state: "rejected", authinfo, generation });
    const renewed = await rig.served((served) => served.generation === generation + 1);
    expect(renewed.state).toBe("fresh");
    // The renewal starts within one second; the second one is for a busy machine.
    expect(Number(rig.pay.requests[1]?.at) - askedAt).toBeLessThan(2_000);
    // Of a generation that is no longer served nothing is to be renewed.
    expect((await reject(rig, { generation })).status).toBe(202);
    await delay(1_500);
    expect(rig.pay.requests).toHaveLength(2);
  });

  it("is renewed six times an hour at most, whatever the cashier app says", async () => {
    await using rig = await openRig();
    await rig.serve();
    for (let generation = 1; generation <= 6; generation++) {
      expect((await reject(rig, { generation })).status).toBe(202);
      await rig.served((served) => served.generation === generation + 1);
    }
    expect((await reject(rig, { generation: 7 })).status).toBe(202);
    await delay(2_500);
    expect((await rig.get()).body).toMatchObject({ state: "rejected", generation: 7 });
    expect(rig.pay.requests).toHaveLength(7);
  });

  it("stays as it is when the report makes no sense", async () => {
    await using rig = await openRig();
    await rig.serve();
    for (const body of [{}, { generation: "1" }, { generation: 0 }, { generation: 1.5 }]) {
      expect((await reject(rig, body)).status).toBe(400);
    }
    expect((await rig.get()).body.state).toBe("fresh");
  });
});
