/** `npm run check`: the type check and the linter, warnings being errors. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readOptions } from "./read-options.ts";

readOptions("check", {});

const root = fileURLToPath(new URL("..", import.meta.url));
// The linter's own binary: its umbrella package names builds for every system, which not every registry mirror holds, and
// npm ci refuses a lockfile without them.
const checks = [
  ["node_modules/.bin/tsc", "-p", "."],
  [`node_modules/@biomejs/cli-linux-${process.arch}/biome`, "check", "--error-on-warnings", "."],
] as const;

let failed = 0;
for (const [command, ...rest] of checks) {
  const { status } = spawnSync(command, rest, { cwd: root, stdio: "inherit" });
  if (status !== 0) failed++;
  process.stdout.write(`${status === 0 ? "ok" : "FAILED"}: ${[command.split("/").at(-1), ...rest].join(" ")}\n`);
}
process.exitCode = failed === 0 ? 0 : 1;
