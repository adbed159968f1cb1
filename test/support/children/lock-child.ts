import { writeSync } from "node:fs";
import { systemClock } from "../../../agent/common/clock.ts";
import { isAgentError } from "../../../agent/common/errors.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import { lockDirectory } from "../../../agent/store/lock.ts";

/**
 * `lock-child.ts DIRECTORY hold|leave [MOMENT]`: takes the lock at MOMENT (Unix ms), says "held" or "locked PID"; then holds it
 * until it is killed, or leaves without releasing it, with nothing to do.
 */
const [directory = "", after = "", moment] = process.argv.slice(2);
const clock = systemClock();
if (moment !== undefined) while (clock.wall() < Number(moment)) {} // All at the same instant, hence no timer.
try {
  await lockDirectory(directory, { clock, random: systemRandom, log: silentLog });
  writeSync(1, "held\n");
  if (after === "hold") await clock.sleep(600_000);
} catch (error) {
  if (!isAgentError(error, "STORE_LOCKED")) throw error;
  writeSync(1, `locked ${error.params.pid}\n`);
}
