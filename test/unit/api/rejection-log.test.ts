import { describe, expect, it } from "vitest";
import { RejectionLog } from "../../../agent/api/http/rejection-log.ts";
import { type Log, silentLog } from "../../../agent/common/log/log.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";

describe("refusals in the log", () => {
  it("are one line a minute, which has all of them in it", async () => {
    const clock = new FakeClock();
    const lines: unknown[] = [];
    const log: Log = { ...silentLog, warn: (code, fields) => void lines.push([code, fields]) };
    const rejections = new RejectionLog(clock, log, "API_REFUSED");
    expect(rejections.recently("crowded")).toBe(false);
    for (let i = 0; i < 1_000; i++) rejections.count("crowded");
    rejections.count("host");
    expect(lines).toEqual([["API_REFUSED", { refused: { crowded: 1 } }]]);
    await clock.advance(59_999);
    expect(rejections.recently("crowded")).toBe(true);
    await clock.advance(1);
    expect(rejections.recently("crowded")).toBe(false);
    rejections.count("host");
    expect(lines.slice(1)).toEqual([["API_REFUSED", { refused: { crowded: 999, host: 2 } }]]);
  });
});
