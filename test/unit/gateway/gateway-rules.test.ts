import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { answerHeaders } from "../../../agent/gateway/answer-headers.ts";
import { admit, type ShownCertificate } from "../../../agent/gateway/authenticate.ts";
import { RateLimit } from "../../../agent/gateway/rate-limit.ts";
import { parseRegister, type Register } from "../../../agent/gateway/register.ts";
import { noRevocations } from "../../../agent/gateway/tls/revocations.ts";
import { checkAuthinfo, checkEcho } from "../../../agent/gateway/validate-request.ts";
import { textOf } from "../../../agent/messages/text-of.ts";

const NOW = Date.UTC(2026, 5, 1);
const ORGANIZATION = "O004ABC8FZ2023031514461460894a";
const PRINT = "ab".repeat(32);
const shop = { device_id: "D1", sub_mchid: "1900000109", sub_appid: "wxa1", organization_id: ORGANIZATION };
const token = (text: string) => createHash("sha256").update(text).digest();
const jsonl = (...lines: object[]) => lines.map((line) => JSON.stringify(line)).join("\n");

function registerOf(...lines: object[]): Register {
  const parsed = parseRegister(jsonl(...lines), "r", true);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.register;
}

function problemsOf(text: string, withCertificates = true): string[] {
  const parsed = parseRegister(text, "r", withCertificates);
  return parsed.ok ? [] : parsed.problems.map(({ origin, key, what }) => `${origin} ${key} ${textOf(what).en}`.trim());
}

describe("the register", () => {
  it("takes one terminal a line, with comments, empty lines, colons and lists", () => {
    const colons = PRINT.toUpperCase().replace(/(..)(?=.)/g, "$1:");
    const text = `# shop 12\n\n${jsonl(
      { ...shop, certificate_sha256: colons, note: "counter 1" },
      { ...shop, device_id: "D2", certificate_cn: "D2" },
      { ...shop, device_id: "D3", token_sha256: [token("a").toString("hex"), token("b").toString("hex")] },
    )}\r\n`;
    const parsed = parseRegister(text, "r", true);
    if (!parsed.ok) throw new Error("refused");
    const { register } = parsed;
    expect(register.size).toBe(3);
    expect(register.byCertificate(PRINT, undefined)?.deviceId).toBe("D1");
    expect(register.byCertificate("00", "D2")?.deviceId).toBe("D2");
    for (const text of ["a", "b"]) expect(register.byToken(token(text))?.deviceId).toBe("D3");
    expect(register.byToken(token("c"))).toBeUndefined();
  });

  it.each([
    ["", "r  holds no terminal"],
    ["{", "r:1  is not a JSON object"],
    ['{"device_id":"D1","device_id":"D2"}', "r:1  is not a JSON object"],
    [jsonl({ ...shop, certificate_cn: "D1", devices: 1 }), "r:1 devices is not a field of the register"],
    [jsonl({ ...shop, sub_mchid: 1900000109, certificate_cn: "D1" }), "r:1 sub_mchid does not fit"],
    [jsonl({ ...shop, organization_id: undefined, certificate_cn: "D1" }), "r:1 organization_id is missing"],
    [jsonl(shop), "r:1 certificate_cn is missing, and so is a token"],
    [jsonl({ ...shop, token_sha256: "secret token" }), "r:1 token_sha256 does not fit"],
    [jsonl({ ...shop, certificate_cn: "D1", certificate_sha256: PRINT }), "r:1 certificate_cn is given together"],
    [jsonl({ ...shop, certificate_cn: "A" }, { ...shop, certificate_cn: "B" }), "r:2 device_id is the same"],
    [
      jsonl({ ...shop, certificate_cn: "A" }, { ...shop, device_id: "D2", certificate_cn: "A" }),
      "r:2 certificate_cn is the same",
    ],
    [
      jsonl({ ...shop, token_sha256: PRINT }, { ...shop, device_id: "D2", token_sha256: PRINT }),
      "r:2 token_sha256 is the same",
    ],
  ])("refuses %s as a whole, and says where", (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(problem)]);
    expect(JSON.stringify(problemsOf(text))).not.toContain("secret token");
  });

  it("refuses certificates that nobody could check, and tells of twenty mistakes at most", () => {
    expect(problemsOf(jsonl({ ...shop, certificate_cn: "D1" }), false)[0]).toContain("devices.ca_file is not set");
    expect(problemsOf("x\n".repeat(10_000))).toHaveLength(20);
  });

  it("takes ten thousand terminals in a moment", () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => ({ ...shop, device_id: `D${i}`, certificate_cn: `D${i}` }));
    expect(registerOf(...lines).size).toBe(10_000);
  });
});

