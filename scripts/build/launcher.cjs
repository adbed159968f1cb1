#!/usr/bin/env node
// The launcher of the bundled program. CommonJS throughout: Node's loader of ES modules alone would cost each start 20 ms.

// Node's own reaction to SIGUSR1 is to open a debugger port; a listener takes its place.
process.on("SIGUSR1", () => {});

if (Number(process.versions.node.split(".")[0]) >= 24) {
  const { existsSync } = require("node:fs");
  // Never in the shared temporary directory, where another user could plant code.
  const cache = process.env.CACHE_DIRECTORY ?? `${__dirname}/cache`;
  if (existsSync(cache)) require("node:module").enableCompileCache(`${cache}/compile`);
  /** @type {{ main(argv: readonly string[]): Promise<number> }} */
  const { main } = require(`${__dirname}/lib/agent.cjs`);
  // A rejection ends the process as an error nobody has caught, which it is.
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
} else {
  const { version } = process;
  process.stderr.write(
    `facepay-agent 需要 Node 24，当前是 ${version}\nfacepay-agent needs Node 24, this is ${version}\n`,
  );
  process.exitCode = 1;
}
