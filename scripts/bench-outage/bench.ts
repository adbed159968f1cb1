import { benchFleet } from "./fleet-bench.ts";
import { benchClock, benchEquality } from "./keeper-bench.ts";
import type { Report, Table, Target } from "./report.ts";
import { benchTrace, type Figures, type TraceName, traceNames } from "./single.ts";
import type { Size } from "./sizes.ts";

const AGENT = "this agent";
const QUARTER = "this agent, refresh_at = 0.25";
const HEARING = "this agent, link events";

/** Drives everything. `tell` hears what is begun. */
export async function bench(size: Size, tell: (what: string) => void): Promise<Report> {
  const tables: Table[] = [];
  tell("the real runner beside the fast one");
  const equality = await benchEquality(size.keeperDays);
  tables.push(equality.table);
  const found = new Map<TraceName, ReadonlyMap<string, Figures>>();
  for (const name of traceNames) {
    tell(name);
    const { table, figures } = benchTrace(name, size.seeds, size.scale);
    tables.push(table);
    found.set(name, figures);
  }
  tell("boots without a clock");
  const clock = await benchClock(size);
  tables.push(clock.table);
  tell("fleets");
  const fleet = benchFleet(size);
  tables.push(...fleet.tables);
  const of = (trace: TraceName, rule: string, figure: (figures: Figures) => number) => {
    const figures = found.get(trace)?.get(rule);
    return figures === undefined ? Number.NaN : figure(figures);
  };
  const regret = ({ regret: value, regretHalf }: Figures) => value + regretHalf;
  const calls = ({ callsADay }: Figures) => callsADay;
  const p95 = ({ recoveryP95S }: Figures) => recoveryP95S;
  const silent = ["even006", "clustered006", "even0158", "clustered0158", "even09", "clustered09"] as const;
  const worst = (figure: (figures: Figures) => number, pick: (...values: number[]) => number) =>
    pick(...silent.flatMap((trace) => [AGENT, QUARTER].map((rule) => of(trace, rule, figure))));
  const targets: Target[] = [
    {
      what: "attempts at another millisecond than the real runner's",
      value: equality.differing,
      bound: 0,
      is: "at most",
    },
    {
      what: "regret, defaults, 0.06 a day (upper end of its interval)",
      value: of("even006", AGENT, regret),
      bound: 0.17,
      is: "at most",
    },
    { what: "calls a day there", value: of("even006", AGENT, calls), bound: 80, is: "at most" },
    {
      what: "regret, defaults, 0.06 a day in clusters",
      value: of("clustered006", AGENT, regret),
      bound: 0.12,
      is: "at most",
    },
    { what: "regret, refresh_at = 0.25, 0.06 a day", value: of("even006", QUARTER, regret), bound: 0.1, is: "at most" },
    { what: "calls a day there", value: of("even006", QUARTER, calls), bound: 145, is: "at most" },
    {
      what: "recovery p95 by polling alone, attempts of 6 s, the worst of the six link traces",
      unit: "s",
      value: worst(p95, Math.max),
      bound: 35,
      is: "at most",
    },
    {
      what: "recovery p95 when the interface comes back, its detection and the attempt included",
      unit: "s",
      value: of("seen", HEARING, p95),
      bound: 5,
      is: "at most",
    },
    {
      what: "fewest attempts in the last five minutes of life, attempts of 6 s",
      value: worst(({ fewestLate }) => fewestLate, Math.min),
      bound: 8,
      is: "at least",
    },
    ...fleet.targets,
  ];
  return { tables, targets };
}
