import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../agent/common/clock.ts";
import { asAgentError } from "../../agent/common/errors.ts";
import { silentLog } from "../../agent/common/log/log.ts";
import { systemRandom } from "../../agent/common/random.ts";
import { type DirectoryLock, holderOf, lockDirectory } from "../../agent/store/lock.ts";
import type { Print } from "./print.ts";

/** sysexits EX_TEMPFAIL, as the agent's own refusal (specification 1). */
const LOCKED = 75;
/** An agent whose demo was killed ends by itself, and takes a moment for it. */
const ENDING_MS = 5_000;
const LOOK_EVERY_MS = 50;

/**
 * Takes the demo's directory: new keys and addresses would pull the ground from under a demo that is running in it. Where one
 * is, or an agent of which no demo knows, the process ends here, and says how to end that one.
 */
export async function claim(directory: string, stateDirectory: string, print: Print): Promise<DirectoryLock> {
  const clock = systemClock();
  const lock = await lockDirectory(directory, { clock, random: systemRandom, log: silentLog }).catch(
    (error: unknown) => {
      const { code, params } = asAgentError(error);
      if (code !== "STORE_LOCKED") throw error;
      print(
        `本目录的演示已在运行（${directory}）：请先结束它：kill ${params.pid}`,
        `a demo of this checkout is already running (${directory}): end it first: kill ${params.pid}`,
      );
      process.exit(LOCKED);
    },
  );
  const deadline = clock.boot() + ENDING_MS;
  for (;;) {
    // No directory yet: nobody in it.
    const agent = await holderOf(stateDirectory, clock).catch(() => undefined);
    if (agent === undefined) return lock;
    if (clock.boot() >= deadline) {
      print(
        `本目录中有一个不属于任何演示的服务在运行（${directory}）：请先结束它：kill -9 ${agent}`,
        `an agent that belongs to no demo is running in this directory (${directory}): end it first: kill -9 ${agent}`,
      );
      await lock.release();
      process.exit(LOCKED);
    }
    await delay(LOOK_EVERY_MS);
  }
}
