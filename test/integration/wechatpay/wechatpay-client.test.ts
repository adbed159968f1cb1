import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AnswerFault } from "../../../agent/simulator/answer-faults.ts";
import { commonFaults } from "../../../agent/simulator/answer-faults.ts";
import { failureWith } from "../../support/checks/failures.ts";
import { DEVICE_ID, failure, request, shiftedClock, WechatPayRig } from "../../support/fixtures/wechatpay-rig.ts";

let rig: WechatPayRig;
beforeAll(async () => {
  rig = await WechatPayRig.create();
});
afterEach(() => rig.stop());

const second = () => Math.floor(shiftedClock().wall() / 1000);

describe("a good answer", () => {
  it("is asked for, signed, in the documented way, and told in full", async () => {
    const server = await rig.direct();
    server.expiresIn = 3600;
    const clock = shiftedClock();
    const outcomes: string[] = [];
    const client = rig.client([server.url], {
      options: { clock, onOutcome: ({ outcome, baseUrl }) => outcomes.push(`${outcome} ${baseUrl}`) },
    });
    const bootBefore = clock.boot();
    const answer = await request(client);
    expect(answer).toMatchObject({ expiresInS: 3600, baseUrl: server.url });
    expect(answer.authinfo).toMatch(/^[A-Za-z0-9+/]{1000}$/);
    expect(Math.abs(answer.signedAtS - second())).toBeLessThanOrEqual(5);
    expect(Math.abs(answer.skewMs)).toBeLessThan(5_000);
    expect(answer.sentBootMs).toBeGreaterThanOrEqual(bootBefore);
    expect(answer.sentBootMs).toBeLessThanOrEqual(clock.boot());
    expect(server.requests).toHaveLength(1);
    const [seen] = server.requests;
    expect(seen).toMatchObject({
      verified: true,
      method: "POST",
      path: "/v3/offlineface/authinfo",
      deviceId: DEVICE_ID,
      // The order of the documentation (specification 4), which WeChat Pay itself does not insist on.
      fields: ["sp_appid", "sub_mchid", "device_id", "raw_data", "organization_id"],
      userAgent: "facepay-agent/test",
    });
    expect(seen?.nonce).toMatch(/^[0-9A-F]{32}$/);
    expect(seen?.headerNames).toEqual(
      expect.arrayContaining(["accept", "content-type", "wechatpay-serial", "authorization"]),
    );
    expect(outcomes).toEqual([`ok ${server.url}`]);
    expect(client.status()).toMatchObject({
      mode: "direct",
      baseUrls: [
        { inUse: true, requests: { ok: 1 }, lastOutcome: "ok", lastStatus: 200, lastRequestId: seen?.requestId },
      ],
    });
  });

  it("carries sub_appid when there is one, in its place", async () => {
    const server = await rig.direct();
    const { identity } = await import("../../support/fixtures/wechatpay-rig.ts");
    const client = rig.client([server.url], { options: { identity: { ...identity, subAppid: "wx0123456789abcdef" } } });
    await request(client);
    const fields = ["sp_appid", "sub_appid", "sub_mchid", "device_id", "raw_data", "organization_id"];
    expect(server.requests[0]).toMatchObject({ verified: true, fields });
  });

  it("answers an echo, verified in the same way", async () => {
    const server = await rig.direct();
    const client = rig.client([server.url]);
    const { signal } = new AbortController();
    expect(await client.echo({ signal })).toMatchObject({ baseUrl: server.url, status: 200 });
    expect(server.requests[0]).toMatchObject({ verified: true, path: "/v3/security/echo" });
    server.faults.next({ signature: "none" });
    expect((await failure(client.echo({ signal }))).code).toBe("PAY_UNSIGNED");
  });
});

