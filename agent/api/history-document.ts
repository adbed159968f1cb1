/**
 * `GET /v1/history` (specification 5): one type for the agent that writes it (agent/runtime/history.ts) and for the page that reads it. Times
 * are RFC 3339 on the wall clock as it reads now; every `seconds` is counted by the clock of the boot, so that a set clock bends nothing.
 */
export interface HistoryDocument {
  readonly at: string;
  readonly hours: number;
  /** Nothing is known from before this: the start of the window, or of the recording when that is later. */
  readonly from: string;
  /** Short intervals that had to become part of a neighbour, because there were too many. */
  readonly merged: number;
  /** Without a gap from `from` to `at`. */
  readonly states: readonly StateInterval[];
  readonly attempts: readonly AttemptRun[];
  readonly bridge_outages: readonly BridgeOutage[];
  readonly reads: readonly ReadInterval[];
}

export interface StateInterval {
  readonly state: string;
  readonly from: string;
  readonly seconds: number;
  readonly generation?: number;
  /** Life that is left at `from`; falls by a second a second. */
  readonly remaining_s?: number;
  /** Why it is so. */
  readonly code?: string;
}

/** Attempts to renew: one, or several in a row with the same outcome. */
export interface AttemptRun {
  /** "ok", or the code of the failure. */
  readonly outcome: string;
  readonly from: string;
  readonly seconds: number;
  readonly count: number;
}

export interface BridgeOutage {
  readonly from: string;
  readonly seconds: number;
  readonly ongoing: boolean;
  readonly code?: string;
}

/** How often an authinfo was handed out. */
export interface ReadInterval {
  readonly from: string;
  readonly seconds: number;
  readonly count: number;
}

export const MOST_HOURS = 24;

/** `hours=1` to `hours=24`, 24 when it is not asked for; undefined for anything else. Other parameters are ignored, as everywhere. */
export function hoursAskedFor(query: string): number | undefined {
  const asked = query.split("&").filter((pair) => pair === "hours" || pair.startsWith("hours="));
  if (asked.length === 0) return MOST_HOURS;
  const [, digits] = /^hours=([1-9]\d?)$/.exec(asked.length === 1 ? (asked[0] ?? "") : "") ?? [];
  const hours = Number(digits);
  return hours <= MOST_HOURS ? hours : undefined;
}