const certificate: ShownCertificate = {
  fingerprint: PRINT,
  commonName: "D1",
  serial: "0A",
  beginsMs: NOW - 1,
  endsMs: NOW + 1,
  authority: "CA",
};

describe("who is let in", () => {
  const byName = registerOf({ ...shop, certificate_cn: "D1" });
  const both = registerOf({ ...shop, certificate_sha256: PRINT, token_sha256: token("t").toString("hex") });
  const twoShops = registerOf(
    { ...shop, certificate_cn: "D1" },
    { ...shop, device_id: "D2", token_sha256: token("t").toString("hex") },
  );
  const verdict = (register: Register, shown: Parameters<typeof admit>[0], revocations = noRevocations, at = NOW) => {
    const found = admit(shown, { register, revocations }, at);
    return found.ok ? found.device.deviceId : found.code;
  };

  it.each([
    ["its certificate", byName, { certificate }, "D1"],
    ["nothing", byName, {}, "CREDENTIALS_MISSING"],
    ["another's name", byName, { certificate: { ...certificate, commonName: "D9" } }, "DEVICE_UNKNOWN"],
    ["no name at all", byName, { certificate: { ...certificate, commonName: undefined } }, "DEVICE_UNKNOWN"],
    ["both that are asked for", both, { certificate, token: token("t") }, "D1"],
    ["the certificate without the token", both, { certificate }, "TOKEN_MISSING"],
    ["the token without the certificate", both, { token: token("t") }, "CERTIFICATE_MISSING"],
    [
      "the token with another certificate",
      both,
      { certificate: { ...certificate, fingerprint: "00" }, token: token("t") },
      "DEVICE_UNKNOWN",
    ],
    ["a wrong token beside a good certificate", byName, { certificate, token: token("x") }, "TOKEN_UNKNOWN"],
    ["two terminals' credentials", twoShops, { certificate, token: token("t") }, "CREDENTIALS_DIFFER"],
    [
      "OpenSSL's expired one",
      byName,
      { certificate: { ...certificate, fault: "CERT_HAS_EXPIRED" } },
      "CERTIFICATE_EXPIRED",
    ],
    [
      "one of nobody known",
      byName,
      { certificate: { ...certificate, fault: "DEPTH_ZERO_SELF_SIGNED_CERT" } },
      "CERTIFICATE_FOREIGN",
    ],
  ] as const)("with %s", (_what, register, shown, expected) => {
    expect(verdict(register, shown as Parameters<typeof admit>[0])).toBe(expected);
  });

  it("is judged by the time and the revocations of each request", () => {
    expect(verdict(byName, { certificate }, noRevocations, NOW + 2)).toBe("CERTIFICATE_EXPIRED");
    expect(verdict(byName, { certificate }, noRevocations, NOW - 2)).toBe("CERTIFICATE_EXPIRED");
    const judge = (serial: string, issuer: string | undefined, wallMs: number) =>
      serial === "0A" && issuer === "CA" && wallMs === NOW ? ("CERTIFICATE_REVOKED" as const) : undefined;
    expect(verdict(byName, { certificate }, { judge })).toBe("CERTIFICATE_REVOKED");
    expect(verdict(byName, { certificate: { ...certificate, authority: "other CA" } }, { judge })).toBe("D1");
    expect(verdict(byName, { certificate }, { judge }, NOW + 1)).toBe("D1");
  });
});

