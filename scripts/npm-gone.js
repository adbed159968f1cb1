// An npm that is killed ends neither what it runs nor the shell between the two, and leaves no channel that would end with it.
// So its script looks whether it is still there. Plain JavaScript for any Node >= 20; needs nothing installed.
import { readFileSync, readlinkSync, realpathSync } from "node:fs";

const LOOK_EVERY_MS = 500;
/** A shell or two may stand between. */
const MOST_LEVELS = 4;

/** Calls `act` once when the npm that runs this process has ended. Without one, or where /proc tells nothing of it, never. */
export function whenNpmHasGone(/** @type {() => void} */ act) {
  const between = linkToNpm();
  if (between === undefined) return;
  const timer = setInterval(() => {
    if (parentOf(between.pid) === between.parent) return;
    clearInterval(timer);
    act();
  }, LOOK_EVERY_MS);
  timer.unref();
}

/** This process, or the shell above it, with npm as its parent. */
function linkToNpm() {
  const { npm_lifecycle_event: script, npm_node_execpath: node } = process.env;
  if (script === undefined || node === undefined) return undefined;
  try {
    const wanted = realpathSync(node);
    let pid = process.pid;
    for (let level = 0; level < MOST_LEVELS; level++) {
      const parent = parentOf(pid);
      if (parent === undefined) return undefined;
      if (readlinkSync(`/proc/${parent}/exe`) === wanted) return { pid, parent };
      pid = parent;
    }
  } catch {
    // Another user's process, or one that has just ended.
  }
  return undefined;
}

function parentOf(/** @type {number} */ pid) {
  try {
    // proc_pid_stat(5): "pid (name) state ppid ..."; the name may hold anything, parentheses too.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
