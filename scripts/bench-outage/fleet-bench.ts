import { seededChance } from "./chance.ts";
import { mean } from "./figures.ts";
import { BIN_S, driveFleet, type FleetRun, goodStart, linkEventStart, peakToMean, pollingStart } from "./fleet.ts";
import { ArrayTerminals, type FleetAnswer, PacingTerminals } from "./fleet-terminals.ts";
import { fixed, type Table, type Target } from "./report.ts";
import type { Size } from "./sizes.ts";

const HOUR_S = 3_600;
/** After a common outage every terminal counts its network as unsteady for a day. */
const AFTER_OUTAGE = 0.25;
const STEADY = 0.5;

const always = (): FleetAnswer => "ok";
const firstMinutePeak = ({ requests }: FleetRun) =>
  requests.subarray(0, 60 / BIN_S).reduce((a, b) => Math.max(a, b), 0);

interface Return {
  readonly name: string;
  readonly start: typeof pollingStart;
  readonly fraction: number;
  /** Whether its figures are promised. */
  readonly judged: boolean;
}

const returns: readonly Return[] = [
  { name: "expired, a dead link comes back", start: pollingStart, fraction: AFTER_OUTAGE, judged: true },
  { name: "expired, the interface comes back", start: linkEventStart, fraction: AFTER_OUTAGE, judged: true },
  { name: "still good, the interface comes back", start: goodStart, fraction: AFTER_OUTAGE, judged: true },
  { name: "all new at once, nothing had failed", start: linkEventStart, fraction: STEADY, judged: false },
];

/** Everyone back in the same second, and WeChat Pay answers all. */
function benchReturn(size: Size) {
  const rows: string[][] = [];
  const targets: Target[] = [];
  for (const count of size.fleets) {
    // Chance evens out in a million; in ten thousand a single bin has some 150 requests, +-8 %.
    const seeds = count > 20_000 ? 1 : size.fleetSeeds;
    for (const { name, start, fraction, judged } of returns) {
      const runs = Array.from({ length: seeds }, (_, seed) => {
        const { unit } = seededChance(3_001 + seed);
        const run = driveFleet({
          terminals: new ArrayTerminals(count, fraction, unit),
          count,
          hours: 4,
          start: start(unit),
          answer: always,
        });
        return {
          first: firstMinutePeak(run) / BIN_S,
          hours: [0, 1, 2, 3].map((hour) =>
            peakToMean(run.requests, hour === 0 ? 60 : hour * HOUR_S, (hour + 1) * HOUR_S),
          ),
        };
      });
      const hours = [0, 1, 2, 3].map((hour) => runs.map((run) => run.hours[hour] ?? Number.NaN));
      rows.push([
        `${count.toLocaleString("en")} ${name}`,
        fixed(mean(runs.map(({ first }) => first)), 0),
        ...hours.map((of) => fixed(mean(of), 2)),
        fixed(Math.max(...(hours[3] ?? [])), 2),
      ]);
      if (!judged) continue;
      const what = `fleet of ${count.toLocaleString("en")}, ${name}: peak to mean of 10 s`;
      targets.push({
        what: `${what}, hour 1 after the first minute`,
        value: mean(hours[0] ?? []),
        bound: 2,
        is: "at most",
      });
      targets.push({ what: `${what}, hour 4`, value: mean(hours[3] ?? []), bound: 1.3, is: "at most" });
    }
  }
  const table: Table = {
    title: "Fleets that come back at once: peak to mean of the requests in 10 s",
    note: "Hour 1 without its first minute, whose peak is told apart. Small fleets: mean of the seeds, and the worst of them.",
    head: ["fleet", "requests/s at the peak of minute 1", "hour 1", "hour 2", "hour 3", "hour 4", "hour 4, worst seed"],
    rows,
  };
  return { table, targets };
}

