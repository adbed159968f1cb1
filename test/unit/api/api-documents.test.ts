import { describe, expect, it } from "vitest";
import {
  createAuthinfoRenderer,
  maySee,
  refreshedDocument,
  unavailable,
  withoutAuthinfo,
} from "../../../agent/api/authinfo-document.ts";
import { type ProblemCode, problem, problemStatuses } from "../../../agent/api/http/problem.ts";
import { rfc3339 } from "../../../agent/api/http/rfc3339.ts";
import type { AuthinfoState } from "../../../agent/credential/credential-types.ts";
import { absentView, identity, makeCredential, makeView } from "../../support/fixtures/api-fixture.ts";

describe("the authinfo document", () => {
  const render = createAuthinfoRenderer();
  const text = (changes = {}, credential = makeCredential(), who = identity) =>
    render(makeView({ credential, ...changes }), credential, who);

  it("has the specification's members in the specification's order", () => {
    const withAppid = { ...identity, subAppid: "wxsub" };
    expect(text({}, makeCredential(), withAppid)).toBe(
      '{"authinfo":"CANARY-AUTHINFO-0123456789","device_id":"DEV-1","sp_mchid":"1900000100","sp_appid":"wxsp",' +
        '"sub_mchid":"1900000109","sub_appid":"wxsub","organization_id":"O1","state":"fresh","generation":7,' +
        '"obtained_at":"2026-06-01T04:00:00.123Z","expires_at":"2026-06-01T05:00:00.123Z","remaining_s":3599,' +
        '"expiry_source":"response","clock_trusted":true,"persisted":true}',
    );
    expect(JSON.parse(text())).not.toHaveProperty("sub_appid");
  });

  it("follows every change, though it keeps the text between two of them", () => {
    const at = (changes = {}, credential = makeCredential()) => JSON.parse(text(changes, credential));
    const credential = makeCredential();
    expect(at({ remainingMs: 1_999 }, credential).remaining_s).toBe(1);
    expect(at({ remainingMs: 999 }, credential).remaining_s).toBe(0);
    expect(at({ state: "due" }, credential).state).toBe("due");
    expect(at({ state: "rejected" }, credential).state).toBe("rejected");
    expect(at({ persisted: false }, credential).persisted).toBe(false);
    expect(at({ clockTrusted: false }, credential).clock_trusted).toBe(false);
    expect(at({}, makeCredential({ generation: 8, expirySource: "assumed" }))).toMatchObject({
      generation: 8,
      expiry_source: "assumed",
    });
    expect(JSON.parse(text({}, credential, { ...identity, subMchid: "2" })).sub_mchid).toBe("2");
    expect(at({ state: "stale", remainingMs: -5_000 }, credential)).toMatchObject({ state: "stale", remaining_s: 0 });
  });

  it("tells a renewal that fails, and only while it fails", () => {
    const credential = makeCredential();
    const at = (code?: string) => {
      const cause = code === undefined ? {} : { cause: { code, sinceWallMs: Date.UTC(2026, 0, 2), params: {} } };
      return JSON.parse(text({ state: "due", ...cause }, credential)).renewal;
    };
    expect(at()).toBeUndefined();
    expect(at("PAY_DNS")).toEqual({ failing: true, since: "2026-01-02T00:00:00.000Z", code: "PAY_DNS" });
    expect(at("PAY_TIMEOUT")).toMatchObject({ code: "PAY_TIMEOUT" });
    expect(at()).toBeUndefined();
  });

  it("is ASCII whatever the bridge calls itself", () => {
    const credential = makeCredential({ deviceId: '中\u202e\u001b]\u007f"' });
    const rendered = text({}, credential);
    expect(rendered).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(rendered).device_id).toBe(credential.deviceId);
  });

  it("is for fresh, due and rejected, for stale only on demand, for the others never", () => {
    const states: AuthinfoState[] = ["fresh", "due", "rejected", "stale", "expired", "absent", "unprovisioned"];
    expect(states.filter((state) => maySee(state, false))).toEqual(["fresh", "due", "rejected"]);
    expect(states.filter((state) => maySee(state, true))).toEqual(["fresh", "due", "rejected", "stale"]);
  });

  it("is without the authinfo for technicians", () => {
    const open = withoutAuthinfo(makeView());
    expect(JSON.stringify(open)).not.toContain("CANARY");
    expect(open.credential).toMatchObject({ generation: 7, deviceId: "DEV-1" });
    expect(withoutAuthinfo(absentView)).toEqual(absentView);
    expect(refreshedDocument(open)).toEqual({
      state: "fresh",
      generation: 7,
      obtained_at: "2026-06-01T04:00:00.123Z",
      expires_at: "2026-06-01T05:00:00.123Z",
      remaining_s: 3599,
      expiry_source: "response",
      persisted: true,
    });
  });
});

describe("a problem", () => {
  const codeOf = (view: Parameters<typeof unavailable>[0]) => JSON.parse(unavailable(view).body).code;

  it("tells why there is no authinfo", () => {
    expect(codeOf(absentView)).toBe("AUTHINFO_ABSENT");
    expect(codeOf({ ...absentView, state: "unprovisioned" })).toBe("UNPROVISIONED");
    expect(codeOf(makeView({ state: "expired", remainingMs: -1 }))).toBe("AUTHINFO_EXPIRED");
  });

  it("names the cause, the wait and how long it has been expired, but no value", () => {
    const cause = { code: "PAY_DNS", sinceWallMs: Date.UTC(2026, 0, 2), params: {} };
    const reply = unavailable(makeView({ state: "stale", remainingMs: -61_500, cause }), 2.2);
    expect(reply).toMatchObject({ status: 503, contentType: "application/problem+json", retryAfterS: 3 });
    expect(JSON.parse(reply.body)).toMatchObject({
      type: "urn:facepay-agent:problem:AUTHINFO_EXPIRED",
      status: 503,
      code: "AUTHINFO_EXPIRED",
      cause: {
        code: "PAY_DNS",
        since: "2026-01-02T00:00:00.000Z",
        detail: "the name could not be resolved",
        params: {},
      },
      expired_for_s: 61,
      stale_available: true,
    });
    expect(JSON.parse(unavailable(makeView({ state: "expired", remainingMs: -1 })).body)).toMatchObject({
      stale_available: false,
      expired_for_s: 0,
    });
    expect(reply.body).not.toContain("CANARY");
  });

  it("has both titles for every code", () => {
    for (const code of Object.keys(problemStatuses) as ProblemCode[]) {
      const body = JSON.parse(problem(code).body);
      expect(body.title, code).toMatch(/^[\x20-\x7e]+$/);
      expect(body.title_zh, code).toMatch(/[\u4e00-\u9fff]/);
      expect(body.status, code).toBeGreaterThanOrEqual(400);
    }
  });

  it("writes any clock as a time", () => {
    expect(rfc3339(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(rfc3339(Number.POSITIVE_INFINITY)).toBe("1970-01-01T00:00:00.000Z");
    expect(rfc3339(-5)).toBe("1970-01-01T00:00:00.000Z");
    expect(rfc3339(1e300)).toBe("9999-12-31T23:59:59.999Z");
  });
});
