import { describe, expect, it } from "vitest";
import { cleanFields } from "../../../agent/common/log/log-fields.ts";
import { failureWith } from "../../support/checks/failures.ts";

describe("the fields of an event", () => {
  it("lose every secret by its name, at any depth", () => {
    const secrets = [
      "authinfo",
      "raw_data",
      "rawdata",
      "rawData",
      "Authorization",
      "token",
      "passwd",
      "password",
      "key",
    ];
    for (const name of secrets) {
      expect(JSON.stringify(cleanFields({ [name]: "CANARY" })), name).toContain("[redacted]");
      const deep = cleanFields({ a: { b: { c: { [name]: "CANARY" } }, list: [{ [name]: { x: "CANARY" } }] } });
      expect(JSON.stringify(deep), name).not.toContain("CANARY");
    }
  });

  it("are bounded in depth, length and number", () => {
    const loop: Record<string, unknown> = { name: "loop" };
    loop.self = loop;
    expect(JSON.stringify(cleanFields(loop))).toContain("[deep]");
    const { text } = cleanFields({ text: "x".repeat(5_000) });
    expect(text).toBe(`${"x".repeat(2_000)}... (5000 characters)`);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`n${i}`, i]));
    expect(Object.keys(cleanFields(many))).toHaveLength(100);
    expect(cleanFields({ octets: Buffer.from("CANARY") })).toEqual({ octets: "[6 bytes]" });
  });

  it("cannot forge a line or steer a terminal", () => {
    const { text } = cleanFields({ text: "a\u202eb\u009bc\u200bd" });
    expect(text).toBe("a\\u202eb\\u009bc\\u200bd");
    expect(cleanFields({ code: "x", time: "x", level: "x" })).toEqual({ code_: "x", time_: "x", level_: "x" });
  });

  it("cannot give the event another prototype", () => {
    const hostile = JSON.parse('{"__proto__":{"code":"FORGED"},"deep":{"__proto__":{"code":"FORGED"}}}');
    const cleaned = cleanFields(hostile);
    expect(Object.getPrototypeOf(cleaned)).toBe(Object.prototype);
    expect(JSON.stringify(cleaned)).toBe('{"__proto___":{"code":"FORGED"},"deep":{"__proto___":{"code":"FORGED"}}}');
  });

  it("show an error with its code and context, and a defect with its stack", () => {
    const { error } = cleanFields({
      error: failureWith("PAY_DNS", { token: "CANARY", n: 1 }),
    });
    expect(error).toEqual({
      name: "AgentError",
      message: "PAY_DNS {}",
      code: "PAY_DNS",
      params: {},
      context: { token: "[redacted]", n: 1 },
    });
    const defect = cleanFields({ error: new TypeError("x is not a function") }).error;
    expect(defect).toMatchObject({ name: "TypeError", stack: expect.stringContaining("log-fields.test") });
  });

  it("never throw", () => {
    const hostile = {
      get bad(): string {
        throw new Error("no");
      },
    };
    expect(cleanFields(hostile)).toEqual({ fields: "[unreadable]" });
    expect(cleanFields({ n: 1n, f: () => 1, d: new Date(Number.NaN), u: undefined })).toEqual({
      n: "1",
      f: undefined,
      d: "[invalid date]",
      u: undefined,
    });
  });
});
