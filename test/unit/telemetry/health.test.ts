import { describe, expect, it } from "vitest";
import type { StatusDocument } from "../../../agent/api/status-document.ts";
import { auditFields } from "../../../agent/telemetry/audit.ts";
import { healthOf, healthSignature } from "../../../agent/telemetry/health.ts";

const status: StatusDocument = {
  version: "1.12.3",
  config: { file: "/etc/facepay-agent/config.toml", hash: "abcdef012345", source: "file" },
  boot_id: "boot",
  uptime_s: 77,
  authinfo: {
    state: "due",
    generation: 4,
    device_id: "DEVICE",
    obtained_at: "2026-06-01T04:00:00.000Z",
    expires_at: "2026-06-01T05:00:00.000Z",
    remaining_s: 1_800,
    clock_trusted: true,
    persisted: false,
    failures: 2,
    last_success_at: "2026-06-01T04:00:01.000Z",
  },
  bridge: null,
  wechatpay: { base_urls: [], client_cert_expires_at: "2027-01-01T00:00:00.000Z" },
  store: null,
  clock: { trusted: true, skew_s: -0.25 },
  last_error: { code: "PAY_DNS", since: "2026-06-01T04:10:00.000Z", detail: "text", params: {} },
  next_attempt: null,
  warnings: [
    { code: "REFRESH_FAILING", since: "2026-06-01T04:10:00.000Z" },
    { code: "CONFIG_REMEMBERED", since: "2026-06-01T04:10:00.000Z", detail: "a text of the file" },
  ],
};
const facts = { diskFreeMb: 900, memoryAvailableMb: 300, served: 8, refreshOk: 3, refreshFailed: 2, rejected: 1 };

describe("the health of a terminal", () => {
  it("is a flat object of numbers and short strings with every field of specification 10", () => {
    expect(healthOf(status, facts)).toEqual({
      version: "1.12.3",
      version_number: 1_012_003,
      config_hash: "abcdef012345",
      config_refused: 1,
      state: "due",
      generation: 4,
      remaining_s: 1_800,
      expires_at: Date.UTC(2026, 5, 1, 5) / 1_000,
      last_success_at: Date.UTC(2026, 5, 1, 4, 0, 1) / 1_000,
      failures: 2,
      last_error: "PAY_DNS",
      bridge_state: "",
      skew_s: -0.25,
      clock_trusted: 1,
      persisted: 0,
      warnings: "REFRESH_FAILING,CONFIG_REMEMBERED",
      uptime_s: 77,
      disk_free_mb: 900,
      memory_available_mb: 300,
      client_certificate_expires_at: Date.UTC(2027, 0, 1) / 1_000,
      served_total: 8,
      refresh_ok_total: 3,
      refresh_failed_total: 2,
      rejected_total: 1,
    });
  });

  it("leaves out what is not known", () => {
    const { obtained_at: _o, expires_at: _e, last_success_at: _l, ...rest } = status.authinfo;
    const health = healthOf({ ...status, authinfo: rest, clock: { trusted: true, skew_s: null } }, facts);
    for (const name of ["expires_at", "last_success_at", "skew_s"]) expect(health).not.toHaveProperty(name);
  });

  it("is told out of turn for what an operator acts on, not for the passing of time", () => {
    const told = healthSignature(healthOf(status, facts));
    const later = { ...status, uptime_s: 78, authinfo: { ...status.authinfo, remaining_s: 1_799, failures: 3 } };
    expect(healthSignature(healthOf(later, { ...facts, served: 9 }))).toBe(told);
    for (const change of [
      { authinfo: { ...status.authinfo, state: "fresh" } },
      { last_error: null },
      { warnings: [] },
      { authinfo: { ...status.authinfo, generation: 5 } },
    ])
      expect(healthSignature(healthOf({ ...status, ...change }, facts))).not.toBe(told);
  });
});

describe("events of the log that leave the terminal", () => {
  it("take along what is named, and no text of a peer", () => {
    const said = { generation: 3, errCode: 5, returnCode: "FAIL", returnMsg: "secret" };
    expect(auditFields("AUTHINFO_REJECTED", said)).toEqual({ generation: 3 });
    expect(auditFields("CONFIG_RELOAD_REFUSED", { detail: "line 3: token = ..." })).toEqual({});
    expect(auditFields("REFRESH_FAILED", { cause: "PAY_DNS", params: { x: "secret" }, why: "planned" })).toEqual({
      cause: "PAY_DNS",
      why: "planned",
    });
    expect(auditFields("DEVICE_CHANGED", { was: "A", is: "B\u202e\n" })).toEqual({ was: "A", is: "B??" });
  });

  it("count refused requests", () => {
    expect(auditFields("API_REFUSED", { refused: { browser: 3, "evil name": 4, host: "x" } })).toEqual({
      refused_browser: 3,
    });
  });

  it.each(["API_INTERNAL", "constructor", "__proto__", "toString"])("do not hold %s", (code) => {
    expect(auditFields(code, { detail: "x" })).toBeUndefined();
  });
});
