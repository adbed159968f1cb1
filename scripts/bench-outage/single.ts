import { minutesAYear, oracle } from "./account.ts";
import { AgentRule, DEFAULTS } from "./agent-rule.ts";
import { seededChance } from "./chance.ts";
import { type Drive, drive, LIFE_MS } from "./drive.ts";
import { halfInterval, mean, percentile } from "./figures.ts";
import { hourlyCron, onDemandCache, spire, vaultAgent } from "./other-rules.ts";
import { cellularFlaps, issuerOutages, linkOutages, nightlyPowerOff } from "./published-outages.ts";
import { fixed, type Table } from "./report.ts";
import type { Rule } from "./rule.ts";
import { DAY, SECOND, type Trace, YEAR } from "./trace.ts";

export type MakeTrace = (unit: () => number) => Trace;

interface Contender {
  readonly name: string;
  readonly make: (unit: () => number) => Rule;
  readonly hearsLink?: boolean;
}

const CRON: Contender = { name: "hourly cron", make: hourlyCron };
export const others: readonly Contender[] = [
  CRON,
  { name: "on-demand cache (Greengrass TES)", make: onDemandCache },
  { name: "SPIRE", make: spire },
  { name: "Vault Agent", make: vaultAgent },
];
export const AGENT = "this agent";
export const QUARTER = "this agent, refresh_at = 0.25";
export const HEARING = "this agent, link events";
const agents: readonly Contender[] = [
  { name: AGENT, make: (unit) => new AgentRule(DEFAULTS, unit) },
  { name: QUARTER, make: (unit) => new AgentRule({ ...DEFAULTS, refreshAt: 0.25 }, unit) },
];
const hearing: Contender = { name: HEARING, make: (unit) => new AgentRule(DEFAULTS, unit), hearsLink: true };

/** What a rule made of all seeds of a trace. */
export interface Figures {
  readonly regret: number;
  readonly regretHalf: number;
  readonly linkUpMinutes: number;
  readonly recoveryP50S: number;
  readonly recoveryP95S: number;
  readonly callsADay: number;
  readonly answeredADay: number;
  readonly fewestLate: number;
}

/** The part of a drive that the figures are made of. */
type Outcome = Omit<Drive, "answered" | "inLastFiveMinutes"> & Partial<Drive>;

export function figuresOf(outcomes: readonly Outcome[], cron: readonly Drive[], traces: readonly Trace[]): Figures {
  const regrets = outcomes.map(({ balance }, i) => {
    const trace = traces[i];
    const best = trace === undefined ? Number.NaN : oracle(trace, LIFE_MS).unavailableMs;
    return (balance.unavailableMs - best) / ((cron[i]?.balance.unavailableMs ?? Number.NaN) - best);
  });
  const recoveries = outcomes.flatMap(({ balance }) => balance.recoveriesMs);
  const days = outcomes.reduce((sum, { balance }) => sum + balance.poweredMs, 0) / DAY;
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  return {
    regret: mean(regrets),
    regretHalf: halfInterval(regrets),
    linkUpMinutes: minutesAYear(
      sum(({ balance }) => balance.unavailableLinkUpMs),
      days * DAY,
    ),
    recoveryP50S: percentile(recoveries, 0.5) / SECOND,
    recoveryP95S: percentile(recoveries, 0.95) / SECOND,
    callsADay: sum(({ attempts }) => attempts) / days,
    answeredADay: sum(({ answered }) => answered ?? Number.NaN) / days,
    fewestLate: outcomes
      .flatMap(({ inLastFiveMinutes }) => inLastFiveMinutes ?? [])
      .reduce((least, count) => Math.min(least, count), Number.POSITIVE_INFINITY),
  };
}

export const HEAD = [
  "rule",
  "regret",
  "min/year link up, no authinfo",
  "recovery p50 s",
  "p95 s",
  "calls/day",
  "answered/day",
] as const;

export function rowOf(name: string, figures: Figures): string[] {
  return [
    name,
    `${fixed(figures.regret, 3)} +-${fixed(figures.regretHalf, 3)}`,
    fixed(figures.linkUpMinutes, 1),
    fixed(figures.recoveryP50S, 1),
    fixed(figures.recoveryP95S, 1),
    fixed(figures.callsADay, 1),
    fixed(figures.answeredADay, 1),
  ];
}

export function tracesOf(make: MakeTrace, seeds: number): Trace[] {
  return Array.from({ length: seeds }, (_, seed) => make(seededChance(1 + seed).unit));
}

export function driveAll({ make, hearsLink = false }: Contender, traces: readonly Trace[]): Drive[] {
  return traces.map((trace, seed) => drive(make(seededChance(1_001 + seed).unit), trace, { hearsLink }));
}

export const driveCron = (traces: readonly Trace[]) => driveAll(CRON, traces);

interface Course {
  readonly title: string;
  readonly years: number;
  readonly make: (lengthMs: number) => MakeTrace;
  /** Whether the terminal's interface shows its outages, so that there are link events to hear. */
  readonly shows?: boolean;
}

const links = (perDay: number, years: number, clustered: boolean): Course => ({
  title: `Link outages, ${perDay} a day, ${clustered ? "in clusters" : "spread evenly"}`,
  years,
  make: (ms) => linkOutages({ perDay, clustered }, ms),
});

const courses = {
  even006: links(0.06, 20, false),
  clustered006: links(0.06, 20, true),
  even0158: links(0.158, 10, false),
  clustered0158: links(0.158, 10, true),
  even09: links(0.9, 3, false),
  clustered09: links(0.9, 3, true),
  seen: {
    title: "Link outages, 0.06 a day, that the interface shows",
    years: 20,
    make: (ms) => linkOutages({ perDay: 0.06, as: "visible" }, ms),
    shows: true,
  },
  flaps: {
    title: "Cellular flaps, 20 a day of 5 to 90 s, that the interface shows",
    years: 2,
    make: (ms) => cellularFlaps(ms, "visible"),
    shows: true,
  },
  night: {
    title: "Power off from 22:00 to 08:00, link 5 to 90 s after the boot, outages at 0.158 a day",
    years: 5,
    make: nightlyPowerOff,
  },
  issuer: {
    title: "Outages of WeChat Pay alone: 5xx, hangs, DNS failures of 10 min to 3 h, 0.1 a day",
    years: 10,
    make: issuerOutages,
  },
} as const satisfies Record<string, Course>;

export type CourseName = keyof typeof courses;
export const courseNames = Object.keys(courses) as CourseName[];

/** One table for each course: the other rules, and this agent's own variants. */
export function benchCourse(name: CourseName, seeds: number, scale: number) {
  const { title, years, make, shows = false }: Course = courses[name];
  const all = tracesOf(make(years * scale * YEAR), seeds);
  const cron = driveCron(all);
  const figures = new Map<string, Figures>();
  for (const contender of [...others, ...agents, ...(shows ? [hearing] : [])]) {
    figures.set(contender.name, figuresOf(driveAll(contender, all), cron, all));
  }
  const table: Table = { title, head: HEAD, rows: [...figures].map(([rule, of]) => rowOf(rule, of)) };
  return { table, figures };
}
