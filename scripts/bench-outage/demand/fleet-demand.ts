import type { DemandProfile } from "../../../agent/credential/demand-profile.ts";
import { drawByDemandMs } from "../../../agent/credential/demand-spacing.ts";
import { DEFAULTS } from "../agent-rule.ts";
import { seededChance } from "../chance.ts";
import { LIFE_MS } from "../drive.ts";
import { BIN_S, driveFleet, linkEventStart, peakToMean } from "../fleet.ts";
import type { FleetTerminals } from "../fleet-terminals.ts";
import { fixed, type Table, type Target } from "../report.ts";
import type { Size } from "../sizes.ts";
import { DAY, HOUR, SECOND } from "../trace.ts";
import { learnedOf } from "./learned.ts";
import { MEALS, shapes } from "./shapes.ts";

/** China Standard Time. A Monday, of no account: the meals are the same every day. */
const MIDNIGHT = Date.UTC(2026, 0, 5) - 8 * HOUR;
const HOUR_S = HOUR / SECOND;
const DAY_S = DAY / SECOND;
const FIRST_S = 60;
const QUARTER_S = 15 * 60;
/** How long before a meal its refreshes are made: a lifetime, and the quarters that touch it. */
const BEFORE_MEAL_S = 75 * 60;

/** Canteens that have learned the same meals. The network counts as unsteady for a day after the common outage. */
class Canteens implements FleetTerminals {
  readonly #profile: DemandProfile;
  readonly #returnMs: number;
  readonly #unit: () => number;
  readonly #terms = [DEFAULTS.refreshAtUnsteady, DEFAULTS.refreshAt].map((fraction) => ({
    lifetimeMs: LIFE_MS,
    fraction,
    leastFraction: DEFAULTS.refreshAtUnsteady,
  }));

  constructor(profile: DemandProfile, returnMs: number, unit: () => number) {
    this.#profile = profile;
    this.#returnMs = returnMs;
    this.#unit = unit;
  }

  begin(): void {}

  renewed(_terminal: number, sentS: number): number {
    const terms = this.#terms[sentS < DAY_S ? 0 : 1];
    if (terms === undefined) throw new RangeError("no terms");
    // All come from the outage with their first request.
    const isAfterOutage = sentS < FIRST_S;
    const draw = { ...terms, bornMs: this.#returnMs + sentS * SECOND, isAfterOutage };
    return sentS + drawByDemandMs(this.#profile, draw, this.#unit()) / SECOND;
  }

  refused(): never {
    throw new Error("this fleet is never refused");
  }

  expired(): number {
    return 0;
  }
}

function driveCanteens(count: number, hours: number, returnHour: number) {
  const { unit } = seededChance(8_001);
  const profile = learnedOf(shapes.canteen, unit);
  const terminals = new Canteens(profile, MIDNIGHT + returnHour * HOUR, unit);
  return driveFleet({ terminals, count, hours, start: linkEventStart(unit), answer: () => "ok" }).requests;
}

/** The most requests of a quarter of an hour before a meal, in the day from `fromS` on, to those of a mean quarter. */
function beforeMeals(requests: Uint32Array, fromS: number, returnHour: number): number {
  const sumOf = (start: number, end: number) =>
    requests.subarray(start / BIN_S, end / BIN_S).reduce((a, b) => a + b, 0);
  const mean = sumOf(fromS, fromS + DAY_S) / (DAY_S / QUARTER_S);
  let most = 0;
  for (const [meal] of MEALS) {
    const mealS = fromS + (((meal - returnHour + 24) % 24) * HOUR) / SECOND;
    for (let at = mealS - BEFORE_MEAL_S; at < mealS; at += QUARTER_S) {
      if (at >= fromS) most = Math.max(most, sumOf(at, at + QUARTER_S));
    }
  }
  return most / mean;
}

const RETURNS = [3, 10, 10.5, 14] as const;

/** A fleet that has learned the same meals, back in the same seconds. */
export function benchCanteenFleet(size: Size): { table: Table; targets: Target[] } {
  const largest = Math.max(...size.fleets);
  const rows: string[][] = [];
  let hourOne = 0;
  let hourFour = 0;
  for (const returnHour of RETURNS) {
    const requests = driveCanteens(returnHour === 14 ? largest : size.quotaFleet, 4, returnHour);
    const hours = [0, 1, 2, 3].map((hour) =>
      peakToMean(requests, hour === 0 ? 60 : hour * HOUR_S, (hour + 1) * HOUR_S),
    );
    hourOne = Math.max(hourOne, hours[0] ?? Number.NaN);
    hourFour = Math.max(hourFour, hours[3] ?? Number.NaN);
    const back = `${Math.floor(returnHour)}:${returnHour % 1 === 0 ? "00" : "30"}`;
    rows.push([`peak to mean of 10 s, back at ${back}`, ...hours.map((each) => fixed(each, 2))]);
  }
  const days = driveCanteens(size.quotaFleet / 2, 48, 14);
  const [first, second] = [0, DAY_S].map((fromS) => beforeMeals(days, fromS, 14));
  rows.push([
    "busiest quarter before a meal to the mean of the day: first day",
    fixed(first ?? Number.NaN, 2),
    "",
    "",
    "",
  ]);
  rows.push(["the same on the second day, no longer unsteady", fixed(second ?? Number.NaN, 2), "", "", ""]);
  const target = (what: string, value: number, bound: number): Target => ({ what, value, bound, is: "at most" });
  return {
    table: {
      title: `Canteens with the same meals that come back at once (${largest.toLocaleString("en")} at 14:00)`,
      note: "Hour 1 without its first minute. A meal within the hour is part of the ratio: the demand itself, not the common return.",
      head: ["", "hour 1", "hour 2", "hour 3", "hour 4"],
      rows,
    },
    targets: [
      target("demand: canteens that come back at once, peak to mean in hour 1", hourOne, 1.5),
      target("demand: the same in hour 4", hourFour, 1.2),
      target("demand: busiest quarter before a meal to the daily mean, first day", first ?? Number.NaN, 1.5),
    ],
  };
}
