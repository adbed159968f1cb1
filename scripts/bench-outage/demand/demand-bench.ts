import { emptyProfile, learn, SLOTS, slotOf } from "../../../agent/credential/demand-profile.ts";
import { oracle, type Weigh } from "../account.ts";
import { type AgentOptions, AgentRule, DEFAULTS } from "../agent-rule.ts";
import { seededChance } from "../chance.ts";
import { drive, LIFE_MS } from "../drive.ts";
import { halfInterval, mean } from "../figures.ts";
import { hourlyCron } from "../other-rules.ts";
import { cellularFlaps, clusterHazard, linkOutages, nightlyPowerOff } from "../published-outages.ts";
import { fixed, type Table, type Target } from "../report.ts";
import type { Rule } from "../rule.ts";
import type { Size } from "../sizes.ts";
import { DAY, MINUTE, type Trace, YEAR } from "../trace.ts";
import { benchCanteenFleet } from "./fleet-demand.ts";
import { learnedOf, READS } from "./learned.ts";
import { type OptimumBounds, type OutageLaw, optimumPlan } from "./optimum.ts";
import { type DemandShape, type ShapeName, shapes, shifted, weighBy } from "./shapes.ts";

const poisson = (perDay: number): OutageLaw => ({ hazard: () => (perDay * MINUTE) / DAY, steadyAfterMin: 0 });

interface Course {
  readonly title: string;
  readonly years: number;
  readonly make: (lengthMs: number) => (unit: () => number) => Trace;
  readonly law?: OutageLaw;
}

const courses = {
  single: {
    title: "link outages, 0.06 a day, spread evenly",
    years: 10,
    make: (ms: number) => linkOutages({ perDay: 0.06 }, ms),
    law: poisson(0.06),
  },
  clustered: {
    title: "link outages, 0.06 a day, in clusters",
    years: 10,
    make: (ms: number) => linkOutages({ perDay: 0.06, clustered: true }, ms),
    law: { hazard: (since: number) => clusterHazard(0.06, since), steadyAfterMin: 24 * 60 },
  },
  night: { title: "power off from 22:00 to 08:00, link outages at 0.158 a day", years: 5, make: nightlyPowerOff },
  cellular: { title: "cellular flaps, 20 a day of 5 to 90 s", years: 1, make: cellularFlaps },
} as const satisfies Record<string, Course>;

export type CourseName = keyof typeof courses;

interface Measured {
  readonly regret: number;
  readonly half: number;
  readonly calls: number;
  readonly answered: number;
}

/** All traces of a course under one demand. */
class Field {
  readonly #traces: readonly Trace[];
  readonly #weigh: Weigh;
  readonly #best: readonly number[];
  readonly #cron: readonly number[];

  constructor(traces: readonly Trace[], shape: DemandShape) {
    this.#traces = traces;
    this.#weigh = weighBy(shape);
    this.#best = traces.map((trace) => oracle(trace, LIFE_MS, this.#weigh).unavailableMs);
    this.#cron = this.#drive((unit) => hourlyCron(unit)).map(({ balance }) => balance.unavailableMs);
  }

