import { systemClock } from "../../../agent/common/clock.ts";
import { writeStderr } from "../../../agent/common/log/journal.ts";
import { createLog } from "../../../agent/common/log/pino-log.ts";

// Writes a fixed row of events to its stderr.
const log = createLog("info", systemClock());
const [what] = process.argv.slice(2);
if (what === "sentence") writeStderr("first line\nsecond line\n");
log.debug("HIDDEN");
log.info("FIRST", { text: "line\nbreak \u001b]0;x\u0007", authinfo: "CANARY", nested: { raw_data: "CANARY" } });
if (what === "many") for (let n = 0; n < 300; n++) log.info(`ROW_${n}`, { n });
await log.flush();
log.warn("AFTER", { error: new Error("boom") });
if (what === "flood") for (let n = 0; n < 300; n++) log.warn("FLOOD", { n });
if (what === "exit") process.exit(3);
await log.flush();
