/**
 * `npm run bench [-- --only row,row] [--launcher FILE]`: what the agent costs, as ratios to floors and peers that are
 * measured in turn with it in the same run. Prints one Markdown table; exits 1 when a row misses its limit.
 */
import os from "node:os";
import { parseArgs } from "node:util";
import { frameRows } from "./bench/frames.ts";
import { memoryRows } from "./bench/memory.ts";
import { hangRows, rateRows } from "./bench/reading.ts";
import { signingRows } from "./bench/signing.ts";
import { startRows } from "./bench/start.ts";
import { type Row, render } from "./bench/table.ts";
import { ownLauncher } from "./bench/terminal.ts";
import { writeRows } from "./bench/writes.ts";

const measures: Readonly<Record<string, (launcher: string) => Promise<Row[]>>> = {
  start: startRows,
  memory: memoryRows,
  rate: rateRows,
  p99: hangRows,
  frames: frameRows,
  signing: signingRows,
  writes: writeRows,
};

const usage = (words: string): never => {
  process.stderr.write(
    `${words}\nusage: npm run bench -- [--only ${Object.keys(measures).join(",")}] [--launcher FILE]\n`,
  );
  process.exit(64);
};

function options(): { readonly launcher: string; readonly chosen: readonly string[] } {
  try {
    const { values } = parseArgs({ options: { only: { type: "string" }, launcher: { type: "string" } } });
    const chosen = values.only?.split(",") ?? Object.keys(measures);
    const unknown = chosen.filter((name) => measures[name] === undefined);
    if (unknown.length > 0) return usage(`there is no row ${unknown.join(", ")}`);
    return { launcher: values.launcher ?? ownLauncher, chosen };
  } catch (error) {
    return usage((error as Error).message);
  }
}

const { launcher, chosen } = options();
const rows: Row[] = [];
for (const name of chosen) {
  process.stderr.write(`${name} ...\n`);
  rows.push(...((await measures[name]?.(launcher)) ?? []));
}
const [cpu] = os.cpus();
process.stdout.write(`Node ${process.versions.node}, ${os.arch()}, ${os.cpus().length} x ${cpu?.model ?? "?"}, `);
process.stdout.write(`load ${os.loadavg()[0]?.toFixed(1)} at the end\n\n${render(rows)}\n`);
process.exitCode = rows.every(({ reached }) => reached) ? 0 : 1;
