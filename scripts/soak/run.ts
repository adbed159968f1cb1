import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { seeded } from "../../test/support/faults/seeded.ts";
import { SoakAgent } from "./agent.ts";
import type { Cast } from "./cast.ts";
import { Control } from "./control.ts";
import { PROMISE_MS } from "./faults.ts";
import { Judge } from "./judge.ts";
import { Ledger } from "./ledger.ts";
import { Peers, STALE_S } from "./peers.ts";
import { Recovery } from "./recovery.ts";
import { summary } from "./report.ts";
import { ReconnectBackoff, type TroublePlan, withTimeout } from "./trouble.ts";
import { Violations } from "./violations.ts";
import { Watch } from "./watch.ts";
import { Asks, Wire } from "./wire.ts";

export interface SoakOptions extends TroublePlan {
  readonly launcher: string;
}

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const FIRST_MS = 30_000;
const RESTART_MS = 1_000;

/** Resolves to the exit code. */
export async function runSoak(options: SoakOptions): Promise<number> {
  const over = new AbortController();
  const onSignal = () => over.abort();
  for (const signal of ENDING) process.on(signal, onSignal);
  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-soak-"));
  const control = await Control.start(directory);
  const ledger = new Ledger();
  const peers = await Peers.open(directory, ledger);
  try {
    return await soak(options, { ledger, peers, control, over: over.signal });
  } finally {
    await peers.close();
    await control.close();
    await rm(directory, { recursive: true, force: true });
    for (const signal of ENDING) process.off(signal, onSignal);
  }
}

interface FileContext {
  readonly ledger: Ledger;
  readonly peers: Peers;
  readonly control: Control;
  /** Falls when somebody ends the soak early. */
  readonly over: AbortSignal;
}

async function soak(options: SoakOptions, { ledger, peers, control, over }: FileContext): Promise<number> {
  const { minutes, seed, launcher, ownNetwork } = options;
  const beganMs = performance.now();
  const tell = (line: string) => void process.stdout.write(`${clockOf(performance.now() - beganMs)} ${line}\n`);
  const violations = new Violations(tell);
  const { report } = violations;
  const judge = new Judge(ledger, STALE_S * 1_000, report);
  const recovery = new Recovery(report);
  const wire = new Wire(report);
  const asks = new Asks();
  const ended = new AbortController();
  // Not at the end of the one before: what that one had sent may be read only after it.
  const onStart = () => wire.restarted();
  const onEnd = (unasked: boolean) => {
    judge.died();
    if (!unasked) return;
    // Reported already. It goes on as under a service manager.
    const again = () => {
      if (!ended.signal.aborted) agent.start();
    };
    setTimeout(again, RESTART_MS).unref();
  };
  const { configFile } = peers.playground;
  const agent = new SoakAgent({ launcher, configFile, ledger, report, tell, onStart, onEnd });
  const progress = () =>
    tell(
      `${agent.lives} lives, ${wire.requests} calls, generation ${judge.generation}, ` +
        `${recovery.felt.length} recoveries, ${violations.total} violations`,
    );
  const watch = new Watch({ peers, agent, judge, recovery, wire, asks, ledger, control, report, progress });
  const cast: Cast = {
    ...{ peers, agent, judge, recovery, report, launcher },
    chance: seeded(seed),
    signal: AbortSignal.any([over, AbortSignal.timeout(minutes * 60_000)]),
    asked: (attempts) => asks.note(attempts, performance.now()),
  };
  const trouble = new ReconnectBackoff(cast, options);
  violations.circumstances = () => `now ${recovery.active || "nothing"}; lately ${trouble.lately || "nothing"}`;

  tell(
    `seed ${seed}, ${minutes} minutes, ${ownNetwork ? "a network of its own" : "no link events: unshare(1) refuses"}`,
  );
  try {
    watch.start();
    recovery.begin("the first start");
    agent.start();
    await withTimeout(FIRST_MS, () => judge.generation > 0, over);
    recovery.end("the first start", PROMISE_MS, performance.now());
    await trouble.run();
    await withTimeout(2 * PROMISE_MS, () => recovery.settled, over);
    tell("ending");
    ended.abort();
    await agent.end("SIGTERM");
    await watch.stop();
  } finally {
    // Only if the soak itself has failed is there still one.
    ended.abort();
    await agent.end("SIGKILL");
  }
  const found = { options, judge, recovery, wire, agent, ledger, control, violations };
  const tookMs = performance.now() - beganMs;
  process.stdout.write(`${summary({ ...found, latencies: watch.latencies, seen: trouble.seen }, tookMs)}\n`);
  return violations.total === 0 ? 0 : 1;
}

function clockOf(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(3, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}
