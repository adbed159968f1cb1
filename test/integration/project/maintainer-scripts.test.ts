import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const scripts = path.resolve(import.meta.dirname, "../../../scripts/package/debian");

/** A system of its own: an empty directory for every absolute path, and programs that write down how they were called. */
let root = "";
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "facepay-maintainer-"));
  for (const name of ["bin", "etc/facepay-agent/config.d"]) mkdirSync(path.join(root, name), { recursive: true });
  for (const tool of ["sh", "sed", "mkdir", "rm", "rmdir", "ln", "chmod", "cat"])
    symlinkSync(
      spawnSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).stdout.trim(),
      `${root}/bin/${tool}`,
    );
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** @param does what it does after the call has been written down: shell text */
function program(name: string, does = "exit 0"): void {
  writeFileSync(`${root}/bin/${name}`, `#!/bin/sh\necho "${name} $*" >>${root}/calls\n${does}\n`, { mode: 0o755 });
}

function run(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const text = readFileSync(path.join(scripts, name), "utf8").replace(/(?<=[ =])\/(etc|run|lib)\//g, `${root}/$1/`);
  const options = { encoding: "utf8", env: { PATH: `${root}/bin`, ...env } } as const;
  const { status, stderr, stdout } = spawnSync("/bin/sh", ["-c", text, name, ...args], options);
  const calls = spawnSync("cat", [`${root}/calls`], { encoding: "utf8" })
    .stdout.trim()
    .split("\n");
  return { status, stderr, stdout, calls };
}

describe("preinst", () => {
  const onSystem = (architecture: string, bits: string, libc: string, its = "amd64") => {
    program("dpkg", `case "$1" in --print-architecture) echo ${architecture} ;; *) exec ${realDpkg()} "$@" ;; esac`);
    program("getconf", `case "$1" in LONG_BIT) echo ${bits} ;; *) [ "${libc}" ] && echo "${libc}" ;; esac`);
    const { status, stderr } = run("preinst", ["install"], { DPKG_MAINTSCRIPT_ARCH: its });
    return { status, lines: stderr.trim().split("\n") };
  };
  const realDpkg = () => spawnSync("sh", ["-c", "command -v dpkg"], { encoding: "utf8" }).stdout.trim();

  it.skipIf(realDpkg() === "")("lets the package in where it can run (skipped without dpkg)", () => {
    expect(onSystem("amd64", "64", "glibc 2.28")).toEqual({ status: 0, lines: [""] });
    expect(onSystem("arm64", "64", "glibc 2.36", "arm64")).toEqual({ status: 0, lines: [""] });
  });

  it.skipIf(realDpkg() === "")(
    "refuses in one sentence of each language where it cannot (skipped without dpkg)",
    () => {
      const cases = [
        {
          found: onSystem("amd64", "64", "glibc 2.36", "arm64"),
          zh: /用于 arm64 处理器，而本系统是 amd64/,
          en: /is for arm64, but .* is amd64/,
        },
        {
          found: onSystem("loong64", "64", "glibc 2.36"),
          zh: /而本系统是 loong64/,
          en: /is for amd64, but .* is loong64/,
        },
        {
          found: onSystem("armhf", "32", "glibc 2.36", "arm64"),
          zh: /用户空间是 32 位（armhf）/,
          en: /32-bit \(armhf\)/,
        },
        {
          found: onSystem("amd64", "64", "glibc 2.27"),
          zh: /C 库是 2\.27，.*glibc 2\.28/,
          en: /is 2\.27, .* glibc 2\.28/,
        },
        { found: onSystem("amd64", "64", ""), zh: /不是 glibc/, en: /no glibc/ },
      ];
      for (const { found, zh, en } of cases) {
        expect(found.status).toBe(1);
        expect(found.lines).toHaveLength(2);
        expect(found.lines[0]).toMatch(zh);
        expect(found.lines[1]).toMatch(en);
      }
    },
  );
});

describe("postinst", () => {
  const groups = ["facepay-agent", "facepay-bridge", "facepay-cashier", "facepay-tech"];
  beforeEach(() => {
    for (const name of ["chown", "groupadd", "useradd", "systemd-tmpfiles", "udevadm"]) program(name);
    for (const name of ["deb-systemd-helper", "deb-systemd-invoke"]) program(name);
    program("getent", "exit 2");
    program("systemd-sysusers");
  });
  const bridge = (enabled: boolean) => {
    mkdirSync(`${root}/run/systemd/system`, { recursive: true });
    program("systemctl", `case "$*" in *is-enabled*) exit ${enabled ? 0 : 1} ;; esac`);
  };

  it("makes users and groups by hand where systemd-sysusers cannot, as in a chroot without /proc", () => {
    program("systemctl");
    program("systemd-sysusers", "echo 'Function not implemented' >&2; exit 1");
    const { status, stderr, calls } = run("postinst", ["configure", ""]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(calls).toEqual(expect.arrayContaining(groups.map((group) => `groupadd --system ${group}`)));
    expect(calls.filter((call) => /^useradd .* facepay-(agent|bridge)$/.test(call))).toHaveLength(2);
  });

  it.each([
    [247, []],
    [252, ["50-systemd-248.conf"]],
    [257, ["50-systemd-248.conf", "50-systemd-254.conf"]],
  ])("gives systemd %i the settings that it knows, and takes back those of a later one", (version, expected) => {
    const place = `${root}/lib/systemd/system/facepay-agent.service.d`;
    const links = () => (existsSync(place) ? readdirSync(place).sort() : []);
    const configure = (systemd: number) => {
      program("systemctl", `[ "$1" = --version ] && echo "systemd ${systemd} (${systemd}.1-2)"; exit 0`);
      expect(run("postinst", ["configure", ""])).toMatchObject({ status: 0, stderr: "" });
    };
    configure(version);
    expect(links()).toEqual(expected);
    configure(257);
    configure(version);
    expect(links()).toEqual(expected);
  });

  it("ends badly, with what systemd-sysusers said, where neither way works", () => {
    program("systemctl");
    program("systemd-sysusers", "echo 'Function not implemented' >&2; exit 1");
    program("groupadd", "exit 1");
    expect(run("postinst", ["configure", ""])).toMatchObject({ status: 1, stderr: "Function not implemented\n" });
  });

  it("starts the bridge again after a removal where it is enabled, and only restarts a running one where it is not", () => {
    bridge(true);
    expect(run("postinst", ["configure", "0.1.0"]).calls).toContain(
      "deb-systemd-invoke restart facepay-bridge.service",
    );
    rmSync(`${root}/calls`);
    bridge(false);
    const { calls } = run("postinst", ["configure", "0.1.0"]);
    expect(calls).toContain("systemctl try-restart facepay-bridge.service");
    expect(calls).not.toContain("deb-systemd-invoke restart facepay-bridge.service");
  });
});