describe("failover", () => {
  const faults: [string, AnswerFault, string][] = [
    ["502", { status: 502 }, "pay_unavailable"],
    ["503", { status: 503 }, "pay_unavailable"],
    ["504", { status: 504 }, "pay_unavailable"],
    ["a reset", { delivery: "reset" }, "pay_connection_lost"],
    ["an early end", { delivery: "close" }, "pay_connection_lost"],
    ["a short body", { delivery: "close-in-body" }, "pay_connection_lost"],
    ["truncated chunks", { delivery: "truncated-chunks" }, "pay_connection_lost"],
  ];
  it.each(faults)(
    "after %s the same request goes at once, freshly signed, to the backup, which is kept",
    async (_name, fault, outcome) => {
      const [primary, backup] = [await rig.direct(), await rig.direct()];
      const client = rig.client([primary.url, backup.url]);
      primary.faults.next(fault);
      expect((await request(client)).baseUrl).toBe(backup.url);
      const [first, secondTry] = [primary.requests[0], backup.requests[0]];
      expect([primary.requests.length, backup.requests.length]).toEqual([1, 1]);
      expect(secondTry).toMatchObject({ verified: true, rawDataDigest: first?.rawDataDigest });
      expect(secondTry?.nonce).not.toBe(first?.nonce);
      expect(client.status().baseUrls).toMatchObject([
        { inUse: false, requests: { [outcome]: 1 } },
        { inUse: true, requests: { ok: 1 } },
      ]);
      expect((await request(client, { planned: false })).baseUrl).toBe(backup.url);
      expect((await request(client, { planned: true })).baseUrl).toBe(primary.url);
      expect([primary.requests.length, backup.requests.length]).toEqual([2, 2]);
    },
  );

  it("follows a refused connection", async () => {
    const backup = await rig.direct();
    const client = rig.client([await rig.refusing(), backup.url]);
    expect((await request(client)).baseUrl).toBe(backup.url);
    expect(client.status().baseUrls[0]?.requests).toEqual({ pay_connect_refused: 1 });
  });

  it.each(["hang", "hang-in-body", "drip"] as const)(
    "follows an answer that is not there in time (%s)",
    async (delivery) => {
      const [primary, backup] = [await rig.direct(), await rig.direct()];
      const client = rig.client([primary.url, backup.url], { config: { attemptTimeoutMs: 1500 } });
      primary.faults.next({ delivery });
      expect((await request(client)).baseUrl).toBe(backup.url);
      expect(client.status().baseUrls[0]?.requests).toEqual({ pay_timeout: 1 });
    },
  );

  it("follows a handshake that is never answered", async () => {
    const backup = await rig.direct();
    const client = rig.client([await rig.silent(), backup.url], { config: { connectTimeoutMs: 300 } });
    expect((await request(client)).baseUrl).toBe(backup.url);
    expect(client.status().baseUrls[0]?.requests).toEqual({ pay_connect_timeout: 1 });
  });

  it("follows a name that does not resolve", async () => {
    const backup = await rig.direct();
    const client = rig.client(["https://facepay-agent.invalid", backup.url]);
    expect((await request(client)).baseUrl).toBe(backup.url);
    expect(client.status().baseUrls[0]?.requests).toEqual({ pay_dns: 1 });
  });

  it("ends after the second, keeps the first one's Retry-After, and passes the turn on", async () => {
    const servers = [await rig.direct(), await rig.direct(), await rig.direct()];
    const [a, b, c] = servers;
    const client = rig.client(servers.map(({ url }) => url));
    a?.faults.next({ status: 503, headers: { "Retry-After": "40" } });
    b?.faults.next({ delivery: "reset" });
    const error = await failure(request(client));
    expect(error).toMatchObject({
      code: "PAY_CONNECTION_LOST",
      context: { baseUrl: b?.url, retryAfterS: 40, before: { baseUrl: a?.url, code: "PAY_UNAVAILABLE" } },
    });
    expect(servers.map(({ requests }) => requests.length)).toEqual([1, 1, 0]);
    expect((await request(client, { planned: false })).baseUrl).toBe(c?.url);
  });

  it("does not happen with one base URL", async () => {
    const server = await rig.direct();
    server.faults.always = { status: 503 };
    expect((await failure(request(rig.client([server.url])))).code).toBe("PAY_UNAVAILABLE");
    expect(server.requests).toHaveLength(1);
  });
});

