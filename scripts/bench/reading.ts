import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { LoadOrder, LoadReport } from "./load.ts";
import { end, Helper, processorMs, start } from "./processes.ts";
import { median } from "./statistics.ts";
import { compared, type Row } from "./table.ts";
import { Terminal, timeToAnswer } from "./terminal.ts";

const ROUNDS = 12;
const PAIRS = 4;
const ROUND_MS = 2_000;
const CONNECTIONS = 10;

/**
 * `GET /v1/authinfo` against a bare server that sends the same octets: requests a second, and what one costs it. V8 has good
 * and bad days, which last as long as a process: so there are several of each.
 */
export async function rateRows(launcher: string): Promise<Row[]> {
  await using terminal = await Terminal.open(launcher);
  await using load = new Helper("load.ts");
  await terminal.serve();
  const body = path.join(terminal.directory, "body.json");
  await writeFile(body, await terminal.read());
  await terminal.stopAgent();
  const socket = path.join(terminal.directory, "bare.sock");
  const bareScript = path.join(import.meta.dirname, "bare-server.js");
  const rates: number[][] = [[], []];
  const costs: number[][] = [[], []];
  for (let pair = 0; pair < PAIRS; pair++) {
    const agent = await terminal.serve();
    const { child: bare } = await timeToAnswer(socket, () => start(bareScript, [socket, body]));
    const contestants = [
      { socket: terminal.socket, pid: agent.pid ?? 0 },
      { socket, pid: bare.pid ?? 0 },
    ];
    for (let round = -1; round < ROUNDS / PAIRS; round++) {
      for (const [i, { socket: file, pid }] of contestants.entries()) {
        const before = processorMs(pid);
        const { requests, ms } = await run(load, file, ROUND_MS);
        if (round < 0) continue;
        rates[i]?.push((requests / ms) * 1000);
        costs[i]?.push(((processorMs(pid) - before) * 1000) / requests);
      }
    }
    await Promise.all([terminal.stopAgent(), end(bare)]);
  }
  const [ours = [], other = []] = rates;
  const [ourCost = [], otherCost = []] = costs;
  const cost = `${median(ourCost).toFixed(1)} against ${median(otherCost).toFixed(1)} us of processor time each`;
  const what = `GET /v1/authinfo a second, ${CONNECTIONS} connections (${cost})`;
  const show = (rate: number) => `${(rate / 1000).toFixed(1)} k/s`;
  const otherName = "bare node:http, same octets";
  return [compared({ what, ours, other, otherName, show, limit: { atLeast: 0.95 } })];
}

/** The slowest hundredth of the answers while a refresh hangs at WeChat Pay, against the same at rest. */
export async function hangRows(launcher: string): Promise<Row[]> {
  await using resting = await Terminal.open(launcher);
  await using hanging = await Terminal.open(launcher, { wechatpay: { attempt_timeout_ms: 120_000 } });
  await using load = new Helper("load.ts");
  await resting.serve();
  await hanging.serve();
  await hanging.peers({ do: "hang" });
  hanging.refresh();
  const ours: number[] = [];
  const other: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const busy = await run(load, hanging.socket, ROUND_MS);
    const calm = await run(load, resting.socket, ROUND_MS);
    if (round < 0) continue;
    ours.push(busy.p99Ms);
    other.push(calm.p99Ms);
  }
  const what = "p99 of GET /v1/authinfo while a refresh hangs";
  const show = (ms: number) => `${ms.toFixed(2)} ms`;
  return [compared({ what, ours, other, otherName: "at rest", show, limit: { atMost: 2 } })];
}

async function run(load: Helper, socket: string, ms: number): Promise<LoadReport> {
  const order: LoadOrder = { socket, connections: CONNECTIONS, ms };
  return await load.ask<LoadReport>(order);
}
