import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { end, residentMb, start } from "./processes.ts";
import { information } from "./start.ts";
import { median } from "./statistics.ts";
import { compared, type Row } from "./table.ts";
import { Terminal, timeToAnswer } from "./terminal.ts";

const ROUNDS = 5;
const SETTLE_MS = 6_000;

/** Resident memory of the whole process some seconds after a refresh against simulators in another process. */
export async function memoryRows(launcher: string): Promise<Row[]> {
  await using terminal = await Terminal.open(launcher);
  await terminal.serve();
  await terminal.stopAgent();
  const ours: number[] = [];
  const other: number[] = [];
  const leanest: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Nothing kept, so that this very process makes a refresh.
    await rm(path.join(terminal.directory, "state"), { recursive: true });
    const agent = await terminal.serve();
    const bare = await startBare(terminal, "bare-server.js");
    const lean = await startBare(terminal, "bare-server.cjs");
    await delay(SETTLE_MS);
    ours.push(residentMb(agent.pid ?? 0));
    other.push(residentMb(bare.pid ?? 0));
    leanest.push(residentMb(lean.pid ?? 0));
    await Promise.all([terminal.stopAgent(), end(bare), end(lean)]);
  }
  const what = "resident memory at rest after a refresh";
  const show = (mb: number) => `${mb.toFixed(1)} MB`;
  return [
    compared({ what, ours, other, otherName: "bare node:http", show, limit: { atMost: 1.5 } }),
    information(what, show(median(ours)), ours, leanest, show),
  ];
}

async function startBare(terminal: Terminal, script: string) {
  const socket = path.join(terminal.directory, `${script}.sock`);
  const { child } = await timeToAnswer(socket, () => start(path.join(import.meta.dirname, script), [socket]));
  return child;
}
