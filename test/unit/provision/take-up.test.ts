import { describe, expect, it } from "vitest";
import { judgeTakenUp } from "../../../agent/provision/activate.ts";

const FILE = "/etc/facepay-agent/config.toml";
const config = { file: FILE };
const gone = { code: "BRIDGE_NOT_FOUND", params: { path: "/dev/ttyUSB0" } };

describe("what comes of a new configuration", () => {
  it("is good with a fresh authinfo, and is waited for without one", () => {
    const fresh = { config, authinfo: { state: "fresh", remaining_s: 3_000 }, last_error: null, bridge: null };
    expect(judgeTakenUp(fresh, FILE, 3_000)?.ok).toBe(true);
    expect(judgeTakenUp({ config, authinfo: { state: "absent" }, last_error: gone }, FILE, 3_000)).toBeUndefined();
    expect(judgeTakenUp({ unreachable: "absent" }, FILE, 3_000)).toBeUndefined();
  });

  it("is not judged by what may be left of the configuration before", () => {
    const old = { config, authinfo: { state: "due", remaining_s: 1_790 }, last_error: gone };
    expect(judgeTakenUp(old, FILE, 0)).toBeUndefined();
  });

  it.each([
    ["in the last error", { last_error: gone, bridge: { problem: gone } }],
    ["on the line", { last_error: null, bridge: { problem: gone } }],
  ])("is told soon where an authinfo is held and something is wrong %s", (_where, wrong) => {
    const judged = judgeTakenUp({ config, authinfo: { state: "fresh", remaining_s: 1_790 }, ...wrong }, FILE, 3_000);
    expect(judged?.ok).toBe(false);
    expect(judged?.texts.map(({ en }) => en)).toEqual([
      expect.stringMatching(/good for another 29 min.*BRIDGE_NOT_FOUND \/dev\/ttyUSB0/),
      expect.stringMatching(/re-plug/),
    ]);
    expect(judged?.texts[0]?.zh).toMatch(/仍然有效，剩余 29 分钟.*\/dev\/ttyUSB0/);
  });

  it("is not read off an agent that works with another file", () => {
    const other = { config: { file: "/root/other.toml" }, authinfo: { state: "fresh", remaining_s: 3_000 } };
    expect(judgeTakenUp(other, FILE, 3_000)).toBeUndefined();
    expect(judgeTakenUp(other, FILE, 30_000)).toMatchObject({ ok: false });
  });
});
