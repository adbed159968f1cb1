import { describe, expect, it } from "vitest";
import { sanitizeUntrusted } from "../../../agent/common/log/sanitize-untrusted.ts";

describe("the words of a peer", () => {
  it("stay as they are when they are words", () => {
    const words = "参数错误: device_id LTA0P18937F13053200001 (PARAM_ERROR) at com.tencent.wxpayface.Sdk";
    expect(sanitizeUntrusted(words)).toBe(words);
  });

  it("lose every long run, whole or cut, before they are cut themselves", () => {
    const token = Buffer.from("a secret of any kind that is long").toString("base64");
    expect(sanitizeUntrusted(`bad ${token}, ${token.slice(3, 30)}!`)).toBe("bad …, …!");
    expect(sanitizeUntrusted(`${"word ".repeat(30)}${token}`, 155)).not.toContain(token.slice(0, 3));
  });

  it("are of one line, without what a terminal obeys, and bounded", () => {
    expect(sanitizeUntrusted("a\r\n\u001b[31m\u202eb\u2028c")).toBe("a [31m b c");
    expect(sanitizeUntrusted("长 ".repeat(500), 20)).toHaveLength(20);
  });
});
