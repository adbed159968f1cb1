import { quantile } from "../bench/statistics.ts";
import type { SoakAgent } from "./agent.ts";
import type { Control } from "./control.ts";
import type { Judge } from "./judge.ts";
import type { Ledger } from "./ledger.ts";
import type { Recovery } from "./recovery.ts";
import type { Violations } from "./violations.ts";
import type { Wire } from "./wire.ts";

export interface Findings {
  readonly options: { readonly minutes: number; readonly seed: number };
  readonly judge: Judge;
  readonly recovery: Recovery;
  readonly wire: Wire;
  readonly agent: SoakAgent;
  readonly ledger: Ledger;
  readonly latencies: readonly number[];
  readonly control: Control;
  readonly violations: Violations;
  /** Faults and acts, how often. */
  readonly seen: Readonly<Record<string, number>>;
}

/** p99 below 50 ms; where the machine itself is slower than that, three times what a bare server takes. */
const P99_MS = 50;
const TIMES_BARE = 3;
/** Of fewer readings the hundredth part says nothing. */
const ENOUGH = 1_000;

/** The table of figures; an answer time over its bound is reported as a violation first. */
export function summary(found: Findings, tookMs: number): string {
  const { options, judge, recovery, wire, agent, ledger, latencies, control, violations, seen } = found;
  const p99 = quantile(latencies, 0.99);
  const bare = quantile(control.latencies, 0.99);
  if (latencies.length >= ENOUGH && p99 > Math.max(P99_MS, TIMES_BARE * bare)) {
    violations.report("slow_answers", `p99 ${ms(p99)}, a bare server ${ms(bare)}`);
  }
  const hours = tookMs / 3_600_000;
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const total = Object.values(seen).reduce((sum, count) => sum + count, 0);
  const rows: [string, string][] = [
    ["seed, time", `${options.seed}, ${(tookMs / 60_000).toFixed(1)} min`],
    ["faults and acts", `${total} of ${Object.keys(seen).length} kinds`],
    ["reads by a client", list(judge.served)],
    ["false-OK seconds", (judge.falseOkMs / 1_000).toFixed(1)],
    ["authinfo issued, highest generation", `${ledger.issued}, ${judge.generation}`],
    ["recoveries that were felt", `${recovery.felt.length}: ${spread(recovery.felt)} (${recovery.unfelt} not felt)`],
    ["calls, attempts", `${wire.requests}, ${wire.attempts} (${(wire.attempts / hours).toFixed(0)} an hour)`],
    ["closest two attempts", ms(wire.closestMs)],
    ["answer time", `${spread(latencies, 0.99)}; bare server ${spread(control.latencies, 0.99)}`],
    ["lives, ends", `${agent.lives}; ${list(agent.ends)}`],
    ["start to first answer", spread(agent.starts)],
    ["log", `${agent.logLines} lines, ${(agent.logBytes / 1_024).toFixed(0)} KiB`],
    ["resident memory at most", `${agent.mostMb.toFixed(1)} MB`],
    ...agent.trends.map((trend): [string, string] => [
      `a life of ${trend.minutes.toFixed(0)} min`,
      `${trend.firstMb.toFixed(1)} to ${trend.lastMb.toFixed(1)} MB (${trend.mbAnHour.toFixed(1)} MB an hour), ` +
        `${trend.firstDescriptors} to ${trend.lastDescriptors} open files`,
    ]),
    ["violations", String(violations.total)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `| ${name.padEnd(width)} | ${value} |`);
  return [`| ${"what".padEnd(width)} | figure |`, `| ${"-".repeat(width)} | --- |`, ...table, "", list(seen), ""].join(
    "\n",
  );
}

function spread(values: readonly number[], high = 0.95): string {
  if (values.length === 0) return "none";
  return `p50 ${ms(quantile(values, 0.5))}, p${high * 100} ${ms(quantile(values, high))}, most ${ms(quantile(values, 1))}`;
}

function ms(value: number): string {
  return value < 1_000 ? `${value.toFixed(1)} ms` : `${(value / 1_000).toFixed(1)} s`;
}
