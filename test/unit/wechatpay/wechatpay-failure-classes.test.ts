import { describe, expect, it } from "vitest";
import { SecretSearch } from "../../../agent/common/log/redact.ts";
import { failureText } from "../../../agent/messages/failure-text.ts";
import { classifyStatus, classifyTransportError } from "../../../agent/wechatpay/failure-classes.ts";
import type { HeaderBag } from "../../../agent/wechatpay/headers.ts";
import { describeSamples } from "../../support/checks/published-samples.ts";

const NOW = Date.UTC(2026, 5, 1);

function withCode(code: string, cause?: unknown): Error {
  return Object.assign(new Error(code, { cause }), { code });
}

const transport = (error: unknown, clockSuspect = false) => classifyTransportError(error, { clockSuspect });

function status(code: number, body = "", headers: HeaderBag = {}, secrets: string[] = []) {
  return classifyStatus({
    status: code,
    headers,
    body: Buffer.from(body),
    wallMs: NOW,
    secrets: new SecretSearch(secrets),
  });
}

describe("errors of the connection", () => {
  it("say of a foreign certificate whether there is an authority of one's own", () => {
    const facts = { clockSuspect: false, ownAuthority: true };
    expect(classifyTransportError(withCode("SELF_SIGNED_CERT_IN_CHAIN"), facts).id).toBe("PAY_TLS_UNTRUSTED.ca_file");
    expect(transport(withCode("SELF_SIGNED_CERT_IN_CHAIN")).id).toBe("PAY_TLS_UNTRUSTED");
  });

  it.each([
    ["ENOTFOUND", "PAY_DNS"],
    ["EAI_AGAIN", "PAY_DNS"],
    ["EAI_FAIL", "PAY_DNS"],
    ["ECONNREFUSED", "PAY_CONNECT_REFUSED"],
    ["ETIMEDOUT", "PAY_CONNECT_TIMEOUT"],
    ["UND_ERR_CONNECT_TIMEOUT", "PAY_CONNECT_TIMEOUT"],
    ["EHOSTUNREACH", "PAY_UNREACHABLE"],
    ["ENETUNREACH", "PAY_UNREACHABLE"],
    ["EPERM", "PAY_UNREACHABLE"],
    ["ENOBUFS", "PAY_UNREACHABLE"],
    ["ECONNRESET", "PAY_CONNECTION_LOST"],
    ["EPIPE", "PAY_CONNECTION_LOST"],
    ["UND_ERR_SOCKET", "PAY_CONNECTION_LOST"],
    ["UND_ERR_HEADERS_TIMEOUT", "PAY_TIMEOUT"],
    ["UND_ERR_BODY_TIMEOUT", "PAY_TIMEOUT"],
    ["UND_ERR_RES_EXCEEDED_MAX_SIZE", "PAY_ANSWER_TOO_LARGE"],
    ["UND_ERR_PRX_CONN", "PAY_PROXY"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "PAY_TLS_UNTRUSTED"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "PAY_TLS_UNTRUSTED"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "PAY_TLS_UNTRUSTED"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "PAY_TLS_UNTRUSTED"],
    ["CERT_REVOKED", "PAY_TLS_UNTRUSTED"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "PAY_TLS_NAME"],
    ["CERT_HAS_EXPIRED", "PAY_TLS_EXPIRED"],
    ["CERT_NOT_YET_VALID", "PAY_TLS_EXPIRED"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "PAY_TLS_FAILED"],
    ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "PAY_TLS_FAILED"],
    ["EPROTO", "PAY_TLS_FAILED"],
    ["UNSPECIFIED", "PAY_TLS_FAILED"],
    ["ERR_SSL_DH_KEY_TOO_SMALL", "PAY_TLS_FAILED"],
    ["ERR_SSL_EE_KEY_TOO_SMALL", "PAY_CLIENT_CERTIFICATE"],
    ["ERR_SSL_CA_KEY_TOO_SMALL", "PAY_CLIENT_CERTIFICATE"],
    ["ERR_SSL_CA_MD_TOO_WEAK", "PAY_CLIENT_CERTIFICATE"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "PAY_CLIENT_CERTIFICATE"],
    ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "PAY_CLIENT_CERTIFICATE"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "PAY_CLIENT_CERTIFICATE"],
    ["ERR_OSSL_X509_KEY_VALUES_MISMATCH", "PAY_CLIENT_CERTIFICATE"],
    ["ERR_INVALID_ARG_TYPE", "INTERNAL"],
  ])("%s is %s", (system, code) => {
    expect(transport(withCode(system)).code).toBe(code);
  });

  it("know undici's parser, whose errors have no code, and do not quote what it quotes", () => {
    const parserError = (data: string) =>
      Object.assign(new Error("x"), { name: "HTTPParserError", code: undefined, data });
    const unread = transport(parserError('{"authinfo":"s3cret"'));
    expect([unread.code, unread.cause]).toEqual(["PAY_ANSWER_NOT_HTTP", undefined]);
    expect(transport(parserError("")).code).toBe("PAY_CONNECTION_LOST");
  });

  it("looks through causes and through several addresses", () => {
    expect(transport(new TypeError("fetch failed", { cause: withCode("ECONNREFUSED") })).code).toBe(
      "PAY_CONNECT_REFUSED",
    );
    const both = new AggregateError([withCode("ENETUNREACH"), withCode("ECONNREFUSED")]);
    expect(transport(Object.assign(both, { code: "ENETUNREACH" })).code).toBe("PAY_CONNECT_REFUSED");
    expect(transport(new AggregateError([withCode("EHOSTUNREACH"), withCode("ENETUNREACH")])).code).toBe(
      "PAY_UNREACHABLE",
    );
    const circle = new Error("circle");
    circle.cause = circle;
    expect(transport(circle).code).toBe("INTERNAL");
    expect(transport("no error at all").code).toBe("INTERNAL");
  });

  it("blames the clock for a certificate's dates only when the clock is suspect", () => {
    expect(transport(withCode("CERT_NOT_YET_VALID"), true).code).toBe("CLOCK_WRONG");
    expect(transport(withCode("CERT_HAS_EXPIRED"), true).code).toBe("CLOCK_WRONG");
    expect(transport(withCode("SELF_SIGNED_CERT_IN_CHAIN"), true).code).toBe("PAY_TLS_UNTRUSTED");
  });
});

