import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, it } from "vitest";

const run = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, [path.resolve("scripts", script), ...args], { encoding: "utf8" });

describe("the options of a long test", () => {
  it.each([
    ["an unknown one", ["--nonsense"], "Unknown option '--nonsense'"],
    [
      "a word that is no option",
      ["--seed", "1", "2"],
      "Unexpected argument '2'. This command does not take positional arguments",
    ],
    ["a number that is none", ["--cases", "many"], "--cases many: a whole number, please"],
    ["half a number", ["--seed", "1.5"], "--seed 1.5: a whole number, please"],
    ["a number that is missing", ["--cases="], "--cases : a whole number, please"],
  ])("are refused with the ones there are: %s", (_what, args, problem) => {
    const { status, stdout, stderr } = run("fuzz.ts", ...args);
    expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
    expect(stderr).toBe(`${problem}\nusage: npm run fuzz -- [--cases 1e8] [--calls 1e6] [--seed 1] [--workers 2]\n`);
  });

  it.each([
    ["soak/soak.ts", ["--minutes", "0"], "--minutes 0: a number above 0, at most 20160, please"],
    ["soak/soak.ts", ["--seed=-1"], "--seed -1: a whole number, please"],
    ["soak/soak.ts", ["--launcher", "/nowhere"], "--launcher: there is no /nowhere"],
    ["bench/bench.ts", ["--only", "start,toString"], "--only: there is no row toString"],
    ["bench/bench.ts", ["--launcher", "/nowhere"], "--launcher: there is no /nowhere"],
    ["build.ts", ["--arch", "arm"], "--arch arm: one of x64, arm64, please"],
    ["package.ts", ["--arch", "i386"], "--arch i386: one of amd64, arm64, all, please"],
    ["check.ts", ["--fix"], "Unknown option '--fix'"],
    ["demo.ts", ["--lang", "de"], "--lang de: one of zh-CN, en, both, please"],
    ["demo.ts", ["--gatway"], "Unknown option '--gatway'"],
  ] as const)("are refused by %s before it begins: %j", (script, args, problem) => {
    const { status, stdout, stderr } = run(script, ...args);
    expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
    expect(stderr).toMatch(`${problem}\nusage: npm `);
  });

  it.each([
    ["soak/soak.ts", "npm run soak -- [--minutes 60] [--seed N] [--launcher FILE]"],
    [
      "bench/bench.ts",
      "npm run bench -- [--only start,memory,telemetry,rate,p99,frames,signing,writes] [--launcher FILE]",
    ],
    ["build.ts", "npm run build -- [--out DIR] [--arch x64|arm64]"],
    ["demo.ts", "npm start -- [--gateway] [--bridge simulated|java] [--native] [--lang zh-CN|en|both]"],
    ["fuzz.ts", "npm run fuzz -- [--cases 1e8] [--calls 1e6] [--seed 1] [--workers 2]"],
    ["check.ts", "npm run check"],
    ["bench-bridge.ts", "npm run bench:bridge"],
    ["test-clock.ts", "npm run test:clock"],
    [
      "package.ts",
      "npm run package -- [--arch amd64|arm64|all] [--out DIR] [--compression xz|zstd|none] [--deb-version V] [--lint] [--apt DIR] [--sign-key FINGERPRINT] [--maintainer 'NAME <MAIL>']",
    ],
  ])("are told by %s to those who ask with --help", (script, usage) => {
    const { status, stdout, stderr } = run(script, "--help");
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `usage: ${usage}\n`, stderr: "" });
  });

  it("may be written with an exponent", () => {
    const { status, stdout } = run("fuzz.ts", "--cases", "1e2", "--calls", "0", "--workers", "1");
    expect({ status, stdout: /seed 1: 100 lines, 0 calls, 0 broken/.test(stdout) }).toEqual({
      status: 0,
      stdout: true,
    });
  });
});
