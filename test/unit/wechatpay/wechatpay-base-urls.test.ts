import { describe, expect, it } from "vitest";
import { isExempt } from "../../../agent/config/no-proxy.ts";
import { BaseUrls } from "../../../agent/wechatpay/base-urls.ts";

const inUse = (urls: BaseUrls) => urls.status().findIndex((entry) => entry.inUse);

describe("the base URL in use", () => {
  it("is the one that worked, until a planned attempt goes back to the primary", () => {
    const urls = new BaseUrls(["a", "b", "c"]);
    expect(urls.first(false)).toBe(0);
    expect(urls.other(0)).toBe(1);
    urls.keep(1);
    expect(urls.first(false)).toBe(1);
    expect(urls.other(1)).toBe(2);
    expect(urls.first(true)).toBe(0);
    expect(inUse(urls)).toBe(0);
  });

  it("is the one after the last tried when both have failed", () => {
    const urls = new BaseUrls(["a", "b", "c"]);
    urls.passOn(1);
    expect(urls.first(false)).toBe(2);
    urls.passOn(0);
    expect(urls.first(false)).toBe(1);
    urls.passOn(2);
    expect(urls.first(false)).toBe(0);
  });

  it("stays when there is only one", () => {
    const urls = new BaseUrls(["a"]);
    expect(urls.other(0)).toBeUndefined();
    expect(urls.first(false)).toBe(0);
  });

  it("counts by outcome and keeps the last", () => {
    const urls = new BaseUrls(["a"]);
    urls.record(0, { outcome: "ok", atWallMs: 0, ms: 12.6, status: 200, requestId: () => "R1" });
    urls.record(0, { outcome: "pay_dns", atWallMs: 1000, ms: 3 });
    urls.record(0, { outcome: "pay_dns", atWallMs: 2000, ms: 3.2 });
    expect(urls.status()).toEqual([
      {
        baseUrl: "a",
        inUse: true,
        requests: { ok: 1, pay_dns: 2 },
        lastOutcome: "pay_dns",
        lastAt: "1970-01-01T00:00:02.000Z",
        lastMs: 3,
      },
    ]);
  });

  it("judges a Request-ID when it is asked for, and once", () => {
    const urls = new BaseUrls(["https://a"]);
    let judged = 0;
    const requestId = () => `R${++judged}`;
    urls.record(0, { outcome: "ok", atWallMs: 0, ms: 1, requestId });
    expect(judged).toBe(0);
    expect([urls.status()[0]?.lastRequestId, urls.status()[0]?.lastRequestId]).toEqual(["R1", "R1"]);
    urls.record(0, { outcome: "ok", atWallMs: 0, ms: 1 });
    expect(urls.status()[0]?.lastRequestId).toBeUndefined();
  });
});

describe("NO_PROXY", () => {
  it.each([
    ["https://pay.example.com", "example.com", true],
    ["https://pay.example.com", ".example.com", true],
    ["https://pay.example.com", "*.example.com", true],
    ["https://pay.example.com", "EXAMPLE.com ", true],
    ["https://pay.example.com", "localhost, pay.example.com", true],
    ["https://pay.example.com", "pay.example.com:443", true],
    ["https://pay.example.com:8443", "pay.example.com:443", false],
    ["https://badexample.com", "example.com", false],
    ["https://example.com.evil.net", "example.com", false],
    ["https://pay.example.com", "", false],
    ["https://pay.example.com", ",", false],
    ["https://pay.example.com", "*", true],
    ["https://10.1.2.3", "10.0.0.0/8", true],
    ["https://11.1.2.3", "10.0.0.0/8", false],
    ["https://10.1.2.3", "10.0.0.0/99", false],
    ["https://10.1.2.3", "1.2.3", false],
    ["https://10.1.2.3", "10.1.2.3", true],
    ["https://api.example.com", "api.example.com.", true],
    ["https://api.example.com.", "api.example.com", true],
    ["https://api.example.com.", "example.com.:443", true],
    ["https://[fd00::1]", "fd00::/8", true],
    ["https://[::1]:8443", "::1", true],
    ["https://[::1]:8443", "[::1]:8443", true],
    ["https://[::1]:8443", "[::1]:443", false],
  ])("%s with %j: %s", (url, noProxy, expected) => {
    expect(isExempt(new URL(url), noProxy)).toBe(expected);
  });
});