describe("answers that are no success", () => {
  it.each([
    [301, "PAY_REDIRECTED"],
    [302, "PAY_REDIRECTED"],
    [303, "PAY_REDIRECTED"],
    [307, "PAY_REDIRECTED"],
    [308, "PAY_REDIRECTED"],
    [300, "PAY_STATUS_UNEXPECTED"],
    [304, "PAY_STATUS_UNEXPECTED"],
    [400, "PAY_BAD_REQUEST"],
    [401, "PAY_UNAUTHORIZED"],
    [403, "PAY_FORBIDDEN"],
    [404, "PAY_NOT_FOUND"],
    [405, "PAY_CLIENT_ERROR"],
    [407, "PAY_PROXY_AUTH"],
    [422, "PAY_CLIENT_ERROR"],
    [429, "PAY_RATE_LIMITED"],
    [500, "PAY_SERVER_ERROR"],
    [501, "PAY_SERVER_ERROR"],
    [502, "PAY_UNAVAILABLE"],
    [503, "PAY_UNAVAILABLE"],
    [504, "PAY_UNAVAILABLE"],
    [511, "PAY_CAPTIVE_PORTAL"],
  ])("%d is %s", (code, expected) => {
    expect(status(code).code).toBe(expected);
    expect(status(code, "<html>").code).toBe(expected);
  });

  it("fails over on 502, 503 and 504 alone", () => {
    const failing = [300, 400, 401, 403, 404, 405, 429, 500, 501, 502, 503, 504, 511].filter(
      (code) => status(code).rule.failover,
    );
    expect(failing).toEqual([502, 503, 504]);
  });

  it("tells a wrong clock by Date, never by the message", () => {
    const said = '{"code":"SIGN_ERROR","message":"Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"}';
    const date = (offsetS: number) => ({ date: new Date(NOW + offsetS * 1000).toUTCString() });
    expect(status(401, said).code).toBe("PAY_UNAUTHORIZED");
    expect(status(401, said, date(300)).code).toBe("PAY_UNAUTHORIZED");
    expect(status(401, "", date(301)).code).toBe("CLOCK_WRONG");
    expect(status(401, "", date(-301)).context.skewMs).toBe(-301_000);
    expect(status(403, "", date(3600)).code).toBe("PAY_FORBIDDEN");
  });

  it("knows a rate limit that comes as 403", () => {
    expect(status(403, '{"code":"RATE_LIMITED"}').code).toBe("PAY_RATE_LIMITED");
    expect(status(403, '{"code":"NO_AUTH"}').code).toBe("PAY_FORBIDDEN");
  });

  it("keeps what a technician can use", () => {
    const headers = { "request-id": "08D7-268443701", "retry-after": "20" };
    const error = status(403, '{"code":"NO_AUTH","message":" 该产品权限\\n未开通 "}', headers);
    expect(error.context).toEqual({ requestId: "08D7-268443701", retryAfterS: 20 });
    expect(error.params).toEqual({ httpStatus: 403, answerCode: "NO_AUTH", answerMessage: "该产品权限 未开通" });
    expect(failureText(error)).toEqual({
      zh: "HTTP 403 NO_AUTH：「该产品权限 未开通」",
      en: "HTTP 403 NO_AUTH: 该产品权限 未开通",
    });
  });

  it("shows nothing that could be a secret, or do harm to a terminal", () => {
    const token = "c2VjcmV0IHRva2VuIHNlY3JldCB0b2tlbg==";
    const body = JSON.stringify({
      code: "a b\n",
      message: `token ${token} or hunter2 \u001b[31m\u202e${"长".repeat(500)}`,
    });
    const { message, params } = status(400, body, {}, ["hunter2", ""]);
    expect(message).not.toMatch(/c2Vj|hunter2|\p{Cc}|\u202e/u);
    expect(String(params.answerMessage).length).toBeLessThanOrEqual(200);
    expect(params.answerCode).toBeUndefined();
  });

  it("is not troubled by any other body", () => {
    for (const body of ["", "null", "[]", '"x"', "1", "<html>", '{"code":1,"message":{}}', '{"code":"X', "\u0000"]) {
      expect(status(500, body).params).toEqual({ httpStatus: 500 });
    }
  });

  interface Sample {
    id: string;
    status: number;
    headers?: Record<string, string>;
    body: string;
    retry: boolean | string;
  }
  describeSamples<Sample[]>("as observed", "07-error-responses.json", (samples) => {
    it.each(samples.filter((row) => row.status >= 300))("observed answer $id", (row) => {
      const headers = Object.fromEntries(
        Object.entries(row.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
      );
      const wallMs = headers.date === undefined ? NOW : Date.parse(headers.date);
      const error = classifyStatus({
        status: row.status,
        headers,
        body: Buffer.from(row.body),
        wallMs,
        secrets: new SecretSearch([]),
      });
      expect(error.params.httpStatus).toBe(row.status);
      if (row.retry === "slow down") expect(error.rule.retry).toBe("throttled");
      if ([400, 401, 403].includes(row.status)) expect(error.rule.retry).toBe("slow");
      if (row.body.startsWith("{")) expect(error.params.answerCode).toBe(JSON.parse(row.body).code);
      if (headers["request-id"]) expect(error.context.requestId).toBe(headers["request-id"]);
    });
  });
});
