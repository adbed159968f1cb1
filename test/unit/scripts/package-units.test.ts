import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { manifest } from "../../../scripts/package/manifest.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const made = { copyright: "", sbom: "", changelog: "", manual: "", completion: "", runtime: "", program: "" };
const entries = manifest({ root, program: "program", node: "node", made });
const installed = entries.map(({ to }) => `/${to}`);

/** Units as the package installs them: [name, its settings in order]. */
const units = entries
  .filter(({ from }) => /\/systemd\/([\w-]+\.(service|socket|path|timer)|systemd-\d+\.conf)$/.test(from ?? ""))
  .map(({ to, from }) => {
    const lines = readFileSync(from ?? "", "utf8").split("\n");
    const settings = lines.flatMap((line) => {
      const [, key, value] = /^([A-Z]\w+)=(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [{ key, value }];
    });
    return { name: path.basename(to), settings };
  });

/** On every Debian, whatever the processor (base-files, dash, the file systems that systemd mounts). */
const DEBIAN = ["/", "/bin/sh", "/etc", "/lib", "/run", "/usr", "/usr/lib", "/var/lib", "/var/cache"];
/** What systemd refuses to start a unit without, when the path is missing and has no "-" (systemd.exec(5)). */
const PATHS =
  /^(Exec(Start|Reload|Stop)\w*|(NoExec|Exec|ReadOnly|ReadWrite|Inaccessible)Paths|Bind(ReadOnly)?Paths|EnvironmentFile|WorkingDirectory|RootDirectory)$/;
/** What systemd makes itself before it looks. */
const MADE: Readonly<Record<string, string>> = {
  RuntimeDirectory: "/run/",
  StateDirectory: "/var/lib/",
  CacheDirectory: "/var/cache/",
};

function missing(settings: readonly { key: string; value: string }[]): string[] {
  const own = settings.flatMap(({ key, value }) => (MADE[key] === undefined ? [] : [`${MADE[key]}${value}`]));
  const looked = settings.flatMap(({ key, value }) => (key === "ConditionPathExists" ? [value] : []));
  const there = (file: string) =>
    [...DEBIAN, ...installed, ...own, ...looked].includes(file) || installed.some((it) => it.startsWith(`${file}/`));
  return settings
    .filter(({ key }) => PATHS.test(key))
    .flatMap(({ key, value }) =>
      (key.startsWith("Exec") && key !== "ExecPaths" ? [value.split(" ")[0] ?? ""] : value.split(" ")).map((word) => ({
        key,
        word,
      })),
    )
    .filter(({ word }) => !/^\+?-/.test(word) && !there(word.replace(/^\+/, "")))
    .map(({ key, word }) => `${key}=${word}`);
}

describe("the units in the package", () => {
  it("are all looked at here", () => {
    const some = ["facepay-agent.service", "facepay-bridge.service", "systemd-248.conf"];
    expect(units.map(({ name }) => name)).toEqual(expect.arrayContaining(some));
  });

  it("name no path that a Debian system may lack, unless systemd may pass over it", () => {
    for (const { name, settings } of units) expect(missing(settings), name).toEqual([]);
    // What arm64 has not.
    expect(missing([{ key: "ExecPaths", value: "/usr/lib -/lib /lib64" }])).toEqual(["ExecPaths=/lib64"]);
    expect(missing([{ key: "EnvironmentFile", value: "/etc/default/other" }])).toHaveLength(1);
  });

  it("give a start the time of the slowest board, since one that is ended begins anew", () => {
    const [agent] = units.filter(({ name }) => name === "facepay-agent.service");
    const limit = agent?.settings.find(({ key }) => key === "TimeoutStartSec");
    expect(Number(limit?.value)).toBeGreaterThanOrEqual(600);
  });

  it("have a name of their own in the journal", () => {
    for (const { name, settings } of units.filter((unit) => unit.name.endsWith(".service"))) {
      expect(settings, name).toContainEqual({ key: "SyslogIdentifier", value: name.replace(".service", "") });
    }
  });

  it("pause before a restart after a refused configuration, and after nothing else", () => {
    for (const { name, settings } of units.filter((unit) => unit.name.endsWith(".service"))) {
      const directory = mkdtempSync(path.join(os.tmpdir(), "facepay-units-"));
      /** The setting's shell text, with the pause told instead of waited for. */
      const run = (key: string, env: NodeJS.ProcessEnv = {}) => {
        const [, text = ""] = /^-\+\/bin\/sh -c '(.*)'$/.exec(settings.find((it) => it.key === key)?.value ?? "") ?? [];
        expect(text, `${name} ${key}`).not.toBe("");
        const placed = text.replaceAll("/run/%p", `${directory}/it`).replace("sleep", "echo pause");
        return spawnSync("sh", ["-c", placed], { encoding: "utf8", env: { PATH: process.env.PATH, ...env } }).stdout;
      };
      const refused = () => existsSync(`${directory}/it.refused`);
      try {
        expect(run("ExecStartPre")).toBe("");
        run("ExecStopPost", { SERVICE_RESULT: "exit-code", EXIT_STATUS: "78" });
        expect(refused()).toBe(true);
        // systemd kills a start that has timed out: the pause has to be shorter than TimeoutStartSec=.
        expect(Number(/^pause (\d+)$/.exec(run("ExecStartPre").trim())?.[1])).toBeLessThan(55);
        // "systemctl restart" in mid-pause: systemd ends the pause, and knows the status of the run before.
        run("ExecStopPost", { SERVICE_RESULT: "success", EXIT_STATUS: "78" });
        expect(run("ExecStartPre")).toBe("");
        run("ExecStopPost", { SERVICE_RESULT: "signal", EXIT_STATUS: "KILL" });
        expect(refused()).toBe(false);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    }
  });

  it("allow devices by number, since systemd looks a name up once and a module may come later", () => {
    // By name only the processor's own serial lines, of which some drivers have no number of their own.
    const named = "char-tty[A-Z]* rw";
    const serial = ["4", "166", "170", "188", "204", "207"].map((major) => `char-${major} rw`);
    const devices = (unit: string) =>
      units
        .find(({ name }) => name === unit)
        ?.settings.filter(({ key }) => key === "DeviceAllow")
        .map(({ value }) => value)
        .sort();
    expect(devices("facepay-agent.service")).toEqual([...serial, named].sort());
    expect(devices("facepay-bridge.service")).toEqual([...serial, named, "char-81 rw", "char-189 rw"].sort());
  });
});
