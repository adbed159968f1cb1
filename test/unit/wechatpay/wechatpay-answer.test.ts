import { describe, expect, it } from "vitest";
import { isAgentError } from "../../../agent/common/errors.ts";
import { readAnswer } from "../../../agent/wechatpay/answer.ts";
import {
  type HeaderBag,
  isPlain,
  refreshAfterS,
  requestId,
  retryAfterS,
  withoutWhiteSpace,
} from "../../../agent/wechatpay/headers.ts";
import { describeSamples } from "../../support/checks/published-samples.ts";

function read(body: string | Buffer, headers: HeaderBag = { "content-type": "application/json" }) {
  try {
    return readAnswer(Buffer.from(body), headers);
  } catch (error) {
    if (!isAgentError(error)) throw error;
    return error.code;
  }
}

const withLifetime = (text: string) => read(`{"authinfo":"abc","expires_in":${text}}`);

describe("the body of an answer", () => {
  it("gives the authinfo, whatever else it holds", () => {
    expect(read('{"authinfo":"aB+/=","foo":{"bar":null}}')).toEqual({ authinfo: "aB+/=" });
    expect(read(`{"authinfo":"${"x".repeat(16_384)}"}`)).toEqual({ authinfo: "x".repeat(16_384) });
  });

  it.each([
    ["60", 60],
    ["3600", 3600],
    ['"3600"', 3600],
    ["86400", 86_400],
    ["86401", 86_400],
    ['"99999999999"', 86_400],
    ["1e9", 86_400],
    ["1e300", 86_400],
  ])("takes expires_in %s as %d s", (text, expected) => {
    expect(withLifetime(text)).toEqual({ authinfo: "abc", expiresInS: expected });
  });

  it.each([
    "59",
    "0",
    "-1",
    "-3600",
    '"x"',
    "3600.5",
    '"59"',
    '""',
    '" 3600"',
    '"3600.0"',
    '"0x100"',
    '"1e4"',
    "null",
    "true",
    "[3600]",
    "{}",
    "1e999",
  ])("refuses an answer with expires_in %s", (text) => {
    expect(withLifetime(text)).toBe("PAY_EXPIRES_IN_INVALID");
  });

  it.each([
    '""',
    "1",
    "null",
    "true",
    "[]",
    "{}",
    '"a b"',
    '"a\\nb"',
    '"a\\u0000"',
    '"é"',
    '"微"',
    `"${"x".repeat(16_385)}"`,
  ])("refuses authinfo %.20s", (text) => {
    expect(read(`{"authinfo":${text}}`)).toBe("PAY_AUTHINFO_INVALID");
  });

  it("says what an answer lacks", () => {
    expect(read("{}")).toBe("PAY_AUTHINFO_MISSING");
    for (const text of ["", "null", "[]", '"authinfo"', '{"authinfo":"abc"', "<html>", '{"authinfo":"a"}{}']) {
      expect(read(text)).toBe("PAY_ANSWER_NOT_JSON");
    }
  });

  it("reads UTF-8 only", () => {
    const good = '{"authinfo":"abc"}';
    for (const type of [
      "application/json; charset=UTF-8",
      'application/json;charset="utf-8"',
      "text/plain;charset=utf8",
    ]) {
      expect(read(good, { "content-type": type })).toEqual({ authinfo: "abc" });
    }
    expect(read(good, {})).toEqual({ authinfo: "abc" });
    for (const type of ["application/json; charset=GBK", "text/html;charset=iso-8859-1; charset=utf-8"]) {
      expect(read(good, { "content-type": type })).toBe("PAY_ANSWER_CHARSET");
    }
    expect(
      read(Buffer.concat([Buffer.from('{"authinfo":"abc","名":"'), Buffer.from([0xc4, 0xe3]), Buffer.from('"}')])),
    ).toBe("PAY_ANSWER_CHARSET");
  });

  it("never quotes what it refuses", () => {
    for (const text of [
      '{"authinfo":"very secret',
      '{"authinfo":"very secret"}',
      '{"authinfo":"s3cret","expires_in":1}',
    ]) {
      try {
        readAnswer(Buffer.from(text), {});
        expect.unreachable();
      } catch (error) {
        if (!isAgentError(error)) throw error;
        expect(`${error.stack} ${JSON.stringify(error.context)} ${String(error.cause)}`).not.toMatch(/secret|s3cret/);
      }
    }
  });

  interface Samples {
    readonly responses: readonly { readonly id: string; readonly body: string; readonly expect: string }[];
  }
  describeSamples<Samples>("as published", "08-offlineface-authinfo.json", ({ responses }) => {
    it.each(responses)("public variant $id: $expect", ({ id, body, expect: outcome }) => {
      const result = read(body.replace("<base64>", "SGVsbG8="));
      if (id === "v3-expires-zero") expect(result).toBe("PAY_EXPIRES_IN_INVALID");
      else if (outcome.startsWith("ok")) expect(result).toMatchObject({ authinfo: "SGVsbG8=" });
      else expect(result).toMatch(/^PAY_AUTHINFO_/);
    });
  });
});

