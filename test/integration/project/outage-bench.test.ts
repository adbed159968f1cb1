import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);

let rows: Map<string, string[]>;
let stdout: string;

/** The number in a cell such as "30.2 s" or "0.119 +-0.027". */
const number = (cell: string | undefined) => Number.parseFloat(cell ?? "");
const measured = (start: string) => {
  const found = [...rows].filter(([what]) => what.startsWith(start));
  expect(found.length, start).toBeGreaterThan(0);
  return found.map(([, cells]) => number(cells[0]));
};
const most = (start: string) => Math.max(...measured(start));
const least = (start: string) => Math.min(...measured(start));

beforeAll(async () => {
  const args = ["--disable-warning=ExperimentalWarning", "scripts/bench-outage/bench-outage.ts", "--quick"];
  ({ stdout } = await run(process.execPath, args, { cwd: root, maxBuffer: 2 ** 22 }));
  const targets = stdout.slice(stdout.indexOf("### Targets"));
  rows = new Map();
  for (const line of targets.split("\n").filter((text) => text.startsWith("| "))) {
    const [what = "", ...cells] = line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim());
    rows.set(what, cells);
  }
}, 900_000);

// The same seeds draw the same figures on every machine; the bounds are wide because the quick bench drives little.
describe("the quick outage bench", () => {
  it("drives the real runner and finds its attempts at the same instants", () => {
    expect(most("attempts at another millisecond")).toBe(0);
    expect(most("10 s of a limited fleet")).toBe(0);
  });
  it("rides through outages far better than the other rules, for few calls", () => {
    expect(most("regret, defaults, 0.06 a day (")).toBeLessThan(0.2);
    expect(most("regret, defaults, 0.06 a day in clusters")).toBeLessThan(0.15);
    expect(most("regret, refresh_at = 0.25")).toBeLessThan(0.12);
    expect(most("calls a day, defaults")).toBeLessThan(85);
    expect(most("calls a day, refresh_at = 0.25")).toBeLessThan(150);
    const vault = stdout.split("\n").find((line) => line.startsWith("| Vault Agent"));
    expect(number(vault?.split("|")[2])).toBeGreaterThan(0.2);
  });
  it("comes back within the promised seconds, and tries often before the end of life", () => {
    expect(most("recovery p95 by polling")).toBeLessThan(37);
    expect(most("recovery p95 when the interface")).toBeLessThan(5.5);
    expect(least("fewest attempts in the last five minutes")).toBeGreaterThanOrEqual(8);
  });
  it("takes a fleet apart, and gives way to a limit", () => {
    const hourFour = [...rows].filter(([what]) => /^fleet of .*hour 4$/.test(what)).map(([, [cell]]) => number(cell));
    expect(hourFour.length).toBe(6);
    expect(Math.max(...hourFour)).toBeLessThan(1.4);
    expect(most("fleet of")).toBeLessThan(2.2);
    expect(most("after a 429, expired terminals")).toBeLessThan(1.2);
    expect(most("after a 503, expired terminals")).toBeLessThan(1.2);
    expect(least("refresh instants under a limit")).toBeGreaterThan(1.3);
    expect(most("the same 18 h after it")).toBeLessThan(1.1);
  });
});
