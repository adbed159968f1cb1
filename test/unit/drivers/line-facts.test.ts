import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AgentError } from "../../../agent/common/errors.ts";
import { failureText } from "../../../agent/messages/failure-text.ts";
import { failureOf, remedyFor, remedyOf } from "../../../agent/messages/remedies/remedies.ts";
import { FrameDecoder } from "../../../drivers/line/frame.ts";
import { buildRequest, faultOf, parseAnswer } from "../../../drivers/line/jsonrpc.ts";
import { explainSilence, LineEar } from "../../../drivers/sdk/line-facts.ts";
import { wrap } from "../../support/fakes/scripted-bridge.ts";

const ID = 4_000_000_000;
const timeout = new AgentError("BRIDGE_TIMEOUT", { method: "hello", ms: 10_000 });
const call = wrap(buildRequest(ID, "hello", {}));
const answer = (body: object) => wrap(JSON.stringify({ jsonrpc: "2.0", id: ID, ...body }));

/** What is said of a line after these octets, as the link takes them. */
function told(octets: Uint8Array, ear = new LineEar(), boot = 0) {
  ear.heard(octets, boot, 0);
  for (const payload of new FrameDecoder().push(octets)) {
    const { kind } = parseAnswer(payload, ID);
    if (kind !== "result" && kind !== "error") ear.unusable(payload, kind, faultOf(payload, kind, ID));
  }
  return explainSilence(timeout, ear.facts);
}

/** As 115200 baud are heard at 9600. */
const garbage = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 151 + 128) & 0xff));

describe("what came instead of an answer", () => {
  it.each([
    ["nothing", Buffer.alloc(0), "BRIDGE_TIMEOUT", /no answer to hello/],
    ["flags alone", Buffer.alloc(4, 0x7e), "BRIDGE_TIMEOUT", /no answer/],
    ["garbage", garbage, "BRIDGE_FOREIGN_DATA", /^300 octets of data came/],
    ["a bar-code scanner", Buffer.from("6901234567892\r\n"), "BRIDGE_FOREIGN_DATA", /^15 octets of text came/],
    ["a loop", Buffer.concat([Buffer.alloc(2, 0x7e), call]), "BRIDGE_ECHO", /own calls come back/],
    ["a modem", Buffer.concat([call, Buffer.from("\r\nOK\r\n")]), "BRIDGE_FOREIGN_DATA", /of text came.*own calls/],
    ["a broken frame", Buffer.from("~{broken}~"), "BRIDGE_FOREIGN_DATA", /text/],
    ["a NUL", wrap(`{"jsonrpc":"2.0","id":${ID},"result":{}}\0`), "BRIDGE_PROTOCOL", /NUL octet/],
    ["an error of null", answer({ result: {}, error: null }), "BRIDGE_PROTOCOL", /both "result" and "error"/],
    ["neither", answer({}), "BRIDGE_PROTOCOL", /neither "result" nor "error"/],
    ["an error of text", answer({ error: "no" }), "BRIDGE_PROTOCOL", /no code and message/],
    ["an id of text", answer({ result: {}, id: String(ID) }), "BRIDGE_PROTOCOL", /id of its answer is not a number/],
    ["no id", answer({ result: {}, id: undefined }), "BRIDGE_PROTOCOL", /has no id/],
    ["an id of its own", answer({ result: {}, id: 1 }), "BRIDGE_PROTOCOL", /another id/],
    ["a late answer", answer({ result: {}, id: ID - 1 }), "BRIDGE_TIMEOUT", /no answer/],
    ["no jsonrpc", answer({ jsonrpc: undefined, result: {} }), "BRIDGE_PROTOCOL", /"jsonrpc":"2.0"/],
    ["a batch", wrap("[]"), "BRIDGE_PROTOCOL", /batch/],
    ["a word", wrap('"ok"'), "BRIDGE_PROTOCOL", /not a JSON object/],
    ["no JSON", wrap("OK"), "BRIDGE_PROTOCOL", /not JSON/],
    ["a byte order mark", wrap("\ufeff{}"), "BRIDGE_PROTOCOL", /byte order mark/],
    ["no UTF-8", wrap(Buffer.of(0xc3, 0x28)), "BRIDGE_PROTOCOL", /not UTF-8/],
    ["too deep", wrap(`{"a":${"[".repeat(90)}${"]".repeat(90)}}`), "BRIDGE_PROTOCOL", /nested/],
  ])("%s: %s", (_what, octets, code, detail) => {
    const found = told(octets);
    const words = failureText(found);
    expect([found.code, words.en]).toEqual([code, expect.stringMatching(detail)]);
    expect(words.zh).toMatch(/^[^「]*[\u4e00-\u9fff][^「]*$/);
    // Nothing that came is repeated: a scanner reads payment codes.
    expect(found.message + JSON.stringify(found.context)).not.toContain("6901234567892");
  });

  it("is held against nobody soon after an answer, nor after the device was unplugged", () => {
    const ear = new LineEar();
    ear.answered(0);
    expect(told(garbage, ear, 60_000).code).toBe("BRIDGE_TIMEOUT");
    expect(told(garbage, ear, 120_000).code).toBe("BRIDGE_FOREIGN_DATA");
    ear.answered(121_000);
    expect(told(Buffer.alloc(0), ear, 400_000).code).toBe("BRIDGE_TIMEOUT");
    told(garbage, ear, 400_000);
    ear.forget();
    expect(told(Buffer.alloc(0), ear, 400_000).code).toBe("BRIDGE_TIMEOUT");
  });

  it("says nothing about a failure of another kind", () => {
    const other = new AgentError("SDK_ERROR", { returnCode: "ERROR" });
    expect(explainSilence(other, { octets: 9, foreign: 9, text: true, echoes: 0 })).toBe(other);
  });

  it("has a remedy of its own, and none tells anybody to make a loop", () => {
    expect(remedyFor("BRIDGE_FOREIGN_DATA")?.en).toMatch(/Another device or a wrong baud_rate/);
    expect(remedyFor("BRIDGE_FOREIGN_DATA")?.zh).toMatch(/接错了设备或 baud_rate 不对/);
    expect(remedyOf(failureOf(told(answer({}))))?.en).toMatch(/bridge --check/);
    const loop = remedyFor("BRIDGE_ECHO");
    expect(loop?.en).toMatch(/take off the loopback plug.*its TX belongs to the bridge's RX/);
    expect(loop?.zh).toMatch(/拔除回环插头.*本机 TX 应接刷脸模组的 RX/);
    expect(
      readFileSync(new URL("../../../agent/messages/remedies/line-rules.ts", import.meta.url), "utf8"),
    ).not.toMatch(/TX to RX/);
  });
});
