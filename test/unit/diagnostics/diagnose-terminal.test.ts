import { describe, expect, it } from "vitest";
import type { LoadResult } from "../../../agent/config/load.ts";
import { judgeSocket, systemds } from "../../../agent/diagnostics/checks/api-checks.ts";
import { judgeExpiry } from "../../../agent/diagnostics/checks/certificate-checks.ts";
import { judgeConfiguration, judgePermissions } from "../../../agent/diagnostics/checks/config-checks.ts";
import { judgeClient } from "../../../agent/diagnostics/checks/consumer-checks.ts";
import { judgeIdentity } from "../../../agent/diagnostics/checks/identity-check.ts";
import { judgeSeal } from "../../../agent/diagnostics/checks/key-checks.ts";
import { judgeKept } from "../../../agent/diagnostics/checks/store-checks.ts";
import { judgeDirectory } from "../../../agent/diagnostics/host/state-directory.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import type { Found } from "../../../agent/store/recover.ts";
import { told } from "../../support/checks/told.ts";
import { stateOf } from "../../support/fixtures/store-fixture.ts";

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const user = { name: "facepay", uid: 990, gid: 990, gids: [990] };
const problem = {
  key: "wechatpay.mode",
  origin: "/etc/facepay-agent/config.toml:16",
  what: { zh: "有误", en: "is wrong" },
  instead: { zh: "请改。", en: "Write it anew." },
};

describe("the configuration", () => {
  const valid = { kind: "ok", hash: "abc", warnings: [] } as unknown as LoadResult;
  const invalid = { kind: "invalid", problems: [problem, problem], warnings: [] } as unknown as LoadResult;

  it("is missing, invalid with file and line, valid, valid but not in force, or valid with a remark", () => {
    expect(judgeConfiguration({ kind: "absent", file: "/x" }, false, undefined)).toMatchObject({ status: "fail" });
    const judged = judgeConfiguration(invalid, true, undefined);
    expect(told(judged)).toMatchObject({ status: "fail", remedy: { en: "Write it anew." } });
    expect(textOf(judged.detail).en).toBe(
      "/etc/facepay-agent/config.toml:16 wechatpay.mode: is wrong (and 1 more); the last valid one is in use",
    );
    const reload = "kill -HUP 17";
    expect(judgeConfiguration(valid, true, { hash: "abc", reload })).toMatchObject({ status: "pass" });
    expect(told(judgeConfiguration(valid, true, { hash: "older", reload }))).toMatchObject({
      status: "warn",
      remedy: {
        zh: "请让服务重新加载配置：\n  kill -HUP 17",
        en: "Make the agent reload the configuration:\n  kill -HUP 17",
      },
    });
    expect(told(judgeConfiguration(valid, true, { hash: null, reload }))).toMatchObject({
      status: "fail",
      detail: { en: "valid, but the running agent has not loaded it yet" },
      remedy: { zh: "请让服务重新加载配置：\n  kill -HUP 17" },
    });
    const remarked = { ...valid, warnings: [problem] } as unknown as LoadResult;
    expect(told(judgeConfiguration(remarked, true, undefined))).toMatchObject({
      status: "warn",
      remedy: { zh: "请改。" },
    });
  });

  it.each([
    [0o640, 0, "pass"],
    [0o600, 990, "pass"],
    [0o644, 0, "warn"],
  ])("with mode %o of user %s: %s", (mode, uid, status) => {
    expect(judgePermissions("/etc/x", { mode, uid }).status).toBe(status);
  });

  it("names the device by both of its names, and refuses two different ones", () => {
    const shop = { organizationId: "O1", subMchid: "1900000109" };
    const same = judgeIdentity({ ...shop, deviceId: "A" }, "A");
    expect(same.status).toBe("pass");
    for (const text of Object.values(textOf(same.detail))) {
      for (const name of ["设备SN", "device_id", "机构ID", "organization_id"]) expect(text).toContain(name);
    }
    expect(judgeIdentity(shop, "A").status).toBe("pass");
    expect(judgeIdentity({ ...shop, deviceId: "A" }, null).status).toBe("pass");
    expect(judgeIdentity({ ...shop, deviceId: "A" }, "B").status).toBe("fail");
    expect(judgeIdentity(shop, null).status).toBe("fail");
    // Nobody has asked the bridge: that is no failure.
    expect(judgeIdentity(shop, undefined).status).toBe("skip");
  });
});

describe("keys and certificates", () => {
  it.each([
    [-1, "fail"],
    [7, "fail"],
    [8, "warn"],
    [30, "warn"],
    [31, "pass"],
  ])("with %s days left: %s", (days, status) => {
    expect(judgeExpiry("a.pem", NOW - DAY, NOW + days * DAY + 1, NOW).status).toBe(status);
  });

  it("that are not valid yet point at the clock", () => {
    expect(told(judgeExpiry("a.pem", NOW + 1, NOW + 99 * DAY, NOW))).toMatchObject({
      status: "fail",
      remedy: { zh: expect.stringContaining("本机时间") },
    });
  });

  it("are protected by a TPM, by the disk, or not at all, and never a failure for it", () => {
    expect(judgeSeal({ encrypted: true, tpm: true, given: true }).status).toBe("pass");
    for (const source of [
      { encrypted: true, tpm: false, given: true },
      { encrypted: false, tpm: true, given: true },
      { encrypted: false, tpm: false, given: false },
    ]) {
      expect(judgeSeal(source).status).toBe("warn");
    }
  });
});

