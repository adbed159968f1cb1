/**
 * `npm run fuzz -- --cases 1e8`: the fuzz of the serial line (test/integration/drivers/fuzz-line.test.ts) for as many cases as there is
 * time for, on several cores. Says the seed; the same seed is the same run. Exit code 1 when an invariant was broken.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { fuzzDriver } from "../test/support/faults/driver-fuzz.ts";
import { fuzzDecoder } from "../test/support/faults/line-fuzz.ts";
import { readOptions } from "./read-options.ts";

/** So many cases have a seed of their own, and are one job. */
const CASES_A_JOB = 1_000_000;
const CALLS_A_JOB = 20_000;
const REPORT_EVERY_MS = 30_000;

type Job = { readonly what: "lines" | "calls"; readonly count: number; readonly seed: number };
type Outcome = { readonly count: number; readonly blind: number; readonly broken: readonly string[] };

async function work({ what, count, seed }: Job): Promise<Outcome> {
  if (what === "lines") {
    const { cases, blind, phantoms, lost, thrown, split } = fuzzDecoder(count, seed);
    return { count: cases, blind, broken: [...phantoms, ...lost, ...thrown, ...split] };
  }
  const { calls, strangers, late, thrown } = await fuzzDriver(count, seed);
  return { count: calls, blind: 0, broken: [...strangers, ...late, ...thrown] };
}

async function main(): Promise<void> {
  const options = readOptions("fuzz", {
    cases: { type: "string", default: "1e8" },
    calls: { type: "string", default: "1e6" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: "2" },
  });
  const jobs = [
    ...jobsOf("lines", options.number("cases"), CASES_A_JOB, options.number("seed")),
    ...jobsOf("calls", options.number("calls"), CALLS_A_JOB, options.number("seed")),
  ];
  const done = { lines: 0, calls: 0 };
  const broken: string[] = [];
  let blind = 0;
  const startedAt = performance.now();
  const say = () => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    const line = `${done.lines} lines, ${done.calls} calls, ${broken.length} broken invariants, ${blind} where FCS-32 is blind, ${seconds} s`;
    process.stdout.write(`seed ${options.values.seed}: ${line}\n`);
  };
  const timer = setInterval(say, REPORT_EVERY_MS);
  const run = async () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: "worker" });
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const outcome = await ask(worker, job);
      done[job.what] += outcome.count;
      blind += outcome.blind;
      for (const what of outcome.broken.slice(0, 5)) process.stdout.write(`BROKEN: ${what}\n`);
      broken.push(...outcome.broken);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: options.number("workers") }, run));
  clearInterval(timer);
  say();
  process.exitCode = broken.length === 0 ? 0 : 1;
}

function jobsOf(what: Job["what"], total: number, each: number, seed: number): Job[] {
  const jobs = Math.ceil(total / each);
  return Array.from({ length: jobs }, (_, n) => ({
    what,
    count: Math.min(each, total - n * each),
    seed: seed * 1_000 + n,
  }));
}

function ask(worker: Worker, job: Job): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const onMessage = (outcome: Outcome) => {
      worker.off("error", reject);
      resolve(outcome);
    };
    worker.once("message", onMessage);
    worker.once("error", reject);
    worker.postMessage(job);
  });
}

if (isMainThread) await main();
else if (workerData === "worker") {
  parentPort?.on("message", (job: Job) => {
    void work(job).then((outcome) => parentPort?.postMessage(outcome));
  });
}