  measure(make: (unit: () => number) => Rule): Measured {
    const drives = this.#drive(make);
    const regrets = drives.map(({ balance }, i) => {
      const best = this.#best[i] ?? Number.NaN;
      return (balance.unavailableMs - best) / ((this.#cron[i] ?? Number.NaN) - best);
    });
    const days = drives.reduce((sum, { balance }) => sum + balance.poweredMs, 0) / DAY;
    return {
      regret: mean(regrets),
      half: halfInterval(regrets),
      calls: drives.reduce((sum, { attempts }) => sum + attempts, 0) / days,
      answered: drives.reduce((sum, { answered }) => sum + answered, 0) / days,
    };
  }

  agent(options: AgentOptions = {}, refreshAt = DEFAULTS.refreshAt): Measured {
    return this.measure((unit) => new AgentRule({ ...DEFAULTS, refreshAt }, unit, options));
  }

  #drive(make: (unit: () => number) => Rule) {
    return this.#traces.map((trace, seed) =>
      drive(make(seededChance(1_001 + seed).unit), trace, { weigh: this.#weigh }),
    );
  }
}

/** Within the bounds of the policy, and with as good as none. */
const BOUNDED: OptimumBounds = { shortestMin: 8, longestMin: 52 };
const FREE: OptimumBounds = { shortestMin: 1, longestMin: 58 };
/** What a call may cost, in weighted minutes: from nearly nothing to some fifty calls a day. */
const PRICES = [0.000_5, 0.003, 0.012] as const;

/** The optimum for several prices of a call: its regret at any number of calls between them. */
function frontier(field: Field, shape: DemandShape, law: OutageLaw, bounds: OptimumBounds): Measured[] {
  const demand = (minute: number) => shape[slotOf(minute * MINUTE)] ?? 0;
  return PRICES.map((price) => {
    const plan = optimumPlan(demand, law, bounds, price);
    return field.agent({
      plan: (sent, seen) => plan((sent / MINUTE) % (DAY / MINUTE), (sent - seen) / MINUTE) * MINUTE,
    });
  });
}

/** Straight between the points of a frontier; beyond its ends the nearest one, since more calls would change nothing. */
function regretAt(points: readonly Measured[], calls: number): number {
  const sorted = [...points].sort((a, b) => a.calls - b.calls);
  const above = sorted.findIndex((each) => each.calls >= calls);
  const [low, high] = [sorted[above - 1], sorted[above]];
  if (high === undefined) return sorted.at(-1)?.regret ?? Number.NaN;
  if (low === undefined) return above === 0 && high.calls > calls ? Number.NaN : high.regret;
  return low.regret + ((high.regret - low.regret) * (calls - low.calls)) / (high.calls - low.calls);
}

const HEAD = ["demand, agent", "regret", "calls/day", "answered/day", "best at as many calls", "without the bounds"];

/** One trace under all demands. `regrets` are found by demand and agent. */
function benchCourse(name: CourseName, size: Size) {
  const { title, years, make, law }: Course = courses[name];
  const makeTrace = make(years * size.scale * YEAR);
  const traces = Array.from({ length: size.seeds }, (_, seed) => makeTrace(seededChance(1 + seed).unit));
  const found = new Map<string, Measured>();
  const rows: string[][] = [];
  for (const demand of ["canteen", "shop", "even"] as const) {
    const shape = shapes[demand];
    const field = new Field(traces, shape);
    const bounded = law && demand !== "even" ? frontier(field, shape, law, BOUNDED) : [];
    const free = law && demand !== "even" ? frontier(field, shape, law, FREE) : [];
    for (const [agent, measure] of agentsFor(demand, name)) {
      const measured = measure(field);
      found.set(`${demand}, ${agent}`, measured);
      const best = (points: readonly Measured[]) => fixed(regretAt(points, measured.calls), 3);
      rows.push([
        `${demand}, ${agent}`,
        `${fixed(measured.regret, 3)} +-${fixed(measured.half, 3)}`,
        fixed(measured.calls, 1),
        fixed(measured.answered, 1),
        best(bounded),
        best(free),
      ]);
    }
  }
  return { table: { title: `Regret weighted by demand: ${title}`, head: HEAD, rows } satisfies Table, found };
}

type Agent = readonly [name: string, measure: (field: Field) => Measured];

const EVEN = "even spacing";
const LEARNED = "learned";
const WRONG = "learned, wrong by six hours";

function agentsFor(demand: ShapeName, course: CourseName): readonly Agent[] {
  const shape = shapes[demand];
  const { unit } = seededChance(7_001);
  // What is off by night sees nothing of it.
  const isOn = course === "night" ? (slot: number) => slot % 48 < 28 : undefined;
  const profile = learnedOf(shape, unit, isOn);
  const even: Agent = [EVEN, (field) => field.agent()];
  const learned: Agent = [LEARNED, (field) => field.agent({ profile })];
  if (demand !== "canteen") return [even, learned];
  const wrong = learnedOf(shifted(shape, 6), unit, isOn);
  const observes = (slot: number) => (shape[slot] ?? 0) * READS;
  const polled = learnedOf(shapes.even, unit, isOn);
  const others: Agent[] = [
    [WRONG, (field) => field.agent({ profile: wrong, observes })],
    ["app polls evenly", (field) => field.agent({ profile: polled })],
  ];
  if (course !== "single" && course !== "clustered") return [even, learned, ...others];
  return [
    even,
    learned,
    ...[0.25, 0.65, 0.9].map((at): Agent => [`learned, refresh_at = ${at}`, (field) => field.agent({ profile }, at)]),
    ...others,
    ["every 7.5 min, day and night", (field) => field.agent({ plan: () => 7.5 * MINUTE })],
  ];
}

/** In the first week nothing has been learned: attempts at another millisecond than those of even spacing. */
function firstWeekDiffering(): number {
  const trace = linkOutages({ perDay: 3, clustered: true }, 7 * DAY)(seededChance(7_101).unit);
  const attemptsOf = (options: AgentOptions) => {
    const at: number[] = [];
    drive(new AgentRule(DEFAULTS, seededChance(7_102).unit, options), trace, { onAttempt: (ms) => at.push(ms) });
    return at;
  };
  let profile = emptyProfile;
  for (let slot = 0; slot < SLOTS; slot++) profile = learn(profile, slot, (shapes.canteen[slot] ?? 0) * READS, 1);
  const learning = attemptsOf({ profile });
  const even = attemptsOf({});
  return even.filter((at, i) => at !== learning[i]).length + Math.abs(even.length - learning.length);
}

export function benchDemand(size: Size, tell: (what: string) => void): { tables: Table[]; targets: Target[] } {
  const tables: Table[] = [];
  const found = new Map<CourseName, ReadonlyMap<string, Measured>>();
  for (const name of size.demand) {
    tell(`demand, ${name}`);
    const course = benchCourse(name, size);
    tables.push(course.table);
    found.set(name, course.found);
  }
  const of = (course: CourseName, agent: string) => found.get(course)?.get(agent);
  const target = (what: string, value: number | undefined, bound: number, unit?: string): Target => ({
    what,
    value: value ?? Number.NaN,
    bound,
    is: "at most",
    ...(unit === undefined ? {} : { unit }),
  });
  const canteen = of("single", `canteen, ${LEARNED}`);
  const shop = of("single", `shop, ${LEARNED}`);
  const ratio = (course: CourseName, agent: string, demand: ShapeName) =>
    (of(course, `${demand}, ${agent}`)?.regret ?? Number.NaN) /
    (of(course, `${demand}, ${EVEN}`)?.regret ?? Number.NaN);
  const firstWeek = target("demand: attempts of a first week that differ from even spacing", firstWeekDiffering(), 0);
  // Few seeds and a small fleet say nothing.
  if (size.judged === "mean") return { tables, targets: [firstWeek] };
  tell("canteens that come back at once");
  const fleet = benchCanteenFleet(size);
  tables.push(fleet.table);
  const targets = [
    target("demand: regret of a canteen", canteen?.regret, 0.05),
    target("demand: calls a day of a canteen", canteen?.calls, 80),
    target("demand: regret of a shop", shop?.regret, 0.09),
    target("demand: calls a day of a shop", shop?.calls, 80),
    target("demand: regret of even demand, to even spacing", ratio("single", LEARNED, "even"), 1, "x"),
    target("demand: the same, in clusters", ratio("clustered", LEARNED, "even"), 1, "x"),
    target(
      "demand: a canteen whose profile is wrong by six hours, to even spacing",
      ratio("single", WRONG, "canteen"),
      1.1,
      "x",
    ),
    target("demand: the same in clusters", ratio("clustered", WRONG, "canteen"), 1.1, "x"),
    firstWeek,
    ...fleet.targets,
  ];
  return { tables, targets };
}
