import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../../..");
const sources = path.join(root, "scripts/package");
const has = (tool: string) => spawnSync(tool, ["--version"]).error === undefined;
const work = mkdtempSync(path.join(os.tmpdir(), "facepay-deb-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const out = (command: string, args: readonly string[]) =>
  execFileSync(command, [...args], { encoding: "utf8", maxBuffer: 64e6 });
const build = (out: string, how: { readonly umask?: string; readonly args?: readonly string[] } = {}) =>
  spawnSync(
    "sh",
    ["-c", `umask ${how.umask ?? "022"}; exec "$@"`, "sh", process.execPath, "scripts/package.ts", "--out", out]
      // xz, the default, takes minutes.
      .concat(["--arch", "amd64", "--compression", "zstd"])
      .concat(how.args ?? []),
    {
      cwd: root,
      encoding: "utf8",
      env: { PATH: process.env.PATH, SOURCE_DATE_EPOCH: "1700000000", TZ: "Asia/Shanghai" },
    },
  );

describe.skipIf(!has("dpkg-deb"))("the package (skipped without dpkg-deb)", () => {
  const deb = path.join(work, "one/facepay-agent_0.1.0_amd64.deb");
  let said = "";
  const listed = new Map<string, string>();

  beforeAll(() => {
    const { stdout, stderr, status } = build(path.join(work, "one"));
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    said = stdout;
    for (const line of out("dpkg-deb", ["-c", deb]).trim().split("\n")) {
      const [mode = "", owner = "", , , , name = ""] = line.split(/\s+/);
      listed.set(name, `${mode} ${owner}`);
    }
  });

  it("is told with its size, its installed size, and how long its Node is supported", () => {
    expect(said).toMatch(
      /_amd64\.deb: \d+\.\d MB, installed \d+\.\d MB, Node 24\.\S+ inside \(supported until 2028-04-30\)/,
    );
  });

  it("is the same to the last bit when somebody else builds it again", () => {
    expect(build(path.join(work, "two"), { umask: "077" }).status).toBe(0);
    const digest = (directory: string) =>
      createHash("sha256")
        .update(readFileSync(path.join(work, directory, path.basename(deb))))
        .digest("hex");
    expect(digest("two")).toBe(digest("one"));
  });

  it("holds the program, its Node, units, users, rule, example, licences and bill of materials", () => {
    const file = "-rw-r--r-- root/root";
    for (const name of [
      "usr/lib/facepay-agent/facepay-agent.cjs",
      "usr/lib/facepay-agent/packages.json",
      "lib/systemd/system/facepay-agent.service",
      "lib/systemd/system/facepay-agent.socket",
      "lib/systemd/system/facepay-agent-admin.socket",
      "lib/systemd/system/facepay-bridge.service",
      "lib/udev/rules.d/99-facepay-bridge.rules",
      "usr/lib/sysusers.d/facepay-agent.conf",
      "usr/lib/tmpfiles.d/facepay-agent.conf",
      "etc/facepay-agent/config.toml.example",
      "usr/share/doc/facepay-agent/copyright",
      "usr/share/doc/facepay-agent/sbom.cdx.json.gz",
      "usr/share/man/man1/facepay-agent.1.gz",
    ]) {
      expect(listed.get(`./${name}`), name).toBe(file);
    }
    for (const name of ["usr/bin/facepay-agent", "usr/lib/facepay-agent/bin/node"]) {
      expect(listed.get(`./${name}`), name).toBe("-rwxr-xr-x root/root");
    }
    expect([...listed].filter(([, how]) => !/^(-rw-r--r--|[-d]rwxr-xr-x) root\/root$/.test(how))).toEqual([]);
    // Its name holds a digest.
    expect([...listed.keys()].some((name) => /\/facepay-agent\/lib\/agent[\w-]*\.cjs$/.test(name))).toBe(true);
    expect(listed.has("./etc/facepay-agent/config.toml")).toBe(false);
  });

  it("runs where it lies, and brings every licence", () => {
    const tree = path.join(work, "tree");
    mkdirSync(tree);
    out("dpkg-deb", ["-x", deb, tree]);
    const home = path.join(tree, "usr/lib/facepay-agent");
    const version = out(path.join(home, "bin/node"), [path.join(home, "facepay-agent.cjs"), "--version"]);
    expect(version.trim()).toBe("0.1.0");
    const copyright = readFileSync(path.join(tree, "usr/share/doc/facepay-agent/copyright"), "utf8");
    const { packages } = JSON.parse(readFileSync(path.join(home, "packages.json"), "utf8"));
    for (const { name, version } of packages) expect(copyright, name).toContain(` ${name} ${version} (`);
    expect(copyright).toContain("Node.js is licensed for use as follows");
  });
});

describe("npm run package", () => {
  it("refuses what it does not know, and leaves nothing behind", () => {
    const nowhere = path.join(work, "nowhere");
    for (const args of [
      ["--arch", "armv7"],
      ["--compression", "rar"],
      ["--colour", "red"],
    ]) {
      const { status, stderr } = build(nowhere, { args });
      expect({ args, status }).toEqual({ args, status: 64 });
      expect(stderr).not.toContain("    at ");
    }
    expect(readdirSync(work)).not.toContain("nowhere");
  });

  it("compresses as every dpkg can unpack it: with xz, unless told otherwise", () => {
    // Stands in for dpkg-deb, writes down how it was called and makes nothing: xz takes minutes.
    const tools = path.join(work, "tools");
    mkdirSync(tools);
    const said = path.join(tools, "said");
    const text = `#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "$@" >'${said}'\nexit 1\n`;
    writeFileSync(path.join(tools, "dpkg-deb"), text, { mode: 0o755 });
    const env = { PATH: `${tools}:${process.env.PATH}` };
    const args = ["scripts/package.ts", "--arch", "amd64", "--out", path.join(work, "none")];
    expect(spawnSync(process.execPath, args, { cwd: root, env }).status).not.toBe(0);
    expect(readFileSync(said, "utf8")).toContain(" -Zxz ");
  });

  it("says what is missing without dpkg-deb", () => {
    const script = path.join(root, "scripts/package.ts");
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8", env: { PATH: work } });
    expect(status).toBe(64);
    expect(stderr).toMatch(/needs dpkg-deb/);
  });
});

describe("the units", () => {
  const units = readdirSync(path.join(sources, "systemd")).filter((name) => /\.(service|socket)$/.test(name));
  const text = (name: string) => readFileSync(path.join(sources, "systemd", name), "utf8");

  it.skipIf(!has("systemd-analyze"))("expose at most 1.5 of 10 (skipped without systemd-analyze)", () => {
    const file = path.join(sources, "systemd/facepay-agent.service");
    const { status, stdout } = spawnSync("systemd-analyze", ["security", "--offline=true", "--threshold=15", file], {
      encoding: "utf8",
    });
    expect({ status, score: stdout.split("\n").findLast((line) => line.includes("exposure")) }).toMatchObject({
      status: 0,
    });
  });

  it.skipIf(!has("systemd-analyze"))("are without a complaint for systemd (skipped without systemd-analyze)", () => {
    // Where the package is not installed, another program stands in for ours, and no man pages are looked up.
    for (const name of units) {
      const stood = text(name).replace(/^(ExecStart=)\S+ \S+/gm, "$1/bin/true");
      writeFileSync(path.join(work, name), stood);
    }
    const { stdout, stderr } = spawnSync(
      "systemd-analyze",
      ["verify", "--man=no", ...units.map((name) => path.join(work, name))],
      { encoding: "utf8" },
    );
    expect(stdout + stderr).toBe("");
  });

  it("wait for no network and no clock, and are watched", () => {
    const service = text("facepay-agent.service");
    for (const name of units) expect(text(name).replace(/^#.*$/gm, "")).not.toMatch(/network-online|time-sync/);
    expect(service).toMatch(/^Type=notify$/m);
    expect(service).toMatch(/^WatchdogSec=60$/m);
    expect(service).toMatch(/^StartLimitIntervalSec=0$/m);
  });

  it("leave out what only later versions of systemd know", () => {
    // 247 complains about each key that it does not know, at every start.
    expect(text("facepay-agent.service")).not.toMatch(/^(RestartSteps|RestartMaxDelaySec|PrivateIPC|(No)?ExecPaths)=/m);
    expect(text("systemd-248.conf")).toMatch(/^NoExecPaths=\/$/m);
    expect(text("systemd-254.conf")).toMatch(/^RestartSteps=/m);
  });
});

describe("the maintainer scripts", () => {
  it("are shell, end at the first failure, and refuse what dpkg never says", () => {
    for (const name of ["preinst", "postinst", "prerm", "postrm"]) {
      const file = path.join(sources, "debian", name);
      expect(spawnSync("sh", ["-n", file]).status, name).toBe(0);
      expect(readFileSync(file, "utf8"), name).toMatch(/^set -e$/m);
      expect(spawnSync("sh", [file, "nonsense"]).status, name).toBe(1);
    }
  });
});
