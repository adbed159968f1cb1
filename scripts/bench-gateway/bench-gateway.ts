/**
 * `npm run bench:gateway`: what one gateway process carries, beside a bare proxy that only signs and forwards, measured in turn
 * in the same run. Prints Markdown; exits with 1 when a limit is missed. `-- --rounds N`, `-- --seconds N`.
 */
import os from "node:os";
import { Helper, processorMs } from "../bench/processes.ts";
import { median } from "../bench/statistics.ts";
import { compared, render } from "../bench/table.ts";
import { readOptions } from "../read-options.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { openStage } from "./stage.ts";

/** From half to all of refresh_at (0.5) of an hour, evenly: the mean of 15 and 30 minutes (docs/adr, record 12). */
const MEAN_REFRESH_S = 1_350;
const CONNECTIONS = 16;

const options = readOptions("bench:gateway", {
  rounds: { type: "string", default: "7" },
  seconds: { type: "string", default: "4" },
  port: { type: "string", default: "18443" },
});
const rounds = options.number("rounds");
const port = options.number("port");

await using stage = await openStage([port, port + 1]);
await using load = new Helper("../bench-gateway/load.ts");
const { ca, client } = stage.playground;

interface Round extends LoadReport {
  /** Processor time of the process that is asked, for one request, in microseconds. */
  readonly cost: number;
}

async function round(target: number, pid: number, fresh: boolean, seconds: number): Promise<Round> {
  const order: LoadOrder = {
    port: target,
    connections: CONNECTIONS,
    ms: seconds * 1_000,
    fresh,
    ca: ca.certPem,
    cert: client.certPem,
    key: client.privateKeyPem,
    body: stage.body,
  };
  const before = processorMs(pid);
  const report = await load.ask<LoadReport>(order);
  return { ...report, cost: ((processorMs(pid) - before) * 1_000) / report.requests };
}

const ours: Round[] = [];
const bare: Round[] = [];
const fresh: Round[] = [];
// The first round opens connections and lets V8 warm up.
for (let i = -1; i < rounds; i++) {
  const seconds = i < 0 ? 2 : options.number("seconds");
  const found = [
    await round(stage.gatewayPort, stage.gatewayPid, false, seconds),
    await round(stage.barePort, stage.barePid, false, seconds),
    await round(stage.gatewayPort, stage.gatewayPid, true, seconds),
  ] as const;
  process.stderr.write(`round ${i + 1}: ${found.map(({ requests, ms }) => (requests / ms) * 1000).map(Math.round)}\n`);
  if (i < 0) continue;
  ours.push(found[0]);
  bare.push(found[1]);
  fresh.push(found[2]);
}

const rates = (reports: readonly LoadReport[]) => reports.map(({ requests, ms }) => (requests / ms) * 1_000);
const p99 = (reports: readonly LoadReport[]) => reports.map(({ p99Ms }) => p99Ms);
const costs = (reports: readonly Round[]) => reports.map(({ cost }) => cost);
const otherName = "bare undici proxy";
const rows = [
  compared({
    what: "requests signed and forwarded, kept connections",
    ours: rates(ours),
    other: rates(bare),
    otherName,
    show: (rate) => `${rate.toFixed(0)}/s`,
    limit: { atLeast: 0.7 },
  }),
  compared({
    what: `their 99th percentile, ${CONNECTIONS} at a time`,
    ours: p99(ours),
    other: p99(bare),
    otherName,
    show: (ms) => `${ms.toFixed(1)} ms`,
    limit: { atMost: 2 },
  }),
];
const [cpu] = os.cpus();
process.stdout.write(`Node ${process.versions.node}, ${os.arch()}, ${os.cpus().length} x ${cpu?.model ?? "?"}, `);
process.stdout.write(`load ${os.loadavg()[0]?.toFixed(1)} at the end\n\n${render(rows)}\n\n`);
const [our, their] = [median(costs(ours)), median(costs(bare))];
process.stdout.write(
  `Processor time of one request: ${our.toFixed(0)} us, of the ${otherName} ${their.toFixed(0)} us.\n`,
);
const real = median(rates(fresh));
const fleet = Math.floor((real * MEAN_REFRESH_S) / 1_000) * 1_000;
process.stdout.write(
  `With a new connection and its client certificate for each request, as terminals come: ${real.toFixed(0)}/s, ` +
    `99th percentile ${median(p99(fresh)).toFixed(1)} ms.\n` +
    `At the default refresh rate (one request in ${MEAN_REFRESH_S} s on average) that carries ${fleet} terminals (${median(costs(fresh)).toFixed(0)} us of processor time each).\n`,
);
process.exitCode = rows.every(({ reached }) => reached) ? 0 : 1;
