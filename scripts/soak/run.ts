import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Chance, seeded } from "../../test/support/seeded.ts";
import { type Act, allActs, type Cast } from "./acts.ts";
import { SoakAgent } from "./agent.ts";
import { Control } from "./control.ts";
import { allFaults, type Fault, PROMISE_MS } from "./faults.ts";
import { Judge, READ_EVERY_MS } from "./judge.ts";
import { Ledger } from "./ledger.ts";
import { Peers, STALE_S } from "./peers.ts";
import { Pulse } from "./pulse.ts";
import { listen, read } from "./reader.ts";
import { Recovery } from "./recovery.ts";
import { summary } from "./report.ts";
import { Violations } from "./violations.ts";
import { Wire } from "./wire.ts";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly launcher: string;
  /** Nobody else's network cards are here. */
  readonly ownNetwork: boolean;
}

const LOOK_EVERY_MS = 5_000;
const WIRE_EVERY_MS = 50;
const PROGRESS_EVERY_MS = 60_000;
const FIRST_MS = 30_000;
const RESTART_MS = 1_000;
/** Of the soak's time: from here on no process is ended any more, so that one long life shows whether anything grows. */
const LONG_LIFE_FROM = 0.45;
const SHORTEST_PACE = 0.15;
const ASKED_WINDOW_MS = 60_000;

