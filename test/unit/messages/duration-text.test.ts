import { describe, expect, it } from "vitest";
import { durationText, offsetText } from "../../../agent/messages/duration-text.ts";
import { textOf } from "../../../agent/messages/text-of.ts";

describe("a duration", () => {
  it.each([
    [-3, "0 秒", "0 s"],
    [9.9, "9 秒", "9 s"],
    [1_392, "23 分 12 秒", "23 min 12 s"],
    [3_723, "1 小时 2 分钟", "1 h 2 min"],
  ])("of %d s is told in words", (seconds, zh, en) => {
    expect(textOf(durationText(seconds))).toEqual({ zh, en });
  });
});

describe("a clock that is off", () => {
  it.each([
    [0.455, "与微信支付相差不到 1 秒", "within a second of WeChat Pay's clock"],
    [-179.53, "比微信支付快 179.5 秒", "179.5 s ahead of WeChat Pay's clock"],
    [14_399.6, "比微信支付慢约 4 小时", "about 4 h behind WeChat Pay's clock"],
    [-1_800, "比微信支付快约 30 分钟", "about 30 min ahead of WeChat Pay's clock"],
    [31_536_000, "比微信支付慢约 365 天", "about 365 days behind WeChat Pay's clock"],
  ])("by %d s is told with its direction, never as a signed number", (skewS, zh, en) => {
    expect(textOf(offsetText(skewS))).toEqual({ zh, en });
  });
});