describe("an answer that is not believed, or is no success, is one failure, and no reason to ask elsewhere", () => {
  const faults: [string, AnswerFault, string][] = [
    ["400", { status: 400 }, "PAY_BAD_REQUEST"],
    ["401", { status: 401 }, "PAY_UNAUTHORIZED"],
    ["403", { status: 403 }, "PAY_FORBIDDEN"],
    ["404 without a body", { status: 404 }, "PAY_NOT_FOUND"],
    ["405 without a body", { status: 405 }, "PAY_CLIENT_ERROR"],
    ["407", { status: 407 }, "PAY_PROXY_AUTH"],
    ["429", { status: 429 }, "PAY_RATE_LIMITED"],
    ["500", { status: 500 }, "PAY_SERVER_ERROR"],
    ["511", { status: 511 }, "PAY_CAPTIVE_PORTAL"],
    ["400 of 100 MB", { status: 400, delivery: "huge" }, "PAY_BAD_REQUEST"],
    ["a compressed 400", { status: 400, gzip: true }, "PAY_BAD_REQUEST"],
    ["400 with half a body", { status: 400, delivery: "close-in-body" }, "PAY_BAD_REQUEST"],
    ["a redirect", commonFaults.redirect, "PAY_REDIRECTED"],
    ["a login page", commonFaults.captivePortal, "PAY_CAPTIVE_PORTAL"],
    ["no signature", { signature: "none" }, "PAY_UNSIGNED"],
    ["an unsigned 204", { status: 204, body: "" }, "PAY_UNSIGNED"],
    ["a wrong signature", { signature: "bad" }, "PAY_SIGNATURE_INVALID"],
    ["a probe", { signature: "probe" }, "PAY_SIGNATURE_PROBE"],
    ["an unknown serial", { signature: "unknown-serial" }, "PAY_SIGNATURE_SERIAL"],
    ["an old timestamp", { timestampOffsetS: -310 }, "PAY_SIGNATURE_EXPIRED"],
    ["a future timestamp", { timestampOffsetS: 310 }, "PAY_SIGNATURE_EXPIRED"],
    ["a body changed after signing", { body: '{"authinfo":"evil"}', signature: "bad" }, "PAY_SIGNATURE_INVALID"],
    ["a compressed body", { gzip: true }, "PAY_ANSWER_ENCODED"],
    ["100 MB", { delivery: "huge" }, "PAY_ANSWER_TOO_LARGE"],
    ["another charset", commonFaults.otherCharset, "PAY_ANSWER_CHARSET"],
    ["signed text that is no JSON", { body: "authinfo", signature: "good" }, "PAY_ANSWER_NOT_JSON"],
    ["202", commonFaults.accepted, "PAY_ANSWER_NOT_JSON"],
    ["no authinfo", commonFaults.missingAuthinfo, "PAY_AUTHINFO_MISSING"],
    ["an empty authinfo", { authinfo: "" }, "PAY_AUTHINFO_INVALID"],
    ["authinfo null", { authinfo: null }, "PAY_AUTHINFO_INVALID"],
    ["a short lifetime", { expiresIn: 0 }, "PAY_EXPIRES_IN_INVALID"],
    ["lifetime null", { expiresIn: null }, "PAY_EXPIRES_IN_INVALID"],
  ];
  it.each(faults)("%s", async (_name, fault, code) => {
    const [primary, backup] = [await rig.direct(), await rig.direct()];
    const client = rig.client([primary.url, backup.url]);
    primary.faults.next(fault);
    const error = await failure(request(client));
    expect(error.code).toBe(code);
    expect(error.context.baseUrl).toBe(primary.url);
    expect(error.httpStatus).toBe(primary.requests[0]?.status);
    expect([primary.requests.length, backup.requests.length]).toEqual([1, 0]);
    expect(client.status().baseUrls[0]?.requests).toEqual({ [code.toLowerCase()]: 1 });
    // What is wrong once leaves no trace: the next request is as good as any.
    expect((await request(client, { planned: false })).baseUrl).toBe(primary.url);
  });

  it("a 400 whose body never ends is a 400 all the same, when the time is up", async () => {
    const [primary, backup] = [await rig.direct(), await rig.direct()];
    const client = rig.client([primary.url, backup.url], { config: { attemptTimeoutMs: 1500 } });
    primary.faults.next({ status: 400, delivery: "hang-in-body" });
    expect((await failure(request(client))).code).toBe("PAY_BAD_REQUEST");
    expect(backup.requests).toHaveLength(0);
  });

  it("a replay", async () => {
    const server = await rig.direct();
    const client = rig.client([server.url]);
    const { signedAtS } = await request(client);
    server.faults.next({ replay: true });
    expect((await failure(request(client, { newestSignedAtS: signedAtS + 6 }))).code).toBe("PAY_SIGNATURE_REPLAYED");
    server.faults.next({ replay: true });
    expect((await request(client, { newestSignedAtS: signedAtS + 5 })).signedAtS).toBe(signedAtS);
  });

  it("keeps Retry-After, the request id and what WeChat Pay said", async () => {
    const server = await rig.direct();
    const client = rig.client([server.url]);
    server.faults.next(commonFaults.tooManyRequests(86_400));
    const error = await failure(request(client));
    expect(error.context).toMatchObject({
      retryAfterS: 900,
      requestId: server.requests[0]?.requestId,
    });
    expect(error.params.answerCode).toBe("RATELIMIT_EXCEEDED");
  });

  it("looks at no more than 16 KiB of what is said with a refusal", async () => {
    const server = await rig.direct();
    for (const [length, code] of [
      [10_000, "PARAM_ERROR"],
      [17_000, undefined],
    ] as const) {
      server.faults.next({ status: 400, body: JSON.stringify({ code: "PARAM_ERROR", more: "x".repeat(length) }) });
      expect((await failure(request(rig.client([server.url])))).params.answerCode).toBe(code);
    }
  });

  it("never shows raw_data, even when the server repeats it", async () => {
    const server = await rig.direct();
    const rawData = "c2hvcnQgYnV0IHNlY3JldA==";
    server.faults.next({ status: 400, body: JSON.stringify({ code: "PARAM_ERROR", message: `bad ${rawData}` }) });
    const error = await failure(request(rig.client([server.url]), { rawData }));
    expect(JSON.stringify([error.message, error.context, String(error.cause)])).not.toContain("c2hvcnQ");
    expect(error.params.answerMessage).toMatch(/^bad/);
  });
});

