// Makes a fresh clone work with one command: installs what the lockfile names when that is missing or older than the
// lockfile, then hands over to the pinned Node. Plain JavaScript for any Node >= 20; needs nothing installed.
// Usage: node scripts/bootstrap.js SCRIPT [ARGUMENT ...]
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { handOver } from "./hand-over.js";
import { whenNpmHasGone } from "./npm-gone.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinnedNode = join(root, "node_modules", `node-linux-${process.arch}`, "bin", "node");

const modified = (/** @type {string} */ file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function installIfNeeded() {
  const installed = modified(join(root, "node_modules", ".package-lock.json"));
  if (installed >= modified(join(root, "package-lock.json")) && existsSync(pinnedNode)) return;
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    throw new Error(
      `只支持 Linux x64 和 arm64 / facepay-agent runs on Linux x64 and arm64, this is ${process.platform} ${process.arch}`,
    );
  }
  process.stderr.write("Setting up: npm ci / 正在安装依赖 ...\n");
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ["npm", []];
  // Asked for by name, so that NODE_ENV=production or an `omit` setting leaves nothing out. The warnings about engines
  // speak of this Node; the packages run on the pinned one.
  const wanted = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync(command, [...first, ...wanted], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    const why = error?.message ?? `exit ${status}`;
    throw new Error(`npm ci 失败，请看上面的输出后重试 / npm ci failed (${why}): see above, then try again`);
  }
  if (!existsSync(pinnedNode)) {
    throw new Error(
      `npm ci 没有装上 ${pinnedNode} / npm ci left no ${pinnedNode}: remove an "omit" or "os"/"cpu" setting of npm and try again`,
    );
  }
}

try {
  installIfNeeded();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

const [script, ...rest] = process.argv.slice(2);
if (script === undefined) {
  process.stderr.write("usage: node scripts/bootstrap.js SCRIPT [ARGUMENT ...]\n");
  process.exit(64);
}
const env = { ...process.env, PATH: `${dirname(pinnedNode)}:${process.env.PATH ?? ""}` };
// Those two work on until somebody ends them.
const lasting = ["scripts/facepay-agent.js", "scripts/demo.ts"].includes(script);
const child = handOver(pinnedNode, [resolve(root, script), ...rest], env, lasting);
if (lasting) whenNpmHasGone(() => child.kill("SIGTERM"));
