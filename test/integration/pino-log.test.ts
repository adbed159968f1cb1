import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

function run(...args: string[]): {
  lines: Record<string, unknown>[];
  stdout: string;
  stderr: string;
  status: number | null;
} {
  const script = new URL("../support/log-child.ts", import.meta.url).pathname;
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

  it("loses nothing that was logged before the process ends", () => {
    const { lines, status } = run("exit");
    expect(status).toBe(3);
    expect(lines.at(-1)).toMatchObject({ code: "AFTER" });
  });
});