/** Resolves to the exit code. */
export async function runSoak(options: SoakOptions): Promise<number> {
  const { minutes, seed, launcher, ownNetwork } = options;
  const began = performance.now();
  const tell = (line: string) => void process.stdout.write(`${clockOf(performance.now() - began)} ${line}\n`);
  const over = new AbortController();
  const onSignal = () => over.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);

  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-soak-"));
  const violations = new Violations(tell);
  const { report } = violations;
  const ledger = new Ledger();
  const judge = new Judge(ledger, STALE_S * 1_000, report);
  const recovery = new Recovery(report);
  const wire = new Wire(report);
  // A short run is a small one: it has to see something, too.
  const pace = Math.min(1, Math.max(SHORTEST_PACE, minutes / 3));
  const lately: string[] = [];
  violations.circumstances = () => `now ${recovery.active || "nothing"}; lately ${lately.join(", ")}`;
  const pulse = new Pulse();
  const control = await Control.start(directory);
  const peers = await Peers.open(directory, ledger);
  const { configFile, apiSocket } = peers.playground;
  const onEnd = (unasked: boolean) => {
    judge.died();
    wire.restarted();
    if (!unasked) return;
    // Reported already. It goes on as under a service manager.
    const again = () => {
      if (!done.signal.aborted) agent.start();
    };
    setTimeout(again, RESTART_MS).unref();
  };
  const agent = new SoakAgent({ launcher, configFile, ledger, report, tell, onEnd });
  const asks: { atMs: number; attempts: number }[] = [];
  const asked = (attempts: number) => void asks.push({ atMs: performance.now(), attempts });
  const chance = seeded(seed);
  const untilMs = began + minutes * 60_000;
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(minutes * 60_000)]);
  const cast: Cast = { peers, agent, judge, recovery, chance, report, launcher, asked, signal };
  const latencies: number[] = [];
  const seen: Record<string, number> = {};
  const done = new AbortController();

  /** The client: some ten times a second, for as long as there is an agent. */
  async function reading(): Promise<void> {
    for (let n = 1; !done.signal.aborted; n++) {
      const startedMs = performance.now();
      const found = await read(apiSocket, n % 10 === 0);
      if (found.status > 0) agent.answered(found.gotMs);
      const up = agent.upSince(found.sentMs);
      judge.reading(found, up);
      recovery.reading(found, up);
      if (up && found.status > 0) latencies.push(found.gotMs - found.sentMs);
      await control.read();
      await delay(Math.max(0, READ_EVERY_MS - (performance.now() - startedMs)));
    }
  }

  const listening = listen(
    apiSocket,
    {
      onOpen: () => judge.streamOpened(performance.now()),
      onEvent: (served) => judge.event(served, performance.now()),
      onClose: () => judge.streamClosed(),
    },
    done.signal,
  );

  async function every(ms: number, act: () => void | Promise<void>): Promise<void> {
    while (!done.signal.aborted) {
      await act();
      await delay(ms, undefined, { signal: done.signal }).catch(() => undefined);
    }
  }

  function watchWire(): void {
    const nowMs = performance.now();
    while (asks[0] && nowMs - asks[0].atMs > ASKED_WINDOW_MS) asks.shift();
    const attempts = asks.reduce((sum, one) => sum + one.attempts, 0);
    for (const { which, request } of peers.newRequests()) wire.request(request, which, pulse.lateMs(), attempts);
  }

  function watchTime(): void {
    const nowMs = performance.now();
    const up = agent.upSince(nowMs - 1_000);
    judge.tick(nowMs, up);
    recovery.tick(nowMs, up);
  }

  async function watchFiles(): Promise<void> {
    const text = await readFile(path.join(directory, "run/authinfo.json"), "utf8").catch(() => undefined);
    if (text === undefined) return;
    try {
      const { authinfo } = JSON.parse(text) as { authinfo?: string };
      if (authinfo !== undefined && ledger.find(authinfo) === undefined) report("torn_copy", "an unknown authinfo");
    } catch {
      report("torn_copy", `${text.length} octets that are no JSON`);
    }
  }

  const progress = (): void =>
    tell(
      `${agent.lives} lives, ${wire.requests} calls, generation ${judge.generation}, ${recovery.felt.length} recoveries, ${violations.total} violations`,
    );

  const watching = [
    reading(),
    listening,
    every(WIRE_EVERY_MS, watchWire),
    every(1_000, watchTime),
    every(1_000, watchFiles),
    every(LOOK_EVERY_MS, () => agent.look()),
    every(PROGRESS_EVERY_MS, progress),
  ];

  tell(
    `seed ${seed}, ${minutes} minutes, ${ownNetwork ? "a network of its own" : "no link events: unshare(1) refuses"}`,
  );
  recovery.begin("the first start");
  agent.start();
  await within(FIRST_MS, () => judge.generation > 0, over.signal);
  recovery.end("the first start", PROMISE_MS, performance.now());
  await Promise.all([faulting(untilMs), acting(untilMs)]);
  await within(2 * PROMISE_MS, () => recovery.settled, over.signal);
  watchWire();
  tell("ending");
  await agent.end("SIGTERM");
  done.abort();
  await Promise.all(watching);
  for (const words of peers.bridge.violations) report("bridge_protocol", words);
  await leftovers(directory);
  await peers.close();
  await control.close();
  pulse.close();
  const text = summary(
    { ...{ options, judge, recovery, wire, agent, ledger, latencies, control, violations, seen } },
    performance.now() - began,
  );
  process.stdout.write(`${text}\n`);
  await rm(directory, { recursive: true, force: true });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
  return violations.total === 0 ? 0 : 1;

  /** One thing wrong with the world after the other; the next only when the last has been recovered from. */
  async function faulting(until: number): Promise<void> {
    const own = seeded(seed + 1);
    const faults = allFaults();
    while (performance.now() < until && !over.signal.aborted) {
      await idle(pace * (2_000 + own.unit() * 10_000), until);
      await within(4 * PROMISE_MS, () => recovery.settled || performance.now() > until, over.signal);
      if (performance.now() > until) break;
      const fault = draw(faults, own);
      happens(fault.name);
      if (!fault.harmless) recovery.begin(fault.name);
      await fault.begin(cast);
      await idle(pace * lengthMs(own), until);
      await fault.end(cast);
      if (!fault.harmless) recovery.end(fault.name, fault.promiseMs, performance.now());
    }
  }

  async function acting(until: number): Promise<void> {
    const own = seeded(seed + 2);
    const acts = allActs(ownNetwork);
    const mild = acts.filter(({ fatal }) => !fatal);
    const longLifeFrom = began + minutes * 60_000 * LONG_LIFE_FROM;
    while (performance.now() < until && !over.signal.aborted) {
      await idle(pace * (3_000 + own.unit() * 25_000), until);
      if (performance.now() > until) break;
      const act: Act = draw(performance.now() < longLifeFrom ? acts : mild, own);
      happens(act.name);
      await act.do(cast);
    }
  }

  function happens(name: string): void {
    seen[name] = (seen[name] ?? 0) + 1;
    lately.push(`${name} at ${clockOf(performance.now() - began)}`);
    if (lately.length > 4) lately.shift();
  }

  async function idle(ms: number, until: number): Promise<void> {
    const left = Math.max(0, until - performance.now());
    await delay(Math.min(ms, left), undefined, { signal: over.signal }).catch(() => undefined);
  }

  async function leftovers(root: string): Promise<void> {
    const places = {
      state: /^(state(\.prev)?\.sealed|store\.key|config\..*)$/,
      run: /^(authinfo\.json|facepay\.prom)$/,
    };
    for (const [place, known] of Object.entries(places)) {
      const names = await readdir(path.join(root, place)).catch(() => []);
      const strange = names.filter((name) => !known.test(name));
      if (strange.length > 0) report("leftovers", `${place}: ${strange.join(" ")}`);
    }
  }
}

/** A third short, a quarter longer than a life. */
function lengthMs({ unit }: Chance): number {
  const kind = unit();
  if (kind < 0.35) return 3_000 + unit() * 12_000;
  if (kind < 0.75) return 15_000 + unit() * 35_000;
  return 60_000 + unit() * 45_000;
}

function draw<T extends Fault | Act>(from: readonly T[], { unit }: Chance): T {
  const total = from.reduce((sum, { weight }) => sum + weight, 0);
  let left = unit() * total;
  const found = from.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  return found ?? (from[0] as T);
}

async function within(ms: number, isIt: () => boolean, signal: AbortSignal): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end && !isIt() && !signal.aborted; ) await delay(50);
}

function clockOf(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(3, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}
