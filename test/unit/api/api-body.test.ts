import { describe, expect, it } from "vitest";
import { parseJsonObject } from "../../../agent/api/http/body.ts";

const parse = (text: string) => parseJsonObject(Buffer.from(text));
const kind = (text: string) => parse(text).kind;

describe("a JSON body", () => {
  it("is an object", () => {
    expect(parse('{"a":[1,{"b":"\\u4e2d中"}],"c":{"a":null}}')).toEqual({
      kind: "object",
      value: { a: [1, { b: "中中" }], c: { a: null } },
    });
    for (const text of ["[]", "1", '"a"', "null", "true", "", " ", "{", '{"a":1}x', "{'a':1}", '{"a":1,}']) {
      expect(kind(text), text).toBe("invalid");
    }
  });

  it("is valid UTF-8", () => {
    expect(parseJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])).kind).toBe("invalid");
    expect(kind('\ufeff{"a":1}')).toBe("invalid");
  });

  it("leaves every prototype alone", () => {
    for (const name of ["__proto__", "constructor", "prototype", "__pro\\u0074o__"]) {
      expect(kind(`{"${name}":{"polluted":1}}`), name).toBe("invalid");
      expect(kind(`{"a":[{"${name}":1}]}`), name).toBe("invalid");
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it("means one thing only: no name twice", () => {
    expect(kind('{"a":1,"a":2}')).toBe("invalid");
    expect(kind('{"a":1,"\\u0061":2}')).toBe("invalid");
    expect(kind('{"a":{"b":1},"b":{"a":":"}}')).toBe("object");
    expect(kind('{"a\\":":":\\"{["}')).toBe("object");
  });

  it("has no bottom too deep, no endless number, no half character", () => {
    const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    expect(kind(nested(32))).toBe("object");
    expect(kind(nested(33))).toBe("invalid");
    expect(kind("[".repeat(100_000))).toBe("invalid");
    expect(kind('{"a":1e400}')).toBe("invalid");
    expect(kind('{"a":-1e400}')).toBe("invalid");
    expect(kind('{"a":"\\ud800"}')).toBe("invalid");
    expect(kind('{"\\udc00":1}')).toBe("invalid");
  });

  it("is never quoted back", () => {
    for (const text of ['{"CANARY', '{"CANARY":1,"CANARY":1}', '{"a":"CANARY\\ud800"}', "CANARY"]) {
      expect(JSON.stringify(parse(text))).not.toContain("CANARY");
    }
  });
});
