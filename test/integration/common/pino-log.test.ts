import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";

const script = path.resolve(import.meta.dirname, "../../support/children/log-child.ts");

/** The lines of the same program with its stderr in a file that JOURNAL_STREAM names, or is said to be another one. */
function runWithJournal(named: "this" | "another"): string[] {
  const directory = mkdtempSync(path.join(os.tmpdir(), "facepay-log-"));
  const file = path.join(directory, "stderr");
  const stderr = openSync(file, "w");
  try {
    const { dev, ino } = fstatSync(stderr, { bigint: true });
    const JOURNAL_STREAM = `${dev}:${named === "this" ? ino : ino + 1n}`;
    const env = { PATH: process.env.PATH, JOURNAL_STREAM };
    spawnSync(process.execPath, [script, "sentence"], { env, stdio: ["ignore", "ignore", stderr] });
    return readFileSync(file, "utf8").trim().split("\n");
  } finally {
    closeSync(stderr);
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(...args: string[]): {
  lines: Record<string, unknown>[];
  stdout: string;
  stderr: string;
  status: number | null;
} {
  const { stderr, stdout, status } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  const lines = stderr.trim().split("\n");
  return { lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>), stdout, stderr, status };
}

describe("the log", () => {
  it("is one JSON object a line on stderr, with level, time and code, and no secret", () => {
    const { lines, stdout, stderr } = run();
    expect(lines.map(({ code }) => code)).toEqual(["FIRST", "AFTER"]);
    expect(Object.keys(lines[0] ?? {}).slice(0, 3)).toEqual(["level", "time", "code"]);
    expect(lines[0]).toMatchObject({ level: "info", authinfo: "[redacted]", nested: { raw_data: "[redacted]" } });
    expect(lines[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(lines[1]).toMatchObject({ level: "warn", error: { name: "Error", message: "boom" } });
    expect(JSON.stringify(lines)).not.toContain("CANARY");
    expect(stderr.split('"time"')).toHaveLength(3);
    expect(stdout).toBe("");
  });

  it("keeps 200 events until it is loaded, in order, and says how many it lost", () => {
    const { lines } = run("many");
    const rows = lines.filter(({ code }) => String(code).startsWith("ROW_")).map(({ n }) => n);
    expect(rows).toEqual(Array.from({ length: 199 }, (_, n) => n));
    expect(lines.find(({ code }) => code === "LOG_EVENTS_LOST")).toMatchObject({ count: 101 });
  });

  it("is not filled by one event that comes again and again", () => {
    const { lines } = run("flood");
    expect(lines.filter(({ code }) => code === "FLOOD")).toHaveLength(20);
  });

  it("gives each line its priority where systemd's journal reads, and there alone", () => {
    const prefixes = (lines: readonly string[]) => lines.map((line) => /^(<\d>)?/.exec(line)?.[0]);
    const lines = runWithJournal("this");
    expect(prefixes(lines)).toEqual(["<3>", "<3>", "<6>", "<4>"]);
    expect(lines[1]).toBe("<3>second line");
    expect(JSON.parse(lines[3]?.slice(3) ?? "")).toMatchObject({ level: "warn", code: "AFTER" });
    expect(prefixes(runWithJournal("another"))).toEqual(["", "", "", ""]);
  });

  it("loses nothing that was logged before the process ends", () => {
    const { lines, status } = run("exit");
    expect(status).toBe(3);
    expect(lines.at(-1)).toMatchObject({ code: "AFTER" });
  });
});
