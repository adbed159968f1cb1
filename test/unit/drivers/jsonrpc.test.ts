import { describe, expect, it } from "vitest";
import { buildRequest, parseAnswer } from "../../../drivers/line/jsonrpc.ts";

const kindOf = (text: string | Buffer, id?: number) => parseAnswer(Buffer.from(text as string), id).kind;

describe("buildRequest", () => {
  it("writes one JSON-RPC 2.0 object", () => {
    expect(JSON.parse(buildRequest(7, "hello", { protocol: "1.0", 名: "值" }).toString())).toEqual({
      jsonrpc: "2.0",
      id: 7,
      method: "hello",
      params: { protocol: "1.0", 名: "值" },
    });
  });
});

describe("parseAnswer", () => {
  it("finds the result or the error of the call in flight", () => {
    expect(parseAnswer(Buffer.from('{"jsonrpc":"2.0","id":5,"result":null}'), 5)).toEqual({
      kind: "result",
      result: null,
    });
    const error = '{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"message":"no","data":{"status":-1}}}';
    expect(parseAnswer(Buffer.from(error), 5)).toEqual({
      kind: "error",
      code: -32000,
      message: "no",
      data: { status: -1 },
    });
  });

  it("takes no answer that bears another id", () => {
    for (const id of ["6", "null", "5.5", '"5"', "-5", "[5]", "9007199254740993"]) {
      expect(kindOf(`{"jsonrpc":"2.0","id":${id},"result":1}`, 5)).toBe("stray_id");
    }
    expect(kindOf('{"jsonrpc":"2.0","result":1}', 5)).toBe("stray_id");
    expect(kindOf('{"jsonrpc":"2.0","id":5,"result":1}')).toBe("stray_id");
  });

  it("names what else came", () => {
    expect(kindOf(Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 5)).toBe("not_utf8");
    expect(kindOf(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 5)).toBe("not_utf8");
    expect(kindOf('\ufeff{"jsonrpc":"2.0","id":5,"result":1}', 5)).toBe("not_json");
    expect(kindOf("{", 5)).toBe("not_json");
    expect(kindOf("", 5)).toBe("not_json");
    expect(kindOf("5", 5)).toBe("not_object");
    expect(kindOf("null", 5)).toBe("not_object");
    expect(kindOf('[{"jsonrpc":"2.0","id":5,"result":1}]', 5)).toBe("batch");
    expect(kindOf(buildRequest(5, "hello", {}), 5)).toBe("echo");
    expect(kindOf('{"jsonrpc":"1.0","id":5,"result":1}', 5)).toBe("not_rpc");
    expect(kindOf('{"jsonrpc":"2.0","id":5}', 5)).toBe("not_rpc");
    expect(kindOf('{"jsonrpc":"2.0","id":5,"result":1,"error":{"code":1,"message":""}}', 5)).toBe("not_rpc");
    for (const error of ["null", "{}", '{"code":"1","message":""}', '{"code":1.5,"message":""}', '{"code":1}']) {
      expect(kindOf(`{"jsonrpc":"2.0","id":5,"error":${error}}`, 5)).toBe("not_rpc");
    }
  });

  it("is not harmed by depth or by __proto__", () => {
    const nested = (depth: number) => `{"jsonrpc":"2.0","id":5,"result":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expect(kindOf(nested(60), 5)).toBe("result");
    expect(kindOf(nested(4000), 5)).toBe("too_deep");
    expect(kindOf(`${"[".repeat(8192)}`, 5)).toBe("not_json");
    const answer = parseAnswer(Buffer.from('{"jsonrpc":"2.0","id":5,"result":{"__proto__":{"x":1}}}'), 5);
    expect(answer.kind === "result" && (answer.result as { x?: unknown }).x).toBeUndefined();
    expect(({} as { x?: unknown }).x).toBeUndefined();
    expect(kindOf('{"__proto__":{"result":1,"id":5,"jsonrpc":"2.0"}}', 5)).toBe("not_rpc");
  });
});
