/**
 * `npm run bench:outage`: the real policy and runner in virtual time over published outages, beside what others do, and
 * over fleets. Prints Markdown; exits with 1 when a promised figure is missed. `-- --quick` takes seconds.
 */
import { setPriority } from "node:os";
import { readOptions } from "../read-options.ts";
import { bench } from "./bench.ts";
import { met, printTable, targetTable } from "./report.ts";
import { FULL, QUICK } from "./sizes.ts";

const { quick } = readOptions("bench:outage", { quick: { type: "boolean", default: false } }).values;
// Minutes of one core, which other work on the machine shall not feel. The quick one is waited for.
if (!quick) setPriority(19);
const began = performance.now();
const { tables, targets } = await bench(quick ? QUICK : FULL, (what) => {
  process.stderr.write(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${what}\n`);
});
for (const table of [...tables, targetTable(targets)]) process.stdout.write(`${printTable(table)}\n`);
process.exitCode = targets.every(met) ? 0 : 1;
