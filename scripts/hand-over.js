// The launchers' one way to hand over to the Node that the package pins: it works on their streams, gets their signals, and its
// exit code is theirs. Plain JavaScript for any Node >= 20; needs nothing installed.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { handingOver } from "./handed-over.js";

/**
 * Runs a script on `node` in the place of this process, and ends with it.
 * @param {string} node
 * @param {readonly string[]} args the script and its arguments
 * @param {NodeJS.ProcessEnv} env
 * @param {boolean} lasting it works on until somebody ends it, and sees for itself when this process has gone
 */
export function handOver(node, args, env, lasting) {
  const child = spawn(node, args, lasting ? handingOver(env) : { stdio: "inherit", env });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => {
    process.stderr.write(`无法启动自带的 Node / cannot start the pinned Node: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0));
  });
  return child;
}
