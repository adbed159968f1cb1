import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import type { Clock } from "../../../agent/common/clock.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import type { DiagnoseContext } from "../../../agent/diagnostics/check.ts";
import { judgeLatency, judgeRoom } from "../../../agent/diagnostics/checks/disk-checks.ts";
import {
  judgeEnabled,
  judgeRestarts,
  judgeRunning,
  withoutUnit,
} from "../../../agent/diagnostics/checks/service-checks.ts";
import { judgeMemory, judgeNode, judgePackage, judgeSystem } from "../../../agent/diagnostics/checks/system-checks.ts";
import {
  judgeOffset,
  judgeRtc,
  judgeSynchronised,
  judgeZone,
  skewOf,
  synchronisationOf,
  trackingOf,
} from "../../../agent/diagnostics/checks/time-checks.ts";
import { allChecks } from "../../../agent/diagnostics/checks.ts";
import { listening } from "../../../agent/diagnostics/host/exposure.ts";
import { mountOf } from "../../../agent/diagnostics/host/mounts.ts";
import { allows, ancestors } from "../../../agent/diagnostics/host/rights.ts";
import { environmentOf, withServiceEnvironment } from "../../../agent/diagnostics/host/service-environment.ts";
import { userOfUnit } from "../../../agent/diagnostics/host/service-user.ts";
import { readingOf, unitsOf, wordsOf } from "../../../agent/diagnostics/host/units.ts";
import { p95, probeWriting } from "../../../agent/diagnostics/host/write-probe.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { told } from "../../support/checks/told.ts";

