import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, it } from "vitest";

const run = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, [path.resolve("scripts", script), ...args], { encoding: "utf8" });

describe("the options of a long test", () => {
  it.each([
    ["an unknown one", ["--help"], "Unknown option '--help'"],
    ["a number that is none", ["--cases", "many"], "--cases many: a whole number, please"],
    ["half a number", ["--seed", "1.5"], "--seed 1.5: a whole number, please"],
    ["a number that is missing", ["--cases="], "--cases : a whole number, please"],
  ])("are refused with the ones there are: %s", (_what, args, problem) => {
    const { status, stdout, stderr } = run("fuzz.ts", ...args);
    expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
    expect(stderr).toBe(`${problem}\nusage: npm run fuzz -- [--cases 1e8] [--calls 1e6] [--seed 1] [--workers 2]\n`);
  });

  it("may be written with an exponent", () => {
    const { status, stdout } = run("fuzz.ts", "--cases", "1e2", "--calls", "0", "--workers", "1");
    expect({ status, stdout: /seed 1: 100 lines, 0 calls, 0 broken/.test(stdout) }).toEqual({
      status: 0,
      stdout: true,
    });
  });
});
