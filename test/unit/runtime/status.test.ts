import { describe, expect, it } from "vitest";
import { type StatusSources, statusDocument } from "../../../agent/runtime/status-document.ts";

const wall = Date.UTC(2026, 5, 1, 4);
const sources: StatusSources = {
  version: "0.1.0",
  supportCode: "0000-0000-0000",
  bootId: "boot-1",
  pid: 4711,
  startedAtWallMs: wall,
  uptimeS: 12.7,
  clock: { trusted: false, steps: 0 },
  warnings: [],
  view: {
    state: "fresh",
    credential: {
      authinfo: "SECRET-authinfo",
      generation: 7,
      deviceId: "D1",
      bootId: "boot-1",
      obtainedBootMs: 1,
      obtainedWallMs: wall,
      skewMs: 0,
      lifetimeMs: 3_600_000,
      expirySource: "assumed",
      refreshAfterMs: 1,
    },
    remainingMs: 1_234_999,
    clockTrusted: true,
    persisted: true,
    cause: { code: "PAY_UNAUTHORIZED", sinceWallMs: wall, params: { httpStatus: 401 } },
  },
};

describe("the status document", () => {
  it("never carries an authinfo, nor more of the configuration than its file, hash and source", () => {
    const provision = {
      file: "/c.toml",
      hash: "abc",
      source: "file" as const,
      secrets: { bearerToken: "SECRET-token" },
    };
    const text = JSON.stringify(statusDocument({ ...sources, config: provision }));
    expect(text).not.toContain("SECRET");
    expect(JSON.parse(text).config).toEqual({ file: "/c.toml", hash: "abc", source: "file" });
  });

  it("tells the authinfo's times, the last error and the check that helps", () => {
    const document = statusDocument(sources);
    expect(document).toMatchObject({
      state_format: 1,
      pid: 4711,
      uptime_s: 12,
      authinfo: {
        state: "fresh",
        generation: 7,
        obtained_at: "2026-06-01T04:00:00.000Z",
        expires_at: "2026-06-01T05:00:00.000Z",
        remaining_s: 1234,
      },
      last_error: {
        code: "PAY_UNAUTHORIZED",
        since: "2026-06-01T04:00:00.000Z",
        detail: "HTTP 401",
        remedy: "pay.auth",
      },
    });
  });

  it("says null for a part that is not there", () => {
    expect(statusDocument(sources)).toMatchObject({ config: null, bridge: null, wechatpay: null, store: null });
  });
});
