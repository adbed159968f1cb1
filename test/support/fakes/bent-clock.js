// Preloaded into the agent (NODE_OPTIONS=--import): bends what the operating system says of the time, while the agent runs.
// BENT_CLOCK_FILE holds {"wallMs", "suspendedMs"}: how far the wall clock is off, and how long the board has been suspended.
// A suspend is what it is to a process: wall clock and uptime have gone on, its own clocks and timers have stood still.
// Plain JavaScript, since it comes before everything else.
import { readFileSync } from "node:fs";
import os from "node:os";

const file = process.env.BENT_CLOCK_FILE ?? "";
const wall = Date.now.bind(Date);
const uptime = os.uptime.bind(os);
let bent = { wallMs: 0, suspendedMs: 0 };

function look() {
  try {
    bent = { ...bent, ...JSON.parse(readFileSync(file, "utf8")) };
  } catch {
    // Being written at this moment: the next look finds it.
  }
}

look();
setInterval(look, 10).unref();
Date.now = () => wall() + bent.wallMs + bent.suspendedMs;
os.uptime = () => uptime() + bent.suspendedMs / 1000;
