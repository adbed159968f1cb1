import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { handingOver } from "../handed-over.js";

const launcher = fileURLToPath(new URL("../facepay-agent.js", import.meta.url));
const KILL_AFTER_MS = 10_000;

/** Starts `facepay-agent ARGS`, which writes its log to a file, and ends by itself when this process is killed. */
export function startProgram(args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, "a", 0o600);
  try {
    return spawn(process.execPath, [launcher, ...args], handingOver(process.env, ["ignore", "ignore", log]));
  } finally {
    closeSync(log);
  }
}

/** Ends it in order, or after a while anyhow. */
export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  const inTime = new AbortController();
  const kill = delay(KILL_AFTER_MS, undefined, { signal: inTime.signal }).then(
    () => child.kill("SIGKILL"),
    () => {},
  );
  child.kill("SIGTERM");
  await ended;
  inTime.abort();
  await kill;
}
