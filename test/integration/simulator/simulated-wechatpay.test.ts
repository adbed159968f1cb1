import { randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import https from "node:https";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Formatter, Rsa, Wechatpay } from "wechatpay-axios-plugin";
import { type AnswerFault, commonFaults } from "../../../agent/simulator/answer-faults.ts";
import type { PayService } from "../../../agent/simulator/pay-service.ts";
import { createPlayground, type Playground } from "../../../agent/simulator/playground.ts";
import { startWechatPayServer } from "../../../agent/simulator/wechatpay-server.ts";

const AUTHINFO = "/v3/offlineface/authinfo";
let playground: Playground;
let directory: string;
let server: PayService;
let agent: https.Agent;

beforeAll(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "facepay-pay-"));
  playground = await createPlayground(directory);
});
beforeEach(async () => {
  server = await startWechatPayServer(playground.wechatPayOptions);
  agent = new https.Agent({ ca: playground.ca.certPem, keepAlive: true });
});
afterEach(async () => {
  agent.destroy();
  await server.stop();
});
afterAll(() => fs.rm(directory, { recursive: true }));

const fields = (change: Record<string, unknown> = {}) => ({
  sp_appid: playground.identity.spAppid,
  sub_appid: playground.identity.subAppid,
  sub_mchid: playground.identity.subMchid,
  device_id: playground.identity.deviceId,
  raw_data: randomBytes(503).toString("base64"),
  organization_id: playground.identity.organizationId,
  ...change,
});

interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/** One request as it stands, signed by the independent signer unless the headers say otherwise. */
function send(
  body: string,
  options: { headers?: Record<string, string | undefined>; method?: string; target?: string; at?: number } = {},
): Promise<Reply> {
  const { method = "POST", target = AUTHINFO, at = Formatter.timestamp() } = options;
  const nonce = Formatter.nonce();
  const signature = Rsa.sign(Formatter.request(method, target, at, nonce, body), playground.merchant.privateKeyPem);
  const { spMchid } = playground.identity;
  const headers: Record<string, string | undefined> = {
    Accept: "application/json",
    "User-Agent": "test",
    "Content-Type": "application/json",
    "Wechatpay-Serial": playground.platform.keyId,
    Authorization: Formatter.authorization(spMchid, nonce, signature, at, playground.merchant.serialNo),
    ...options.headers,
  };
  const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    const request = https.request(`${server.url}${target}`, { agent, method, headers: sent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    request.once("error", reject);
    request.end(body);
  });
}

const ask = (change?: Record<string, unknown>) => send(JSON.stringify(fields(change)));
const parse = (reply: Reply) => JSON.parse(reply.body.toString());
const isSigned = ({ headers, body }: Reply) => {
  const header = (name: string) => String(headers[name]);
  const message = Formatter.response(header("wechatpay-timestamp"), header("wechatpay-nonce"), body.toString());
  return Rsa.verify(message, header("wechatpay-signature"), playground.platformPublicKeyPem);
};

describe("the simulated WeChat Pay and an independent client", () => {
  const client = (target: string) =>
    new Wechatpay({
      mchid: playground.identity.spMchid,
      serial: playground.merchant.serialNo,
      privateKey: playground.merchant.privateKeyPem,
      certs: { [playground.platform.keyId]: playground.platformPublicKeyPem },
      baseURL: server.url,
      httpsAgent: agent,
      // By itself it sends none, and the echo alone wants one.
      headers: target === AUTHINFO ? {} : { "Wechatpay-Serial": playground.platform.keyId },
    });
  const post = async (body: object, target = AUTHINFO) => {
    const { status, data } = await client(target).chain(target.slice(1)).post(body);
    return { status, data: data as unknown as Record<string, unknown> };
  };

  it("believe each other", async () => {
    const { data, status } = await post(fields());
    expect(status).toBe(200);
    expect(data.authinfo).toMatch(/^[A-Za-z0-9+/]{1000}$/);
    expect(server.requests).toMatchObject([{ verified: true, status: 200, path: AUTHINFO, rawDataLength: 672 }]);
    const again = await post(fields());
    expect(again.data.authinfo).not.toBe(data.authinfo);
  });

  it("agree in the echo", async () => {
    const { data } = await post({ echo_message: "刷脸" }, "/v3/security/echo");
    expect(data).toEqual({ echo_message: "刷脸" });
  });

  it.each(["bad", "probe", "unknown-serial", "none"] as const)(
    "the client refuses a signature that is %s",
    async (kind) => {
      server.faults.next({ signature: kind });
      await expect(post(fields())).rejects.toThrow();
      expect(server.requests).toMatchObject([{ verified: true, status: 200 }]);
    },
  );
});