describe("the headers of an answer", () => {
  const now = Date.UTC(2026, 5, 1);
  const date = (offsetS: number) => new Date(now + offsetS * 1000).toUTCString();

  it("lose the white space around them, and nothing else", () => {
    const loose = { a: " x ", b: ["\t1", "2 \t"], c: "", d: " ", e: "x\u00a0", f: "a  b", g: undefined };
    expect(withoutWhiteSpace(loose)).toEqual({ a: "x", b: ["1", "2"], c: "", d: "", e: "x\u00a0", f: "a  b" });
  });

  it.each(["", "identity", "Identity", "identity, IDENTITY", ["identity", ""], undefined])(
    "name a plain body: %j",
    (value) => expect(isPlain({ "content-encoding": value })).toBe(true),
  );

  it.each(["gzip", "identity, br", ["identity", "gzip"], "identity;q=1", "x identity"])(
    "name a coded body: %j",
    (value) => expect(isPlain({ "content-encoding": value })).toBe(false),
  );

  it("bounds Retry-After to a quarter of an hour", () => {
    expect(retryAfterS({ "retry-after": "30" }, now)).toBe(30);
    expect(retryAfterS({ "retry-after": "0" }, now)).toBe(0);
    expect(retryAfterS({ "retry-after": "1000000000" }, now)).toBe(900);
    expect(retryAfterS({ "retry-after": "9".repeat(400) }, now)).toBe(900);
  });

  it("measures a Retry-After date against the answer's own Date", () => {
    const year = 365 * 86_400;
    expect(retryAfterS({ "retry-after": date(year + 45), date: date(year) }, now)).toBe(45);
    expect(retryAfterS({ "retry-after": date(45) }, now)).toBe(45);
    expect(retryAfterS({ "retry-after": date(-45) }, now)).toBe(0);
    expect(retryAfterS({ "retry-after": date(year) }, now)).toBe(900);
  });

  it("ignores a Retry-After that cannot be read", () => {
    for (const bad of ["", "soon", "-5", "1.5", "1e3", "30 s", "2026-06-01", "Sun, 99 Xyz 2026 00:00:00 GMT"]) {
      expect(retryAfterS({ "retry-after": bad }, now)).toBeUndefined();
    }
    expect(retryAfterS({ "retry-after": ["30", "60"] }, now)).toBeUndefined();
    expect(retryAfterS({}, now)).toBeUndefined();
  });

  it("takes Facepay-Refresh-Seconds from 600 to 3000", () => {
    const of = (value: string) => refreshAfterS({ "facepay-refresh-seconds": value });
    expect(["600", "1500", "3000"].map(of)).toEqual([600, 1500, 3000]);
    expect(["599", "3001", "0", "", "1500.5", "abc", "1e3"].map(of)).toEqual(Array(7).fill(undefined));
  });

  it("shows a request id only if it can be printed", () => {
    expect(requestId({ "request-id": "08D799FE-270924360" })).toBe("08D799FE-270924360");
    for (const bad of ["", "a b", "a\u001b[31m", "x".repeat(129)])
      expect(requestId({ "request-id": bad })).toBeUndefined();
  });
});