/** All expired, and refused for the first ten seconds. */
function benchRefusal(size: Size) {
  const rows: string[][] = [];
  const targets: Target[] = [];
  for (const said of ["429", "503"] as const) {
    const count = size.fleets[0] ?? 0;
    const { unit } = seededChance(4_001);
    const run = driveFleet({
      terminals: new ArrayTerminals(count, AFTER_OUTAGE, unit),
      count,
      hours: 1,
      start: linkEventStart(unit),
      answer: (second) => (second < BIN_S ? said : "ok"),
    });
    const bins = new Uint32Array(60 / BIN_S);
    for (const after of run.afterRefusalS) {
      const bin = Math.min(Math.floor(after / BIN_S), bins.length - 1);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const ratio = peakToMean(bins, 0, 60);
    rows.push([said, ...Array.from(bins, String), fixed(ratio, 2)]);
    targets.push({
      what: `after a ${said}, expired terminals over 60 s: peak to mean of their next requests in 10 s`,
      value: ratio,
      bound: 1.1,
      is: "at most",
    });
  }
  const table: Table = {
    title: "The request after the first refusal, all terminals expired: how many after so many seconds",
    head: ["refused with", "0-10", "10-20", "20-30", "30-40", "40-50", "50-60", "peak to mean"],
    rows,
  };
  return { table, targets };
}

const LIFE_MIN = 60;
const LIMITED_H = 6;
const REFRESHES_S = [1_000, 1_600, 2_500] as const;

/** A limit nobody published: so many requests a second for the whole fleet, the rest 429, for six hours. */
function benchLimit(size: Size) {
  const count = size.quotaFleet;
  const hours = [1, 2, 4, 6, 7, 8, 10, 12, 18, 24];
  const rows: string[][] = [];
  const targets: Target[] = [];
  for (const everyS of REFRESHES_S) {
    const { unit } = seededChance(5_001);
    const quota = Math.round(count / everyS);
    const run = driveFleet({
      terminals: new ArrayTerminals(count, AFTER_OUTAGE, unit),
      count,
      hours: 24,
      start: linkEventStart(unit),
      answer: (second, nth) => (second < LIMITED_H * HOUR_S && nth > quota ? "429" : "ok"),
    });
    const inHour = (bins: Uint32Array, hour: number) =>
      bins.subarray(((hour - 1) * HOUR_S) / BIN_S, (hour * HOUR_S) / BIN_S).reduce((a, b) => a + b, 0);
    const drawnMin = (hour: number) => (run.drawnS[hour - 1] ?? Number.NaN) / 60;
    const name = `one per terminal in ${everyS} s`;
    rows.push([`${name}: minutes to the refresh`, ...hours.map((hour) => fixed(drawnMin(hour), 1))]);
    rows.push([
      `${name}: refused, %`,
      ...hours.map((hour) => fixed((100 * inHour(run.refused, hour)) / inHour(run.requests, hour), 1)),
    ]);
    rows.push([
      `${name}: without authinfo, %`,
      ...hours.map((hour) => fixed((100 * (run.without[hour - 1] ?? Number.NaN)) / count, 2)),
    ]);
    if (everyS !== REFRESHES_S[0]) continue;
    const usual = LIFE_MIN * AFTER_OUTAGE * 0.75;
    targets.push(
      {
        what: "refresh instants under a limit for the fleet, against the usual",
        unit: "x",
        value: drawnMin(1) / usual,
        bound: 1.5,
        is: "at least",
      },
      {
        what: "the same in the second hour after the limit is gone",
        unit: "x",
        value: drawnMin(8) / usual,
        bound: 1.1,
        is: "at least",
      },
      { what: "the same 18 h after it", unit: "x", value: drawnMin(24) / usual, bound: 1.05, is: "at most" },
      {
        what: "refused in hour 2 of a limit that the unstretched fleet would exceed by half",
        unit: "%",
        value: (100 * inHour(run.refused, 2)) / inHour(run.requests, 2),
        bound: 1,
        is: "at most",
      },
    );
  }
  const table: Table = {
    title: `A limit for the whole fleet of ${count.toLocaleString("en")}, for six hours, no Retry-After (usual mean refresh: 11.3 min = 675 s)`,
    head: ["limit", ...hours.map((hour) => `hour ${hour}`)],
    rows,
  };
  return { table, targets };
}

/** The arrays against the agent's own book of attempts, refusals included. Returns the 10 s in which they differ. */
function differingBins(): number {
  const count = 400;
  const run = (Terminals: typeof ArrayTerminals | typeof PacingTerminals) => {
    const { unit } = seededChance(6_001);
    return driveFleet({
      terminals: new Terminals(count, AFTER_OUTAGE, unit),
      count,
      hours: 6,
      start: linkEventStart(unit),
      answer: (second, nth) => (second < 20 ? "503" : nth > 1 && second < 2 * HOUR_S ? "429" : "ok"),
    });
  };
  const fast = run(ArrayTerminals).requests;
  const real = run(PacingTerminals).requests;
  return fast.filter((requests, bin) => requests !== real[bin]).length;
}

export function benchFleet(size: Size): { tables: Table[]; targets: Target[] } {
  const parts = [benchReturn(size), benchRefusal(size), benchLimit(size)];
  const differing: Target = {
    what: "10 s of a limited fleet in which arrays and the real book of attempts differ",
    value: differingBins(),
    bound: 0,
    is: "at most",
  };
  return { tables: parts.map(({ table }) => table), targets: [differing, ...parts.flatMap(({ targets }) => targets)] };
}
