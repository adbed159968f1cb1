import { linkDelayMs, retryDelayMs } from "../../agent/credential/refresh-policy.ts";
import type { FleetAnswer, FleetTerminals } from "./fleet-terminals.ts";

export interface FleetOptions {
  readonly terminals: FleetTerminals;
  readonly count: number;
  readonly hours: number;
  /** First request of each terminal, s after the common return, and when its authinfo runs out (may lie before 0). */
  readonly start: () => FleetStart;
  /** What WeChat Pay answers the `nth` request of this second (1, 2, ...). */
  readonly answer: (second: number, nth: number) => FleetAnswer;
}

export interface FleetStart {
  readonly firstS: number;
  readonly expiresS: number;
}

export interface FleetRun {
  /** Requests in each 10 s. */
  readonly requests: Uint32Array;
  readonly refused: Uint32Array;
  /** Seconds from a terminal's first refusal to its next request; NaN where none was refused. */
  readonly afterRefusalS: Float32Array;
  /** For each hour, the mean age at which the refresh was drawn with a new authinfo, s. */
  readonly drawnS: readonly number[];
  /** Terminals without a valid authinfo at the end of each hour. */
  readonly without: readonly number[];
}

export const BIN_S = 10;
const REFUSAL_S = 1;

/**
 * Terminals by the hundred thousand. A calendar of whole seconds, each a chain of terminals, keeps them in order of time,
 * so that what WeChat Pay refuses can depend on all of them.
 */
export function driveFleet({ terminals, count, hours, start, answer }: FleetOptions): FleetRun {
  const seconds = hours * 3_600;
  const head = new Int32Array(seconds).fill(-1);
  const next = new Int32Array(count).fill(-1);
  const dueS = new Float64Array(count);
  const requests = new Uint32Array(seconds / BIN_S);
  const refused = new Uint32Array(seconds / BIN_S);
  const afterRefusalS = new Float32Array(count).fill(Number.NaN);
  const drawnS: number[] = [];
  const without: number[] = [];
  let drawn = 0;
  let renewed = 0;

  const plan = (terminal: number, atS: number) => {
    dueS[terminal] = atS;
    if (atS >= seconds) return;
    const second = Math.floor(atS);
    next[terminal] = head[second] ?? -1;
    head[second] = terminal;
  };

  for (let terminal = 0; terminal < count; terminal++) {
    const { firstS, expiresS } = start();
    terminals.begin(terminal, expiresS);
    plan(terminal, firstS);
  }
  for (let second = 0; second < seconds; second++) {
    const bin = Math.floor(second / BIN_S);
    let nth = 0;
    // No pause is shorter than a second: nothing is planned for the second that is being served.
    for (let terminal = head[second] ?? -1; terminal !== -1; ) {
      const following = next[terminal] ?? -1;
      const atS = dueS[terminal] ?? second;
      const said = answer(second, ++nth);
      requests[bin] = (requests[bin] ?? 0) + 1;
      if (said === "ok") {
        const nextS = terminals.renewed(terminal, atS);
        drawn += nextS - atS;
        renewed++;
        plan(terminal, nextS);
      } else {
        refused[bin] = (refused[bin] ?? 0) + 1;
        const nextS = terminals.refused(terminal, atS + REFUSAL_S, said);
        if (Number.isNaN(afterRefusalS[terminal])) afterRefusalS[terminal] = nextS - atS - REFUSAL_S;
        plan(terminal, nextS);
      }
      terminal = following;
    }
    if ((second + 1) % 3_600 !== 0) continue;
    drawnS.push(drawn / renewed);
    drawn = 0;
    renewed = 0;
    without.push(terminals.expired(second));
  }
  return { requests, refused, afterRefusalS, drawnS, without };
}

/** Peak to mean of the bins from `fromS` to `toS`. */
export function peakToMean(bins: Uint32Array, fromS: number, toS: number): number {
  const part = bins.subarray(fromS / BIN_S, toS / BIN_S);
  let sum = 0;
  let peak = 0;
  for (const count of part) {
    sum += count;
    if (count > peak) peak = count;
  }
  return peak / (sum / part.length);
}

const SILENT_ATTEMPT_S = 6;

/** Where in its pauses an expired terminal is when a silent link comes back: it polls on as it did for hours. */
export function pollingStart(unit: () => number) {
  return (): FleetStart => {
    let at = -10 * 60 * (1 + unit());
    while (at < 0) at += SILENT_ATTEMPT_S + retryDelayMs({ retry: "backoff" }, 20, -1, unit()) / 1_000;
    return { firstS: at, expiresS: -1 };
  };
}

/** An expired terminal whose interface comes back: seen within two seconds. */
export function linkEventStart(unit: () => number) {
  return (): FleetStart => ({ firstS: 2 * unit() + linkDelayMs(0, unit()) / 1_000, expiresS: -1 });
}

/** The same with an authinfo that is good for 10 to 40 minutes more. */
export function goodStart(unit: () => number) {
  return (): FleetStart => {
    const expiresS = 60 * (10 + 30 * unit());
    return { firstS: 2 * unit() + linkDelayMs(expiresS * 1_000, unit()) / 1_000, expiresS };
  };
}