describe("the simulated WeChat Pay", () => {
  it("answers like the real one", async () => {
    const reply = await ask();
    expect(isSigned(reply)).toBe(true);
    expect(reply.headers).toMatchObject({
      "wechatpay-serial": playground.platform.keyId,
      "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048",
      "keep-alive": "timeout=8",
      "request-id": expect.stringMatching(/-0$/),
      date: expect.stringMatching(/GMT$/),
    });
    expect(parse(reply)).not.toHaveProperty("expires_in");
    server.expiresIn = 3600;
    expect(parse(await ask())).toHaveProperty("expires_in", 3600);
  });

  it("takes a retry of the same raw_data on another base URL, and no second time on its own", async () => {
    const body = JSON.stringify(fields());
    expect((await send(body)).status).toBe(200);
    expect((await send(body)).status).toBe(400);
    expect(server.requests.map(({ reason }) => reason)).toEqual([undefined, "raw_data_reused"]);
    expect(new Set(server.requests.map(({ rawDataDigest }) => rawDataDigest)).size).toBe(1);
    const first = server;
    server = await startWechatPayServer(playground.wechatPayOptions);
    expect((await send(body)).status).toBe(200);
    await first.stop();
  });

  it.each<[string, () => Parameters<typeof send>[1]]>([
    ["without Wechatpay-Serial", () => ({ headers: { "Wechatpay-Serial": undefined } })],
    ["with any Accept", () => ({ headers: { Accept: "*/*" } })],
    ["with the type alone", () => ({ headers: { "Content-Type": "application/json" } })],
    ["with a type in other words", () => ({ headers: { "Content-Type": 'Application/JSON ; charset="UTF-8"' } })],
  ])("takes a request %s, as the real one does, and signs its answer", async (_what, options) => {
    const reply = await send(JSON.stringify(fields()), options());
    expect([reply.status, isSigned(reply)]).toEqual([200, true]);
  });

  it("takes the fields in any order", async () => {
    const reversed = Object.fromEntries(Object.entries(fields()).reverse());
    expect((await send(JSON.stringify(reversed))).status).toBe(200);
    expect(server.requests).toMatchObject([{ verified: true, fields: Object.keys(reversed) }]);
  });

  const signError = (message: string) => ({ code: "SIGN_ERROR", message });
  it.each<[string, () => Parameters<typeof send>[1], number, string, object | undefined]>([
    [
      "no User-Agent",
      () => ({ headers: { "User-Agent": undefined } }),
      400,
      "accept_or_user_agent",
      { code: "INVALID_REQUEST", message: "Http头缺少Accept或User-Agent" },
    ],
    [
      "no Authorization",
      () => ({ headers: { Authorization: undefined } }),
      401,
      "authorization_format",
      signError("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"),
    ],
    [
      "an old timestamp",
      () => ({ at: 1_554_208_460 }),
      401,
      "timestamp_skew",
      signError("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"),
    ],
    ["a bearer token", () => ({ headers: { Authorization: "Bearer x" } }), 401, "authorization_scheme", undefined],
    [
      "another public key id",
      () => ({ headers: { "Wechatpay-Serial": "PUB_KEY_ID_1" } }),
      400,
      "wechatpay_serial",
      { code: "PARAM_ERROR", message: "平台证书序列号Wechatpay-Serial错误" },
    ],
    [
      "no Wechatpay-Serial to the echo",
      () => ({ target: "/v3/security/echo", headers: { "Wechatpay-Serial": undefined } }),
      400,
      "wechatpay_serial",
      undefined,
    ],
    ["no Accept", () => ({ headers: { Accept: undefined } }), 400, "accept_or_user_agent", undefined],
    ["an empty public key id", () => ({ headers: { "Wechatpay-Serial": "" } }), 400, "wechatpay_serial", undefined],
    [
      "another charset",
      () => ({ headers: { "Content-Type": "application/json; charset=gbk" } }),
      400,
      "content_type",
      undefined,
    ],
    [
      "a form",
      () => ({ headers: { "Content-Type": "application/x-www-form-urlencoded" } }),
      400,
      "content_type",
      undefined,
    ],
    ["another method", () => ({ method: "PUT" }), 405, "method", undefined],
    ["another path", () => ({ target: "/v3/certificates" }), 404, "path", undefined],
  ])("refuses a request with %s", async (_name, options, status, reason, body) => {
    const reply = await send(JSON.stringify(fields()), options());
    expect(reply.status).toBe(status);
    expect(server.requests).toMatchObject([{ verified: false, reason, status }]);
    if (status === 404 || status === 405) expect(reply.body).toHaveLength(0);
    if (body !== undefined) expect(parse(reply)).toEqual(body);
    expect(Object.keys(reply.headers).filter((name) => name.startsWith("wechatpay"))).toEqual([]);
  });

  it("refuses a body that was changed after signing", async () => {
    const at = Formatter.timestamp();
    const nonce = Formatter.nonce();
    const signature = Rsa.sign(Formatter.request("POST", AUTHINFO, at, nonce, "{}"), playground.merchant.privateKeyPem);
    const { merchant, identity } = playground;
    const Authorization = Formatter.authorization(identity.spMchid, nonce, signature, at, merchant.serialNo);
    const reply = await send(JSON.stringify(fields()), { headers: { Authorization } });
    expect([reply.status, parse(reply)]).toEqual([401, signError("签名错误")]);
    // The same header, now with the body it was made for: the forged one has not used up its nonce.
    expect((await send("{}", { headers: { Authorization } })).status).toBe(400);
    expect(parse(await send("{}", { headers: { Authorization } })).code).toBe("SIGN_ERROR");
    expect(server.requests.map(({ reason }) => reason)).toEqual([
      "signature_wrong",
      "sp_appid_missing",
      "nonce_reused",
    ]);
  });

  it.each<[string, () => object, number, string]>([
    ["a missing field", () => fields({ organization_id: undefined }), 400, "organization_id_missing"],
    ["an empty field", () => fields({ device_id: "" }), 400, "device_id_missing"],
    ["a number", () => fields({ sub_mchid: 1900000109 }), 400, "sub_mchid_missing"],
    ["a further field", () => fields({ sp_mchid: "1" }), 400, "unknown_field"],
    ["the SDK's spelling", () => ({ ...fields({ raw_data: undefined }), rawdata: "AAAA" }), 400, "raw_data_missing"],
    ["a space in raw_data", () => fields({ raw_data: "AA A" }), 400, "raw_data_not_base64"],
    ["another device", () => fields({ device_id: "X" }), 400, "device_id_wrong"],
    ["another appid", () => fields({ sp_appid: "wx0" }), 400, "sp_appid_wrong"],
    ["another sub-merchant", () => fields({ sub_mchid: "1" }), 403, "sub_mchid_wrong"],
    ["another organization", () => fields({ organization_id: "O1" }), 400, "organization_id_wrong"],
  ])("refuses a body with %s", async (_name, body, status, reason) => {
    const reply = await send(JSON.stringify(body()));
    expect(reply.status).toBe(status);
    expect(server.requests).toMatchObject([{ verified: false, reason }]);
    expect(parse(reply)).toHaveProperty("code");
  });

  it("does without sub_appid where none is expected", async () => {
    await server.stop();
    server = await startWechatPayServer({ ...playground.wechatPayOptions, identity: {} });
    expect((await ask({ sub_appid: undefined })).status).toBe(200);
  });

  it("lives by its own clock when told", async () => {
    server.clockOffsetS = -3600;
    expect((await ask()).status).toBe(401);
    const at = Formatter.timestamp() - 3600;
    const reply = await send(JSON.stringify(fields()), { at });
    expect(reply.status).toBe(200);
    expect(Math.abs(Number(reply.headers["wechatpay-timestamp"]) - at)).toBeLessThan(60);
    expect(Math.abs(Date.parse(String(reply.headers.date)) / 1000 - at)).toBeLessThan(60);
  });

  it("frees its port at once, in the middle of an answer too, and can start there again", async () => {
    server.faults.next({ delivery: "hang" });
    const hung = ask();
    hung.catch(() => "looked at below");
    await expect.poll(() => server.requests.length).toBe(1);
    const { port } = server;
    await server.stop();
    await expect(hung).rejects.toThrow();
    server = await startWechatPayServer({ ...playground.wechatPayOptions, port });
    expect([server.port, (await ask()).status]).toEqual([port, 200]);
  });
});