describe("the kept state", () => {
  const header = { identity: "shop", device_id: "d", generation: 1, seq: 1, key_id: "k" };
  const good: Found = { kind: "good", header, state: stateOf(1) };
  const bad: Found = { kind: "bad", reason: "tampered", passing: false };
  const missing: Found = { kind: "missing" };
  it.each([
    [good, missing, 0, "pass"],
    [good, missing, 1, "warn"],
    [bad, good, 0, "warn"],
    [missing, good, 0, "warn"],
    [bad, missing, 0, "fail"],
    [bad, bad, 0, "fail"],
    [missing, bad, 0, "fail"],
    [missing, missing, 0, "skip"],
    [missing, missing, 1, "warn"],
  ])("%j, before %j, %s moved aside: %s", (current, previous, recentlyAside, status) => {
    expect(judgeKept({ current, previous, recentlyAside, identity: "shop" }).status).toBe(status);
  });

  it("of another merchant is only a warning", () => {
    const kept = { current: good, previous: missing, recentlyAside: 0, identity: "another" };
    expect(told(judgeKept(kept))).toMatchObject({
      status: "warn",
      detail: { en: expect.stringContaining("another merchant") },
    });
  });

  const place = "/var/lib/x";
  const writable = { place, why: "writable", uid: 990, mode: 0o770, owner: "root" } as const;
  const owner = { place, why: "owner", uid: 1000, mode: 0o700, owner: "root" } as const;
  it.each([
    [{ mode: 0o700, uid: 990, gid: 990, isDirectory: true }, undefined, undefined],
    [{ mode: 0o755, uid: 0, gid: 0, isDirectory: true }, undefined, "chown facepay /var/lib/x"],
    [{ mode: 0o770, uid: 990, gid: 990, isDirectory: true }, writable, "chmod go-w /var/lib/x"],
    [{ mode: 0o700, uid: 990, gid: 990, isDirectory: true }, { ...writable, place: "/var/lib" }, "chmod go-w /var/lib"],
    [{ mode: 0o700, uid: 1000, gid: 990, isDirectory: true }, owner, "chown facepay /var/lib/x"],
    [{ mode: 0o500, uid: 990, gid: 990, isDirectory: true }, undefined, "chmod 0700 /var/lib/x"],
    [{ mode: 0o600, uid: 990, gid: 990, isDirectory: false }, undefined, "Move the file /var/lib/x away"],
  ] as const)("lies in %j, with %j: %s", (found, untrusted, remedy) => {
    const outcome = judgeDirectory(place, { ...found, untrusted }, user);
    if (remedy === undefined) expect(outcome).toBeUndefined();
    else expect(told(outcome)).toMatchObject({ status: "fail", remedy: { en: expect.stringContaining(remedy) } });
  });

  it("of another user is refused though root is kept out of nothing, as the agent refuses it", () => {
    const root = { ...user, name: "root", uid: 0, gid: 0 };
    const found = { mode: 0o700, uid: 1000, gid: 1000, isDirectory: true, untrusted: owner };
    expect(judgeDirectory(place, found, root)?.status).toBe("fail");
  });
});

describe("the local API", () => {
  const socket = (mode: number, gid = 7) => ({ isSocket: true, mode: 0o140000 | mode, gid });
  const wanted = { path: "/run/x.sock", mode: 0o660, group: { name: "cashier", gid: 7 } };
  it.each([
    [undefined, "fail"],
    [{ isSocket: false, mode: 0o100660, gid: 7 }, "fail"],
    [socket(0o660), "pass"],
    [socket(0o666), "warn"],
    [socket(0o600), "fail"],
    [socket(0o606), "fail"],
    [socket(0o660, 8), "fail"],
  ])("with %j: %s", (found, status) => {
    expect(judgeSocket({ ...wanted, found }).status).toBe(status);
  });

  it("has the mode and group that the socket unit gives", () => {
    const unit = { Id: "facepay-agent.socket", SocketMode: "0600", SocketGroup: "root" };
    const units = { service: {}, credentials: [], sockets: [unit] };
    expect(systemds(units, "facepay-agent.socket")).toEqual({ mode: 0o600, group: { name: "root", gid: 0 } });
    expect(
      systemds({ service: {}, credentials: [], sockets: [{ Id: "facepay-agent.socket" }] }, "facepay-agent.socket"),
    ).toEqual({
      mode: 0o660,
      group: undefined,
    });
    expect(systemds(units, "facepay-agent-admin.socket")).toBeUndefined();
    expect(systemds(undefined, "facepay-agent.socket")).toBeUndefined();
  });

  it("is used, never used, or used wrongly", () => {
    const metrics = (served: number, host: number, soon: number) =>
      `facepay_authinfo_served_total{state="fresh"} ${served}\nfacepay_authinfo_served_total{state="due"} 0\n` +
      `facepay_api_denied_total{reason="host"} ${host}\nfacepay_api_denied_total{reason="too_soon"} ${soon}\n`;
    expect(judgeClient(metrics(3, 0, 0))).toMatchObject({ status: "pass", value: { served: 3, denied: 0 } });
    expect(judgeClient(metrics(0, 0, 0)).status).toBe("warn");
    expect(judgeClient(metrics(0, 0, 4)).status).toBe("warn");
    expect(judgeClient(metrics(3, 2, 0)).status).toBe("warn");
    expect(told(judgeClient(metrics(0, 2, 0)))).toMatchObject({
      status: "fail",
      detail: { en: expect.stringContaining("Host header missing, doubled or invalid (2)") },
    });
  });
});
