/**
 * `npm run bench [-- --only row,row] [--launcher FILE]`: what the agent costs, as ratios to floors and peers that are
 * measured in turn with it in the same run. Prints one Markdown table; exits 1 when a row misses its limit.
 */
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { readOptions } from "../read-options.ts";
import { frameRows } from "./frames.ts";
import { memoryRows } from "./memory.ts";
import { hangRows, rateRows } from "./reading.ts";
import { signingRows } from "./signing.ts";
import { startRows } from "./start.ts";
import { type Row, render } from "./table.ts";
import { telemetryRows } from "./telemetry.ts";
import { ownLauncher } from "./terminal.ts";
import { writeRows } from "./writes.ts";

const measures: Readonly<Record<string, (launcher: string) => Promise<Row[]>>> = {
  start: startRows,
  memory: memoryRows,
  telemetry: telemetryRows,
  rate: rateRows,
  p99: hangRows,
  frames: frameRows,
  signing: signingRows,
  writes: writeRows,
};

const { values, refuse } = readOptions("bench", {
  only: { type: "string", default: Object.keys(measures).join(",") },
  launcher: { type: "string", shown: "FILE" },
});
const launcher = path.resolve(values.launcher ?? ownLauncher);
if (!existsSync(launcher)) refuse(`--launcher: there is no ${launcher}`);
const chosen = values.only.split(",");
for (const name of chosen) if (!Object.hasOwn(measures, name)) refuse(`--only: there is no row ${name}`);

const rows: Row[] = [];
for (const name of chosen) {
  process.stderr.write(`${name} ...\n`);
  rows.push(...((await measures[name]?.(launcher)) ?? []));
}
const [cpu] = os.cpus();
process.stdout.write(`Node ${process.versions.node}, ${os.arch()}, ${os.cpus().length} x ${cpu?.model ?? "?"}, `);
process.stdout.write(`load ${os.loadavg()[0]?.toFixed(1)} at the end\n\n${render(rows)}\n`);
process.exitCode = rows.every(({ reached }) => reached) ? 0 : 1;