describe("the simulated WeChat Pay's faults", () => {
  it.each<[string, AnswerFault, (reply: Reply) => unknown, unknown]>([
    ["500", { status: 500 }, (r) => [r.status, parse(r).code, isUnsigned(r)], [500, "SYSTEM_ERROR", true]],
    ["502", { status: 502 }, (r) => [r.status, r.headers["content-type"]], [502, "text/html"]],
    ["429", commonFaults.tooManyRequests(30), (r) => [r.status, r.headers["retry-after"]], [429, "30"]],
    [
      "captive portal",
      commonFaults.captivePortal,
      (r) => [r.status, isUnsigned(r), r.body.toString()],
      [200, true, "<html>login</html>"],
    ],
    ["redirect", commonFaults.redirect, (r) => [r.status, r.headers.location], [302, "https://portal.invalid/login"]],
    ["accepted", commonFaults.accepted, (r) => [r.status, r.body.length, isSigned(r)], [202, 0, true]],
    ["missing authinfo", commonFaults.missingAuthinfo, (r) => [parse(r), isSigned(r)], [{}, true]],
    ["empty authinfo", { authinfo: "" }, (r) => [parse(r), isSigned(r)], [{ authinfo: "" }, true]],
    ["a number as authinfo", { authinfo: 7 }, (r) => parse(r), { authinfo: 7 }],
    ["expires_in", { authinfo: "A", expiresIn: "3600" }, (r) => parse(r), { authinfo: "A", expires_in: "3600" }],
    ["any JSON", { json: [1] }, (r) => [parse(r), isSigned(r)], [[1], true]],
    ["charset", commonFaults.otherCharset, (r) => r.headers["content-type"], "application/json; charset=gbk"],
    ["gzip", { gzip: true }, (r) => [r.headers["content-encoding"], r.body[0]], ["gzip", 0x1f]],
    ["unsigned", { signature: "none" }, (r) => [r.status, isUnsigned(r)], [200, true]],
    ["bad signature", { signature: "bad" }, (r) => [isUnsigned(r), isSigned(r)], [false, false]],
    [
      "probe",
      { signature: "probe" },
      (r) => String(r.headers["wechatpay-signature"]).slice(0, 19),
      "WECHATPAY/SIGNTEST/",
    ],
    ["timestamp", { timestampOffsetS: -400 }, (r) => [ageOf(r) > 390, isSigned(r)], [true, true]],
    [
      "Date",
      { dateOffsetS: 400 },
      (r) => [ageOf(r) < 60, Date.parse(String(r.headers.date)) > Date.now() + 300_000],
      [true, true],
    ],
    ["drip", { authinfo: "A", delivery: "drip" }, (r) => [parse(r), isSigned(r)], [{ authinfo: "A" }, true]],
    ["huge", { delivery: "huge" }, (r) => r.body.length, 100 * 1024 * 1024],
  ])("%s, once", async (_name, fault, look, expected) => {
    server.faults.next(fault);
    expect(look(await ask())).toEqual(expected);
    const good = await ask();
    expect([good.status, isSigned(good)]).toEqual([200, true]);
  });

  it.each([
    ["reset", "ECONNRESET"],
    ["close", "ECONNRESET"],
    ["close-in-body", "ECONNRESET"],
    ["truncated-chunks", "ECONNRESET"],
  ] as const)("%s ends the connection", async (delivery, code) => {
    server.faults.next({ delivery });
    await expect(ask()).rejects.toMatchObject({ code });
    expect((await ask()).status).toBe(200);
  });

  it.each(["hang", "hang-in-body"] as const)("%s lets the client wait", async (delivery) => {
    server.faults.next({ delivery });
    const waiting = ask().then(
      () => "answered",
      () => "cut off",
    );
    await expect.poll(() => server.requests.length).toBe(1);
    expect((await ask()).status).toBe(200);
    expect(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 100, "waiting"))])).toBe(
      "waiting",
    );
    agent.destroy();
    expect(await waiting).toBe("cut off");
  });

  it("repeats an authinfo, and a whole answer, when told", async () => {
    const first = await ask();
    server.faults.next({ sameAuthinfo: true });
    const same = await ask();
    expect(parse(same)).toEqual(parse(first));
    expect(same.headers["wechatpay-signature"]).not.toBe(first.headers["wechatpay-signature"]);
    server.faults.next({ replay: true });
    const replayed = await ask();
    expect([replayed.body, replayed.headers]).toEqual([same.body, same.headers]);
  });

  it("stand until they are cleared", async () => {
    server.faults.always = { status: 503 };
    expect([(await ask()).status, (await ask()).status]).toEqual([503, 503]);
    server.faults.clear();
    expect((await ask()).status).toBe(200);
  });

  it("never turn a refused request into a success", async () => {
    server.faults.next({ expiresIn: 60, sameAuthinfo: true, signature: "good" });
    const reply = await ask({ device_id: "X" });
    expect([reply.status, parse(reply).authinfo]).toEqual([400, undefined]);
  });
});

const isUnsigned = (reply: Reply) => reply.headers["wechatpay-signature"] === undefined;
const ageOf = (reply: Reply) => Formatter.timestamp() - Number(reply.headers["wechatpay-timestamp"]);
