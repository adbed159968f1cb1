/** A process with work on a thread that never ends: it opens a FIFO that nobody writes into. Then it leaves with code 3. */
import { open } from "node:fs/promises";
import { leave } from "../../../agent/diagnostics/force-exit.ts";

const [, , fifo = ""] = process.argv;
void open(fifo, "r");
// The thread has to have taken it up.
await new Promise((resolve) => setTimeout(resolve, 200));
process.stdout.write("leaving\n");
leave(3, false);
