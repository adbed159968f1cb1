import { benchDemand } from "./demand/demand-bench.ts";
import { benchFleet } from "./fleet-bench.ts";
import { benchClock, benchEquality } from "./refresh-loop-bench.ts";
import type { Report, Table, Target } from "./report.ts";
import { AGENT, benchCourse, type CourseName, courseNames, type Figures, HEARING, QUARTER } from "./single.ts";
import type { Size } from "./sizes.ts";

/** Drives everything. `tell` hears what is begun. */
export async function bench(size: Size, tell: (what: string) => void): Promise<Report> {
  const tables: Table[] = [];
  tell("the real runner beside the fast one");
  const equality = await benchEquality(size.loopDays);
  tables.push(equality.table);
  const found = new Map<CourseName, ReadonlyMap<string, Figures>>();
  for (const name of courseNames) {
    tell(name);
    const { table, figures } = benchCourse(name, size.seeds, size.scale);
    tables.push(table);
    found.set(name, figures);
  }
  tell("boots without a clock");
  tables.push(await benchClock(size));
  const demand = benchDemand(size, tell);
  tables.push(...demand.tables);
  tell("fleets");
  const fleet = benchFleet(size);
  tables.push(...fleet.tables);
  const differing: Target = {
    what: "attempts at another millisecond than the real runner's",
    value: equality.differing,
    bound: 0,
    is: "at most",
  };
  return { tables, targets: [differing, ...terminalTargets(found, size.judged), ...demand.targets, ...fleet.targets] };
}

/** Where attempts hang for six seconds and nothing tells of the link's return. */
const SILENT = ["even006", "clustered006", "even0158", "clustered0158", "even09", "clustered09"] as const;

function terminalTargets(
  found: ReadonlyMap<CourseName, ReadonlyMap<string, Figures>>,
  judged: Size["judged"],
): Target[] {
  const of = (course: CourseName, rule: string, figure: (figures: Figures) => number) => {
    const figures = found.get(course)?.get(rule);
    return figures === undefined ? Number.NaN : figure(figures);
  };
  const regret = ({ regret: centre, regretHalf }: Figures) => centre + (judged === "upper end" ? regretHalf : 0);
  const calls = ({ callsADay }: Figures) => callsADay;
  const silent = (figure: (figures: Figures) => number) =>
    SILENT.flatMap((course) => [AGENT, QUARTER].map((rule) => of(course, rule, figure)));
  const atMost = (what: string, value: number, bound: number, unit?: string): Target => ({
    what,
    value,
    bound,
    is: "at most",
    ...(unit === undefined ? {} : { unit }),
  });
  return [
    atMost(`regret, defaults, 0.06 a day (${judged})`, of("even006", AGENT, regret), 0.17),
    atMost("calls a day, defaults, 0.06 a day", of("even006", AGENT, calls), 80),
    atMost(`regret, defaults, 0.06 a day in clusters (${judged})`, of("clustered006", AGENT, regret), 0.12),
    atMost(`regret, refresh_at = 0.25, 0.06 a day (${judged})`, of("even006", QUARTER, regret), 0.1),
    atMost("calls a day, refresh_at = 0.25, 0.06 a day", of("even006", QUARTER, calls), 145),
    atMost(
      "recovery p95 by polling alone, attempts of 6 s, the worst of the six link traces",
      Math.max(...silent(({ recoveryP95S }) => recoveryP95S)),
      35,
      "s",
    ),
    atMost(
      "recovery p95 when the interface comes back, its detection and the attempt included",
      of("seen", HEARING, ({ recoveryP95S }) => recoveryP95S),
      5,
      "s",
    ),
    {
      what: "fewest attempts in the last five minutes of life, attempts of 6 s",
      value: Math.min(...silent(({ fewestLate }) => fewestLate)),
      bound: 8,
      is: "at least",
    },
  ];
}