describe("the clock", () => {
  it("of WeChat Pay is learnt from any answer and corrects the timestamps sent", async () => {
    const server = await rig.direct();
    const client = rig.client([server.url]);
    expect(client.status().skewMs).toBeUndefined();
    server.clockOffsetS = 200;
    server.faults.next({ status: 500 });
    await failure(request(client));
    expect(Math.abs((client.status().skewMs ?? 0) - 200_000)).toBeLessThan(5_000);
    const { skewMs } = await request(client);
    expect(Math.abs(skewMs - 200_000)).toBeLessThan(5_000);
    expect(server.requests).toHaveLength(2);
    const [first, next] = server.requests;
    expect(Math.abs((first?.timestampS ?? 0) + 200 - (first?.at ?? 0) / 1000)).toBeLessThan(5);
    expect(Math.abs((next?.timestampS ?? 0) - (next?.at ?? 0) / 1000)).toBeLessThan(5);
  });

  it("when wrong by an hour, costs one more request, and the answer is still not believed", async () => {
    const server = await rig.direct();
    const backup = await rig.direct();
    const client = rig.client([server.url, backup.url]);
    server.clockOffsetS = 3600;
    const error = await failure(request(client));
    expect(error.code).toBe("CLOCK_WRONG");
    expect(Math.abs(Number(error.context.skewMs) - 3_600_000)).toBeLessThan(5_000);
    expect(server.requests.map(({ status, reason, verified }) => [status, reason, verified])).toEqual([
      [401, "timestamp_skew", false],
      [200, undefined, true],
    ]);
    expect(server.requests[0]?.nonce).not.toBe(server.requests[1]?.nonce);
    await failure(request(client, { planned: false }));
    expect(server.requests).toHaveLength(3);
    expect(backup.requests).toHaveLength(0);
  });

  it("when wrong by ten minutes and set right, is no obstacle any more", async () => {
    const server = await rig.direct();
    const clock = shiftedClock();
    const client = rig.client([server.url], { options: { clock } });
    clock.offsetMs = -600_000;
    expect((await failure(request(client))).code).toBe("CLOCK_WRONG");
    clock.offsetMs = 0;
    await request(client);
    // What was learnt is tied to the boot clock: the step does not spoil it, so there is no second 401.
    expect(server.requests.map(({ status }) => status)).toEqual([401, 200, 200]);
  });

  it("is blamed for a 401 once, not for ever", async () => {
    const server = await rig.direct();
    const client = rig.client([server.url]);
    server.faults.always = { status: 401, dateOffsetS: 3600 };
    expect((await failure(request(client))).code).toBe("CLOCK_WRONG");
    expect(server.requests).toHaveLength(2);
    await failure(request(client));
    expect(server.requests).toHaveLength(3);
  });

  it("is not asked about by a 401 whose Date agrees with it, nor in gateway mode", async () => {
    const server = await rig.direct();
    const client = rig.client([server.url]);
    await request(client);
    server.faults.next({ status: 401 });
    expect((await failure(request(client))).code).toBe("PAY_UNAUTHORIZED");
    expect(server.requests).toHaveLength(2);
    const gateway = await rig.gateway();
    gateway.faults.next({ status: 401, dateOffsetS: 3600 });
    expect((await failure(request(rig.client([gateway.url], { mode: "gateway" })))).code).toBe("CLOCK_WRONG");
    expect(gateway.requests).toHaveLength(1);
  });
});

