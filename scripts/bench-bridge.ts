/**
 * `npm run bench:bridge`: what the reference bridge adds to a call of the SDK, and how long a new session takes. Needs a C
 * compiler for the simulated SDK. Exits 1 when a row misses its limit, 69 without a compiler.
 */
import os from "node:os";
import { findCompiler } from "../drivers/simulator/compile-sdk.ts";
import { bridgeRows } from "./bench/bridge.ts";
import { render } from "./bench/table.ts";
import { readOptions } from "./read-options.ts";

readOptions("bench:bridge", {});

if (findCompiler() === undefined) {
  process.stderr.write(
    "bench:bridge compiles the simulated SDK and finds no C compiler: apt-get install gcc libc6-dev\n",
  );
  process.exit(69);
}
const rows = await bridgeRows();
const [cpu] = os.cpus();
process.stdout.write(`Node ${process.versions.node}, ${os.arch()}, ${os.cpus().length} x ${cpu?.model ?? "?"}, `);
process.stdout.write(`load ${os.loadavg()[0]?.toFixed(1)} at the end\n\n${render(rows)}\n`);
process.exitCode = rows.every(({ reached }) => reached) ? 0 : 1;
