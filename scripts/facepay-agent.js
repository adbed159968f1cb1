#!/usr/bin/env node
// The launcher. On a fit Node it runs the agent in this very process, with a compile cache; on an older one it hands over
// to the Node that the package pins. Plain JavaScript: it must start on whatever Node is there.
import { existsSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Node's own reaction to SIGUSR1 is to open a debugger port; a listener takes its place.
process.on("SIGUSR1", () => {});

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinnedNode = join(root, "node_modules", `node-linux-${process.arch}`, "bin", "node");
const major = Number(process.versions.node.split(".")[0]);

if (major >= 24) {
  // Never in the shared temporary directory, where another user could plant code.
  const cache = process.env.CACHE_DIRECTORY ?? join(root, "node_modules", ".cache");
  if (existsSync(cache) || existsSync(join(root, "node_modules"))) module.enableCompileCache(join(cache, "compile"));
  // Our own files name each other exactly. Node's search (links, package.json, file type) takes longer than the loading.
  const own = new URL("..", import.meta.url).href;
  module.registerHooks({
    resolve(specifier, context, next) {
      const { parentURL = "" } = context;
      const exact = specifier.startsWith(".") && specifier.endsWith(".ts") && parentURL.startsWith(own);
      if (!exact || parentURL.includes("/node_modules/")) return next(specifier, context);
      return { url: new URL(specifier, parentURL).href, format: "module-typescript", shortCircuit: true };
    },
  });
  if (process.env.LAUNCHER_HANDED_OVER) (await import("./handed-over.js")).endWithLauncher();
  const { main } = await import("../agent/main.ts");
  process.exitCode = await main(process.argv.slice(2));
} else if (existsSync(pinnedNode)) {
  // Loaded only here: on a fit Node it would cost each start milliseconds and the running agent megabytes.
  const { handOver } = await import("./hand-over.js");
  handOver(pinnedNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], process.env, true);
} else {
  process.stderr.write(
    `facepay-agent 需要 Node 24，当前是 ${process.version}：请先在 ${root} 执行 npm ci\n` +
      `facepay-agent needs Node 24, this is ${process.version}: run "npm ci" in ${root} first\n`,
  );
  process.exitCode = 1;
}