describe("gateway mode", () => {
  it("sends the token, keeps the base path, signs nothing, and takes the refresh hint", async () => {
    const server = await rig.gateway({ basePath: "/facepay/v1", bearerToken: "t0ken", refreshSeconds: 1200 });
    const client = rig.client([server.url], { mode: "gateway", secrets: { bearerToken: "t0ken\n" } });
    expect(await request(client)).toMatchObject({ refreshAfterS: 1200, baseUrl: server.url });
    expect(server.requests[0]).toMatchObject({ verified: true, path: "/facepay/v1/v3/offlineface/authinfo" });
    server.extraHeaders = { "Facepay-Refresh-Seconds": "60" };
    expect(await request(client)).not.toHaveProperty("refreshAfterS");
  });

  it("tells a refused token, without the token", async () => {
    const server = await rig.gateway({ bearerToken: "t0ken" });
    const client = rig.client([server.url], { mode: "gateway", secrets: { bearerToken: "other-t0ken" } });
    server.faults.next({ status: 401, body: '{"code":"BEARER_TOKEN","message":"other-t0ken is wrong"}' });
    const error = await failure(request(client));
    expect(error).toMatchObject({ code: "PAY_UNAUTHORIZED", params: { answerCode: "BEARER_TOKEN" } });
    expect(JSON.stringify([error.message, error.context])).not.toContain("t0ken");
    expect((await failure(request(client))).code).toBe("PAY_UNAUTHORIZED");
  });

  it("verifies WeChat Pay's signature as ever", async () => {
    const server = await rig.gateway();
    const client = rig.client([server.url], { mode: "gateway" });
    server.faults.next({ signature: "none" });
    expect((await failure(request(client))).code).toBe("PAY_UNSIGNED");
  });

  it("ignores the refresh hint in direct mode", async () => {
    const server = await rig.direct();
    server.extraHeaders = { "Facepay-Refresh-Seconds": "1200" };
    expect(await request(rig.client([server.url]))).not.toHaveProperty("refreshAfterS");
  });

  it("has an echo passed on, and finds none where the gateway has none", async () => {
    const server = await rig.gateway();
    const client = rig.client([server.url], { mode: "gateway" });
    const signal = new AbortController().signal;
    expect(await client.echo({ signal })).toMatchObject({ status: 200 });
    server.faults.next({ status: 404 });
    expect((await failure(client.echo({ signal }))).code).toBe("PAY_NOT_FOUND");
  });

  it("shows its client certificate", async () => {
    const server = await rig.gateway({ clientCa: rig.authority.certPem });
    const { certPem, privateKeyPem } = await rig.authority.issueClient({ commonName: "terminal-7" });
    const secrets = { clientCert: certPem, clientKey: privateKeyPem };
    await request(rig.client([server.url], { mode: "gateway", secrets }));
    expect(server.requests[0]).toMatchObject({ verified: true, client: "terminal-7" });
    expect((await failure(request(rig.client([server.url], { mode: "gateway" })))).code).toBe("PAY_CLIENT_CERTIFICATE");
    const odd = { clientCert: certPem, clientKey: rig.authority.privateKeyPem };
    const error = await failure(request(rig.client([server.url], { mode: "gateway", secrets: odd })));
    expect(error.code).toBe("PAY_CLIENT_CERTIFICATE");
    expect(server.requests).toHaveLength(1);
  });
});

describe("a caller that gives up", () => {
  it("gets its own reason back, and nothing is counted or tried again", async () => {
    const [primary, backup] = [await rig.direct(), await rig.direct()];
    const client = rig.client([primary.url, backup.url]);
    primary.faults.next({ delivery: "hang" });
    const controller = new AbortController();
    // One that would be a reason to ask elsewhere, were it WeChat Pay's.
    const enough = failureWith("PAY_TIMEOUT");
    const attempt = request(client, { signal: controller.signal }).catch((reason: unknown) => reason);
    await expect.poll(() => primary.requests.length).toBe(1);
    controller.abort(enough);
    expect(await attempt).toBe(enough);
    expect(client.status().baseUrls[0]?.inUse).toBe(true);
    expect(backup.requests).toHaveLength(0);
    expect(client.status().baseUrls.map(({ requests }) => requests)).toEqual([{}, {}]);
    expect(await request(client, { signal: controller.signal }).catch((reason: unknown) => reason)).toBe(enough);
  });

  it("by closing, ends what is under way and starts nothing more", async () => {
    const [primary, backup] = [await rig.direct(), await rig.direct()];
    const client = rig.client([primary.url, backup.url]);
    primary.faults.next({ delivery: "hang" });
    const attempt = failure(request(client));
    await expect.poll(() => primary.requests.length).toBe(1);
    await client.close();
    expect((await attempt).code).toBe("PAY_CONNECTION_LOST");
    expect(backup.requests).toHaveLength(0);
  });
});
