import { AgentRule, DEFAULTS } from "./agent-rule.ts";
import { seededChance } from "./chance.ts";
import { type Drive, drive } from "./drive.ts";
import { bootsWithoutClock, cellularFlaps, issuerOutages, linkOutages, nightlyPowerOff } from "./published-outages.ts";
import { driveRefreshLoop } from "./real-refresh-loop.ts";
import { fixed, type Table } from "./report.ts";
import { AGENT, driveAll, driveCron, figuresOf, HEAD, type MakeTrace, others, rowOf, tracesOf } from "./single.ts";
import type { Size } from "./sizes.ts";
import { DAY, MINUTE, type Trace, TraceBuilder, YEAR } from "./trace.ts";

/** Ends a trace where a bench of days has seen enough. */
function cut(make: MakeTrace, ms: number): MakeTrace {
  return (unit) => {
    const { segments } = make(unit);
    const built = new TraceBuilder();
    segments.forEach(({ fromMs, state }, i) => {
      built.add(state, Math.min(segments[i + 1]?.fromMs ?? ms, ms) - fromMs);
    });
    return built.build();
  };
}

/** The unmodified runner beside the fast one: the attempts must start at the very same milliseconds. */
export async function benchEquality(days: number) {
  const ms = days * DAY;
  const pairs: Record<string, MakeTrace> = {
    "link outages in clusters, 3 a day": linkOutages({ perDay: 3, clustered: true }, ms),
    "link outages that the interface shows, 3 a day": linkOutages({ perDay: 3, as: "visible" }, ms),
    "cellular flaps that the interface shows": cellularFlaps(ms, "visible"),
    "nightly power-off": nightlyPowerOff(2 * DAY + ms),
    "outages of WeChat Pay": issuerOutages(ms),
  };
  const rows: string[][] = [];
  let equal = 0;
  let total = 0;
  for (const [name, make] of Object.entries(pairs)) {
    // One night at least, for the restart in the morning.
    const trace = cut(make, name.startsWith("nightly") ? Math.max(ms, 1.1 * DAY) : ms)(seededChance(77).unit);
    const fast: number[] = [];
    drive(new AgentRule(DEFAULTS, seededChance(78).unit), trace, {
      hearsLink: true,
      onAttempt: (at) => fast.push(at),
    });
    const { attemptsAt } = await driveRefreshLoop(trace, {
      refresh: DEFAULTS,
      unit: seededChance(78).unit,
      hearsLink: true,
    });
    const same = attemptsAt.filter((at, i) => at === fast[i]).length;
    const most = Math.max(attemptsAt.length, fast.length);
    equal += same;
    total += most;
    rows.push([name, fixed(trace.endMs / DAY, 1), String(attemptsAt.length), String(fast.length), String(same)]);
  }
  const table: Table = {
    title: "The real runner and the fast one",
    note: "The unmodified CredentialManager, link watch and time base in virtual time, beside the runner of the tables below, which asks the same policy only when something happens.",
    head: ["trace", "days", "attempts, real", "attempts, fast", "at the same millisecond"],
    rows,
  };
  return { table, differing: total - equal };
}

/** A board without a clock battery: by the real runner, since here the time base takes part in every decision. */
export async function benchClock({ clockSeeds, clockDays }: Size): Promise<Table> {
  const all: Trace[] = tracesOf(bootsWithoutClock(clockDays * DAY), clockSeeds);
  const cron: Drive[] = driveCron(all);
  const rows = others.map((contender) => rowOf(contender.name, figuresOf(driveAll(contender, all), cron, all)));
  const outcomes = [];
  let wronglyGood = 0;
  let powered = 0;
  for (const [seed, trace] of all.entries()) {
    const { unit } = seededChance(2_001 + seed);
    const run = await driveRefreshLoop(trace, { refresh: DEFAULTS, unit, losesClock: true });
    outcomes.push({ balance: run.balance, attempts: run.attemptsAt.length });
    wronglyGood += run.wronglyGoodMs;
    powered += run.balance.poweredMs;
  }
  const wrong = (wronglyGood / MINUTE) * (YEAR / powered);
  return {
    title: "Boots without a clock, three a day, off for a minute to two hours; NTP 20 s after the link",
    note: `By the real runner. It believes no signature before its clock is set, which is why it waits for NTP; the others are driven as if their clock were right. Handed out as good although the hour was over, because nothing could tell its age: ${fixed(wrong, 1)} minutes a year.`,
    head: HEAD,
    rows: [...rows, rowOf(AGENT, figuresOf(outcomes, cron, all))],
  };
}