const NOW = Date.UTC(2026, 5, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("the system", () => {
  it.each<[string, string, number | undefined, string]>([
    ["Debian GNU/Linux", "12", 252, "pass"],
    ["Debian GNU/Linux", "10", undefined, "warn"],
    ["Ubuntu", "20.04.6 LTS", 245, "pass"],
    ["Ubuntu", "18.04", undefined, "warn"],
    ["UnionTech OS Desktop", "20", 241, "pass"],
    ["Kylin", "V10", 245, "pass"],
    ["Arch Linux", "rolling", undefined, "warn"],
    ["Kylin", "V10", 239, "fail"],
  ])("%s %s with systemd %s: %s", (distro, release, systemd, status) => {
    expect(judgeSystem({ distro, release }, systemd).status).toBe(status);
  });

  it.each<[string, number, string]>([
    ["24.21.0", NOW, "pass"],
    ["24.21.0", Date.parse("2028-02-15"), "warn"],
    ["25.1.0", NOW, "warn"],
    ["20.20.2", NOW, "fail"],
  ])("Node %s at %s: %s", (version, at, status) => {
    expect(judgeNode(version, at).status).toBe(status);
  });

  it("is compared with the package: what a technician may change does not count", () => {
    expect(judgePackage("").status).toBe("pass");
    expect(judgePackage("??5?????? c /etc/facepay-agent/config.toml\n").status).toBe("pass");
    expect(judgePackage("missing     /etc/facepay-agent/config.d (Permission denied)\n").status).toBe("pass");
    expect(judgePackage("??5?????? c /etc/logrotate.d/facepay-agent\n").status).toBe("warn");
    const changed = judgePackage("??5?????? c /etc/x\nmissing     /usr/lib/facepay-agent/agent.js\n");
    expect(changed).toMatchObject({
      status: "fail",
      value: { changed: ["/etc/x", "/usr/lib/facepay-agent/agent.js"] },
    });
    expect(textOf(changed.detail).en).toBe("differs from the package: /usr/lib/facepay-agent/agent.js and 1 more");
  });

  it.each([
    [15, "pass"],
    [14.9, "warn"],
    [5, "warn"],
    [4.9, "fail"],
  ])("%s %% of its memory: %s", (percent, status) => {
    expect(judgeMemory(percent * 1e7, 1e9).status).toBe(status);
  });
});

describe("the service, as systemctl shows it", () => {
  const shown = (service: string, socket = "enabled") =>
    `Id=facepay-agent.service\nLoadState=loaded\n${service}\n\n` +
    `Id=facepay-agent.socket\nLoadState=loaded\nUnitFileState=${socket}\n\n` +
    "Id=facepay-agent-admin.socket\nLoadState=not-found\n";
  const unitsIn = (text: string) => {
    const units = unitsOf(text, "systemd 252 (252.39-1~deb12u1)\n+PAM");
    if (units === undefined) throw new Error("no units");
    return units;
  };

  it("is not there when it is not found", () => {
    expect(unitsOf("Id=facepay-agent.service\nLoadState=not-found\n", "")).toBeUndefined();
    expect(unitsIn(shown("UnitFileState=enabled"))).toMatchObject({
      systemdVersion: 252,
      sockets: [{ UnitFileState: "enabled" }],
    });
  });

  it("is neither there nor missing where systemctl is late with any of its answers", async () => {
    const late = { kind: "late" } as const;
    const ended = (stdout: string) => ({ kind: "ended", code: 0, stdout, truncated: false }) as const;
    const [text, version, files] = [ended(shown("")), ended("systemd 252"), ended("[Service]")];
    expect(readingOf(text, version, files)).toMatchObject({ kind: "installed" });
    expect(readingOf(ended(""), version, files)).toEqual({ kind: "not_installed" });
    expect(readingOf({ kind: "missing" }, { kind: "missing" }, { kind: "missing" })).toEqual({ kind: "not_installed" });
    expect(readingOf(late, version, files)).toEqual(late);
    expect(readingOf(text, late, files)).toEqual(late);
    expect(readingOf(text, version, late)).toEqual(late);
  });

  it("is judged in nothing by what systemd could not be asked in time", async () => {
    const context = {
      ...{ installed: true, agent: { kind: "running", status: {} }, env: {}, loaded: undefined },
      once: async () => ({ kind: "late" }),
    } as unknown as DiagnoseContext;
    for (const id of ["svc.enabled", "svc.running", "svc.restarts", "cred.tpm"]) {
      const found = allChecks.find((check) => check.id === id);
      expect(told(await found?.run(context, new AbortController().signal)), id).toMatchObject({
        status: "skip",
        detail: { en: "systemd could not be asked in time" },
      });
    }
  });

  it.each([
    ["UnitFileState=enabled", "enabled", "pass"],
    ["UnitFileState=enabled", "disabled", "fail"],
    ["UnitFileState=disabled", "enabled", "fail"],
    ["UnitFileState=masked", "enabled", "fail"],
    ["UnitFileState=static", "static", "pass"],
  ])("%s, socket %s: %s", (service, socket, status) => {
    expect(judgeEnabled(unitsIn(shown(service, socket))).status).toBe(status);
  });

  it.each([
    ["[Service]\nLoadCredential=a:/b\n", false],
    ["[Service]\n# LoadCredentialEncrypted=a:/b\n", false],
    ["[Service]\nLoadCredentialEncrypted=a:/b\n", true],
    ["[Service]\nSetCredentialEncrypted = a: Whxqht+dQJax1aZeCGLxm\n", true],
    ["[Service]\nLoadCredentialEncrypted=a:/b\n\n# drop-in\n[Service]\nLoadCredentialEncrypted=\n", false],
  ])("has secrets that systemd decrypts by its files, %j: %s", (files, encrypted) => {
    // What systemd 252 shows of every unit, whatever its credentials.
    const text = shown("LoadCredentialEncrypted=[unprintable]");
    expect(unitsOf(text, "systemd 252", files)?.credentials.some((one) => one.encrypted)).toBe(encrypted);
  });

  const since = (s: number) => `ActiveEnterTimestampMonotonic=${s * 1e6}`;
  it.each([
    [`ActiveState=active\nSubState=running\n${since(100)}`, 161, "pass"],
    [`ActiveState=active\nSubState=running\n${since(100)}`, 159, "warn"],
    ["ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=78", 999, "fail"],
    ["ActiveState=inactive\nSubState=dead", 999, "fail"],
  ])("%j at %s s: %s", (service, at, status) => {
    expect(judgeRunning(unitsIn(shown(service)).service, at * 1_000).status).toBe(status);
  });

  it.each([
    [0, 10, "pass"],
    [3, 10, "warn"],
    [5, 10, "fail"],
    [5, 100_000, "pass"],
  ])("%s restarts, the last %s s ago: %s", (restarts, ago, status) => {
    const { service } = unitsIn(shown(`NRestarts=${restarts}\n${since(500)}`));
    expect(judgeRestarts(service, (500 + ago) * 1_000).status).toBe(status);
  });

  it("is nobody's failure where there is none", () => {
    for (const kind of ["absent", "silent"] as const) {
      expect(withoutUnit({ kind }, "/run/admin.sock", undefined).status).toBe("skip");
    }
  });

  it("gets the credentials that its files name", () => {
    const text = [
      "# /lib/systemd/system/facepay-agent.service",
      "[Service]",
      "LoadCredential=token:/etc/token",
      "# LoadCredentialEncrypted=not-this:/etc/x",
      "LoadCredentialEncrypted=store-key:/etc/credstore.encrypted/facepay-agent.store-key",
      "SetCredentialEncrypted=client.key: abc",
    ].join("\n");
    expect(unitsOf(shown(""), "", text)?.credentials).toEqual([
      { name: "token", encrypted: false },
      { name: "store-key", encrypted: true },
      { name: "client.key", encrypted: true },
    ]);
  });

  it("gives its environment, quoted as systemd quotes it", () => {
    const words = wordsOf('A=1 "HTTPS_PROXY=http://p:1" "B=two words \\"x\\""');
    expect(environmentOf(words)).toEqual({ A: "1", HTTPS_PROXY: "http://p:1", B: 'two words "x"' });
    const own = { HOME: "/root", https_proxy: "http://shell:1", FACEPAY_LOG_LEVEL: "debug" };
    expect(withServiceEnvironment(own, environmentOf(words))).toEqual({ HOME: "/root", HTTPS_PROXY: "http://p:1" });
    expect(withServiceEnvironment(own, undefined)).toEqual(own);
  });
});

describe("the disk", () => {
  const room = (freeMb: number, totalMb: number, ffree = 1_000) => ({
    bsize: 1_048_576,
    blocks: totalMb,
    bavail: freeMb,
    files: 10_000,
    ffree,
  });
  it.each([
    [room(300, 2_000), "pass"],
    // Nine tenths of a small partition are enough, and so is a thousandth of a large one.
    [room(59, 64), "pass"],
    [room(100, 100_000), "pass"],
    [room(19, 1_000), "warn"],
    [room(1, 1_000), "fail"],
    [room(900, 1_000, 199), "warn"],
    [room(900, 1_000, 19), "fail"],
    [{ ...room(900, 1_000), files: 0, ffree: 0 }, "pass"],
  ])("%j: %s", (free, status) => {
    expect(judgeRoom(free, "/var").status).toBe(status);
  });

  it("without inodes is told what to delete, since a journal that is cut frees none", () => {
    const remedy = { en: expect.stringContaining("du --inodes") };
    expect(judgeRoom(room(900, 1_000, 3), "/var")).toMatchObject({ status: "fail", remedy });
  });

  it("is as slow as its 95th percentile", () => {
    expect(p95([])).toBe(0);
    expect(p95([3, 1, 2])).toBe(3);
    expect(p95(Array.from({ length: 100 }, (_, at) => at + 1))).toBe(95);
    expect([99, 100, 999, 1_000].map((ms) => judgeLatency([ms]).status)).toEqual(["pass", "warn", "warn", "fail"]);
  });

  it("that hangs is a refusal, told by the probe itself", async () => {
    const atOnce = (_ms: number, act: () => void) => {
      queueMicrotask(act);
      return () => {};
    };
    const clock = { boot: () => 0, timer: atOnce } as unknown as Clock;
    expect(await probeWriting(tmpdir(), clock, systemRandom)).toMatchObject({ kind: "refused", errno: "ETIMEDOUT" });
  });

  it("is found by its mount, the longest and last one", () => {
    const table = [
      "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
      "30 21 0:25 / /var rw - tmpfs tmpfs rw,size=1k",
      "31 30 8:2 / /var/lib/my\\040dir rw,nosuid - ext4 /dev/sdb1 ro",
      "32 21 8:3 / /varnish ro - ext4 /dev/sdc1 rw",
      "33 21 0:26 / /var ro - overlay overlay rw",
    ].join("\n");
    expect(mountOf(table, "/etc/x")).toMatchObject({ point: "/", readOnly: false });
    expect(mountOf(table, "/var/lib/facepay-agent")).toMatchObject({ point: "/var", type: "overlay", readOnly: true });
    expect(mountOf(table, "/var/lib/my dir/state")).toMatchObject({ source: "/dev/sdb1", readOnly: true });
    expect(mountOf("", "/etc")).toBeUndefined();
  });
});

describe("the clock", () => {
  it.each([
    [0, "pass"],
    [-9.9, "pass"],
    [10, "warn"],
    [-119, "warn"],
    [120, "fail"],
    [-360, "fail"],
  ])("%s s off: %s", (skew, status) => {
    expect(judgeOffset(skew).status).toBe(status);
  });

  it("is said to be behind or ahead, as it is", () => {
    expect(textOf(judgeOffset(360).detail)).toEqual({
      zh: "比微信支付慢 360 秒（上限 300 秒）",
      en: "360 s behind WeChat Pay's clock (300 s is the limit)",
    });
    expect(textOf(judgeOffset(-20).detail).zh).toContain("快 20 秒");
  });

  it("is measured by the probe of this run, else by the agent", () => {
    const agent = { kind: "running", status: { clock: { trusted: true, skew_s: 7 } } } as const;
    const probed = (value: unknown) => () => ({ status: "pass" as const, value, detail: { zh: "", en: "" } });
    expect(skewOf({ agent, outcome: probed({ skew_s: 3 }) })).toBe(3);
    expect(skewOf({ agent, outcome: probed({ skew_s: "3" }) })).toBe(7);
    expect(skewOf({ agent: { kind: "absent" }, outcome: () => undefined })).toBeUndefined();
    expect(
      skewOf({
        agent: { kind: "running", status: { clock: { trusted: true, skew_s: null } } },
        outcome: () => undefined,
      }),
    ).toBeUndefined();
  });

  it("is asked of timedatectl, then of chrony", () => {
    expect(synchronisationOf("CanNTP=yes\nNTP=yes\nNTPSynchronized=yes\n")).toBe("synchronised");
    expect(synchronisationOf("CanNTP=yes\nNTP=no\nNTPSynchronized=no\n")).toBe("unsynchronised");
    expect(synchronisationOf("CanNTP=no\nNTP=no\nNTPSynchronized=no\n")).toBe("unknown");
    expect(synchronisationOf("")).toBe("unknown");
    expect(trackingOf("CB007101,203.0.113.1,2,1780000000.1,0.00001,Normal\n")).toBe("synchronised");
    expect(trackingOf("00000000,,0,0.0,0.0,Not synchronised\n")).toBe("unsynchronised");
    expect(trackingOf("")).toBe("unknown");
  });

  it.each([
    ["unknown", 5 * HOUR, undefined, "skip"],
    ["synchronised", 0, 500, "pass"],
    ["unsynchronised", 59 * MINUTE, undefined, "warn"],
    ["unsynchronised", 61 * MINUTE, undefined, "fail"],
    ["unsynchronised", 61 * MINUTE, 2, "warn"],
    ["unsynchronised", 61 * MINUTE, -40, "fail"],
  ] as const)("%s, %s ms after boot, off by %s: %s", (said, boot, offset, status) => {
    expect(judgeSynchronised(said, boot, offset).status).toBe(status);
  });

  it("has a battery, a file, or neither", () => {
    const sources = { rtc: false, clockFileMs: undefined, builtMs: NOW - HOUR };
    expect(judgeRtc({ ...sources, rtc: true }, NOW).status).toBe("pass");
    expect(judgeRtc({ ...sources, clockFileMs: NOW - HOUR }, NOW).status).toBe("pass");
    expect(judgeRtc({ ...sources, clockFileMs: NOW - 31 * 24 * HOUR }, NOW).status).toBe("warn");
    expect(judgeRtc(sources, NOW).status).toBe("warn");
    expect(judgeRtc({ ...sources, rtc: true }, NOW - 14 * HOUR).status).toBe("fail");
  });

  it("shows China's time under any name", () => {
    expect(judgeZone("Asia/Shanghai", 480).status).toBe("pass");
    expect(judgeZone("PRC", 480).status).toBe("pass");
    expect(judgeZone("UTC", 0).status).toBe("warn");
  });
});

describe("the rights of the service's user", () => {
  const user = { name: "facepay", uid: 990, gid: 991, gids: [991, 20] };
  const file = (mode: number, uid: number, gid: number) => ({ mode: 0o100000 | mode, uid, gid });
  it.each([
    [file(0o600, 990, 0), "rw", true],
    [file(0o060, 990, 991), "r", false],
    [file(0o640, 0, 991), "r", true],
    [file(0o640, 0, 991), "w", false],
    [file(0o660, 0, 20), "rw", true],
    [file(0o606, 0, 20), "r", false],
    [file(0o604, 0, 0), "r", true],
    [file(0o600, 0, 0), "r", false],
  ] as const)("%j %s: %s", (found, want, granted) => {
    expect(allows(found, user, want)).toBe(granted);
  });

  it("of root end only where nobody may execute", () => {
    const root = { ...user, uid: 0 };
    expect(allows(file(0, 1, 1), root, "rw")).toBe(true);
    expect(allows(file(0, 1, 1), root, "x")).toBe(false);
    expect(allows({ ...file(0, 1, 1), mode: 0o040000 }, root, "rwx")).toBe(true);
  });

  it("are those of the unit's user, its group, and the groups that the unit adds", async () => {
    const asked: unknown[][] = [];
    const groupId = (...args: [string]) => {
      asked.push(args);
      return { facepay: 700, dialout: 20, video: 44 }[args[0]];
    };
    const unit = { user: "root", group: "facepay", supplementaryGroups: ["dialout", "video", "nowhere"] };
    expect(await userOfUnit(unit, groupId)).toMatchObject({ name: "root", uid: 0, gid: 700 });
    expect((await userOfUnit(unit, groupId))?.gids).toEqual(expect.arrayContaining([700, 20, 44]));
    // A second argument would be the file to read the groups from.
    expect(asked.every((args) => args.length === 1)).toBe(true);
    expect((await userOfUnit({ ...unit, group: "" }, groupId))?.gid).toBe(0);
    expect(await userOfUnit({ ...unit, user: "nobody-of-this-name" }, groupId)).toBeUndefined();
    expect(await userOfUnit({ ...unit, group: "nowhere" }, groupId)).toBeUndefined();
  });

  it("begin at the root of the tree", () => {
    expect(ancestors("/a/b/c")).toEqual(["/", "/a", "/a/b"]);
  });
});

it("a listener is one that listens, on whatever address", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1",
    "   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1",
    "   2: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 333 1",
  ].join("\n");
  expect(listening(table, new Set(["111", "333"]))).toEqual([{ address: "127.0.0.1", port: 8080 }]);
  expect(listening(table, new Set(["222"]))).toEqual([{ address: "0.0.0.0", port: 80 }]);
  const six = "   0: 00000000000000000000000001000000:0050 0:0 0A 0:0 0:0 0 0 0 444 1";
  expect(listening(six, new Set(["444"]))).toEqual([{ address: "[0:0:0:0:0:0:0:1]", port: 80 }]);
});
