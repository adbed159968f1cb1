import { describe, expect, it } from "vitest";
import { checkRequest } from "../../../agent/api/http/guard.ts";

const JSON_BODY = ["Content-Type", "application/json", "Content-Length", "2"];
const get = (rawHeaders: string[], url = "/v1/authinfo", method = "GET") => checkRequest({ method, url, rawHeaders });
const reasonOf = (rawHeaders: string[], url?: string, method?: string) => get(rawHeaders, url, method)?.reason;
const post = (...headers: string[]) => get(["Host", "x", ...headers], "/v1/sdk/call", "POST")?.reason;

describe("the guard", () => {
  it("lets a plain request through, whatever the one Host says", () => {
    for (const host of ["localhost", "facepay-agent.local", "evil.example", "0", ""])
      expect(get(["Host", host])).toBeUndefined();
    expect(get(["hOsT", "localhost", "Accept", "*/*", "User-Agent", "curl/8"])).toBeUndefined();
  });

  it.each([
    ["missing", []],
    ["doubled", ["Host", "a", "host", "a"]],
    ["doubled, one of them empty", ["Host", "", "HOST", "a"]],
  ])("refuses a Host that is %s", (_name, headers) => {
    expect(get(headers)).toEqual({ code: "HOST_INVALID", reason: "host" });
  });

  it.each(["http://evil/v1/authinfo", "//evil/v1/authinfo", "*", "", "v1/authinfo", "localhost:80"])(
    "refuses the target %j",
    (url) => {
      expect(get(["Host", "x"], url)).toEqual({ code: "TARGET_INVALID", reason: "target" });
    },
  );

  it.each([
    ["Origin", "null", "origin"],
    ["Origin", "http://localhost", "origin"],
    ["ORIGIN", "", "origin"],
    ["Referer", "https://evil.example/", "referer"],
    ["Sec-Fetch-Site", "none", "sec_fetch"],
    ["Sec-Fetch-Site", "cross-site", "sec_fetch"],
    ["sec-fetch-dest", "image", "sec_fetch"],
    ["Sec-Fetch-Storage-Access", "active", "sec_fetch"],
  ])("refuses what a web page sends: %s: %s", (name, value, reason) => {
    const refusal = get(["Host", "x", name, value]);
    expect(refusal).toMatchObject({ code: "BROWSER_REFUSED", reason });
    // In its own spelling, not the caller's.
    expect(refusal?.header?.toLowerCase()).toBe(name.toLowerCase());
    expect(refusal?.header).toMatch(/^[A-Z]/);
  });

  it("does not take similar names for a web page's", () => {
    expect(
      get(["Host", "x", "Original", "1", "X-Referer", "1", "Sec-Fetch", "1", "X-Sec-Fetch-Site", "1"]),
    ).toBeUndefined();
  });

  it("lets pass what HTTP clients send by themselves: Sec-Fetch-Mode alone, an upgrade, HEAD", () => {
    expect(get(["Host", "x", "Sec-Fetch-Mode", "cors"])).toBeUndefined();
    expect(reasonOf(["Host", "x", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "none"])).toBe("sec_fetch");
    expect(get(["Host", "x", "Upgrade", "h2c", "Connection", "Upgrade, HTTP2-Settings"])).toBeUndefined();
    expect(get(["Host", "x"], "/v1/authinfo", "HEAD")).toBeUndefined();
  });

  it("refuses a preflight, other methods and an expectation", () => {
    expect(reasonOf(["Host", "x"], "/", "OPTIONS")).toBe("preflight");
    for (const method of ["PUT", "DELETE", "PATCH", "TRACE"])
      expect(reasonOf(["Host", "x"], "/", method)).toBe("method");
    expect(reasonOf(["Host", "x", "Expect", "200-ok"])).toBe("expect");
    expect(reasonOf(["Host", "x", "Expect", "100-Continue"])).toBeUndefined();
  });

  it.each([
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
  ])("takes a body of type %s", (type) => {
    expect(post("Content-Type", type, "Content-Length", "2")).toBeUndefined();
  });

  it.each([
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "application/json; charset=gbk",
    "text/plain; application/json",
    "application/json, text/plain",
    "application/problem+json",
  ])("refuses a body of type %s", (type) => {
    expect(post("Content-Type", type, "Content-Length", "2")).toBe("content_type");
  });

  it("wants a type only with a body, and never two", () => {
    expect(post()).toBeUndefined();
    expect(post("Content-Length", "0")).toBeUndefined();
    expect(post("Content-Length", "2")).toBe("content_type");
    expect(post("Transfer-Encoding", "chunked")).toBe("content_type");
    expect(post("Content-Type", "text/plain")).toBe("content_type");
    expect(post(...JSON_BODY, "Content-Type", "application/json")).toBe("content_type");
    expect(post(...JSON_BODY, "Content-Encoding", "gzip")).toBe("content_type");
  });

  it("refuses a length over 16 KiB before reading, and a body of a GET", () => {
    const sized = (length: string) => post("Content-Type", "application/json", "Content-Length", length);
    expect(sized("16384")).toBeUndefined();
    expect(sized("16385")).toBe("body_too_large");
    expect(sized("99999999999999999999999")).toBe("body_too_large");
    expect(reasonOf(["Host", "x", ...JSON_BODY])).toBe("body_unexpected");
  });
});