describe("what may be asked", () => {
  const device = registerOf({ ...shop, certificate_cn: "D1" }).byCertificate("", "D1");
  if (device === undefined) throw new Error("no device");
  const body = { sp_appid: "wxsp", ...shop, raw_data: "AAAA" };
  const check = (changes: object) => {
    const found = checkAuthinfo({ ...body, ...changes }, device, "wxsp");
    return found.ok ? found.body : `${found.code} ${found.field}`;
  };

  it("is made anew in the documented order, whatever the order it came in", () => {
    const text =
      '{"sp_appid":"wxsp","sub_appid":"wxa1","sub_mchid":"1900000109","device_id":"D1",' +
      `"raw_data":"AAAA","organization_id":"${ORGANIZATION}"}`;
    expect(check({})).toBe(text);
  });

  it.each([
    [{ device_id: "D2" }, "NOT_THIS_DEVICE device_id"],
    [{ sub_mchid: "1900000110" }, "NOT_THIS_DEVICE sub_mchid"],
    [{ sub_appid: "wxb2" }, "NOT_THIS_DEVICE sub_appid"],
    [{ organization_id: "O1" }, "NOT_THIS_DEVICE organization_id"],
    [{ sp_appid: "wxother" }, "NOT_THIS_DEVICE sp_appid"],
    [{ sub_appid: undefined }, "BODY_INVALID sub_appid"],
    [{ sub_mchid: 1900000109 }, "BODY_INVALID sub_mchid"],
    [{ raw_data: "AA A" }, "BODY_INVALID raw_data"],
    [{ raw_data: "" }, "BODY_INVALID raw_data"],
    [{ raw_data: "A".repeat(8_196) }, "BODY_INVALID raw_data"],
    [{ device_id: ["D1"] }, "BODY_INVALID device_id"],
    [{ notify_url: "https://x" }, "BODY_INVALID a field that is none of the six"],
    [{ rawdata: "AAAA" }, "BODY_INVALID a field that is none of the six"],
  ])("is refused with %j", (changes, expected) => {
    expect(check(changes)).toBe(expected);
  });

  it("leaves sub_appid out where the register has none, and only there", () => {
    const plain = { ...device, subAppid: undefined } as unknown as typeof device;
    const { sub_appid: _, ...without } = body;
    expect(checkAuthinfo(without, plain, "wxsp")).toMatchObject({ ok: true });
    expect(checkAuthinfo(without, device, "wxsp")).toMatchObject({ ok: false, field: "sub_appid" });
    expect(checkAuthinfo(body, plain, "wxsp")).toMatchObject({ ok: false, field: "sub_appid" });
  });

  it("may be an echo of a message, and nothing that makes WeChat Pay call somewhere", () => {
    expect(checkEcho({ echo_message: "hi" })).toMatchObject({ ok: true, body: '{"echo_message":"hi"}' });
    for (const bad of [undefined, {}, { echo_message: "" }, { echo_message: "hi", notify_url: "https://x" }]) {
      expect(checkEcho(bad)).toMatchObject({ ok: false, code: "BODY_INVALID" });
    }
  });
});

describe("the limit of one terminal", () => {
  const limits = { requestsPerHour: 240, burst: 3 };

  it("lets a burst through, then one after the other, and keeps terminals apart", () => {
    const rate = new RateLimit();
    for (let i = 0; i < 3; i++) expect(rate.take("D1", 0, limits)).toBeUndefined();
    expect(rate.take("D1", 0, limits)).toBe(15);
    expect(rate.take("D2", 0, limits)).toBeUndefined();
    expect(rate.take("D1", 14_900, limits)).toBe(1);
    expect(rate.take("D1", 15_000, limits)).toBeUndefined();
    expect(rate.take("D1", 15_000, limits)).toBe(15);
    expect(rate.take("D1", 3_600_000, limits)).toBeUndefined();
  });

  it("forgets who is registered no more", () => {
    const rate = new RateLimit();
    for (let i = 0; i < 3; i++) rate.take("D1", 0, limits);
    rate.keepOnly((id) => id !== "D1");
    expect(rate.take("D1", 0, limits)).toBeUndefined();
  });
});

describe("the headers of an answer", () => {
  it("are WeChat Pay's own and what a terminal needs; a doubled one stays doubled", () => {
    const found = answerHeaders(
      {
        "wechatpay-nonce": "N",
        "wechatpay-signature": ["one", "two"],
        "request-id": "R",
        "retry-after": "7",
        date: "D",
        "set-cookie": ["c=1"],
        "facepay-refresh-seconds": "600",
        "transfer-encoding": "chunked",
        connection: "keep-alive",
        "wechatpay-odd": "a\u0000b",
      },
      5,
      900,
    );
    const passed = ["wechatpay-nonce", "N", "wechatpay-signature", "one", "wechatpay-signature", "two"];
    const rest = ["request-id", "R", "retry-after", "7", "date", "D", "facepay-refresh-seconds", "900"];
    expect(found).toEqual([...passed, ...rest, "cache-control", "no-store", "content-length", "5"]);
  });
});
