// What `kill -9` does to a launcher, it does not do to the process that the launcher has handed over to: that one would work on, hold
// the state directory and keep the next one out, with nobody left to end it. A channel between the two ends with whoever dies first.
// Plain JavaScript for any Node >= 20.

/** Tells the process that was handed over to that the channel is its launcher's. Taken away at once: nothing it starts inherits it. */
const MARK = "LAUNCHER_HANDED_OVER";

/**
 * For spawn(): three streams, ours unless told, and the channel.
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly [stdin: "inherit" | "ignore", stdout: "inherit" | "ignore", stderr: "inherit" | number]} streams
 */
export function handingOver(env, streams = ["inherit", "inherit", "inherit"]) {
  return {
    stdio: /** @type {import("node:child_process").StdioOptions} */ ([...streams, "ipc"]),
    env: { ...env, [MARK]: "1" },
  };
}

/** For the process that was handed over to: ends it as SIGTERM does when its launcher is gone, however that has died. */
export function endWithLauncher() {
  const { [MARK]: mark } = process.env;
  delete process.env[MARK];
  if (mark === undefined) return;
  const end = () => process.kill(process.pid, "SIGTERM");
  // It may have died before this line was reached.
  if (!process.connected) end();
  process.once("disconnect", end);
  // The channel keeps no process alive that has nothing else to do.
  process.channel?.unref();
}
