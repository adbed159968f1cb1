import type { Incident } from "./incidents.ts";
import { type Outcome, type SimulationOptions, simulate } from "./simulation.ts";

/** A history that is short enough to be read is found with so many tries, or not at all. */
const MOST_TRIES = 150;

/**
 * The same violation with as few incidents as can be: whatever can be left out is, in halves, quarters and so on, at last one by one. The days
 * end with the violation.
 */
export async function shrink(options: SimulationOptions, found: Outcome): Promise<Outcome> {
  const days = Math.ceil((found.atMs + 1) / 86_400_000);
  const invariant = found.violation?.invariant;
  let best = found;
  let tries = 0;
  const attempt = async (incidents: readonly Incident[]): Promise<boolean> => {
    if (tries++ >= MOST_TRIES) return false;
    const outcome = await simulate({ ...options, days, incidents });
    if (outcome.violation?.invariant !== invariant) return false;
    best = outcome;
    return true;
  };
  await attempt(found.incidents.filter(({ atMs }) => atMs <= found.atMs));
  for (let size = Math.ceil(best.incidents.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.incidents.length; ) {
      const without = [...best.incidents.slice(0, at), ...best.incidents.slice(at + size)];
      if (!(await attempt(without))) at += size;
    }
  }
  return best;
}

const HISTORY_LINES = 60;
const LONGEST_LINE = 300;

/** What a person needs to see of a violation. */
export function reportOf(seed: number, days: number, found: Outcome, shrunk: Outcome): string {
  const { violation, recent } = shrunk;
  const at = recent.findIndex((line) => line.includes("VIOLATION"));
  const history = recent.slice(Math.max(at + 1 - HISTORY_LINES, 0), at + 1);
  return [
    `seed ${seed}: ${found.violation?.message}`,
    `at step ${found.steps}, ${(found.atMs / 1_000).toFixed(3)} s; again with: npm run simulate -- --seed ${seed} --days ${days}`,
    `${shrunk.incidents.length} of ${found.incidents.length} incidents are enough for: ${violation?.message}`,
    ...shrunk.incidents.map(({ number, kind }) => `  # ${number} ${kind}`),
    "the end of that history (seconds, what has happened):",
    ...history.map((line) => `  ${line.slice(0, LONGEST_LINE)}`),
    "",
  ].join("\n");
}
