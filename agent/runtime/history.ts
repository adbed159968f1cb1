import type { DriverStatus } from "../../drivers/sdk/driver.ts";
import { type HistoryDocument, MOST_HOURS } from "../api/history-document.ts";
import type { AuthinfoView } from "../credential/credential-types.ts";
import { Timeline } from "./timeline.ts";

/** What is so at one instant. */
export interface Observation {
  readonly state: string;
  /** Undefined without a credential. */
  readonly held?: { readonly generation: number; readonly remainingMs: number };
  /** Why the state is as it is. */
  readonly code?: string;
  /** Undefined while there is no bridge to expect. */
  readonly bridge?: { readonly ready: boolean; readonly code?: string };
}

/** Never the authinfo. */
export function observationOf(
  { state, credential, remainingMs, cause }: AuthinfoView,
  bridge: Pick<DriverStatus, "state" | "problem"> | undefined,
): Observation {
  return {
    state,
    ...(credential === undefined ? {} : { held: { generation: credential.generation, remainingMs } }),
    ...(cause === undefined ? {} : { code: cause.code }),
    ...(bridge === undefined ? {} : { bridge: { ready: bridge.state === "ready", ...codeOf(bridge.problem) } }),
  };
}

function codeOf(problem: DriverStatus["problem"]): { code?: string } {
  return problem === undefined ? {} : { code: problem.code };
}

interface StateThen {
  readonly state: string;
  readonly generation?: number;
  /** By the clock of the boot. */
  readonly expiresAt?: number;
  readonly code?: string;
}

interface BridgeThen {
  readonly out: boolean;
  readonly code?: string;
}

interface Run {
  from: number;
  to: number;
  readonly outcome: string;
  count: number;
}

/** Together at most 64 KiB of JSON (specification 5), whatever befalls the terminal: a test counts the octets. */
const MOST_STATES = 160;
const MOST_RUNS = 160;
const MOST_OUTAGES = 60;
const READS_MS = 15 * 60_000;
const KEPT_MS = MOST_HOURS * 3_600_000;
/** By so much the end of one and the same credential may seem to move. */
const SAME_END_MS = 5_000;

/**
 * The last 24 hours in memory, by the clock of the boot, so that a set wall clock moves what has been and bends no duration. Pure: it is told
 * what is, and when.
 */
export class History {
  readonly #states = new Timeline<StateThen>(MOST_STATES, sameState);
  // Each outage and what lies between.
  readonly #bridge = new Timeline<BridgeThen>(
    2 * MOST_OUTAGES,
    (one, other) => one.out === other.out && one.code === other.code,
  );
  #startedAt: number | undefined;
  #runs: Run[] = [];
  #runsMerged = 0;
  #reads: { readonly from: number; count: number }[] = [];

  /** To be called at every change, and from time to time. */
  observe(bootMs: number, { state, held, code, bridge }: Observation): void {
    this.#startedAt ??= bootMs;
    this.#states.put(bootMs, {
      state,
      ...(held === undefined ? {} : { generation: held.generation, expiresAt: bootMs + held.remainingMs }),
      ...(code === undefined ? {} : { code }),
    });
    const out = bridge !== undefined && !bridge.ready;
    this.#bridge.put(bootMs, out && bridge.code !== undefined ? { out, code: bridge.code } : { out });
    const start = bootMs - KEPT_MS;
    this.#states.dropBefore(start);
    this.#bridge.dropBefore(start);
    this.#runs = this.#runs.filter(({ to }) => to >= start);
  }

  /** An attempt to renew has ended: "ok", or a code. */
  attempt(bootMs: number, outcome: string): void {
    this.#runs.push({ from: bootMs, to: bootMs, outcome, count: 1 });
    if (this.#runs.length > MOST_RUNS) this.#mergeRuns();
  }

  /** An authinfo has been handed out. Called for every reader. */
  read(bootMs: number): void {
    const last = this.#reads.at(-1);
    if (last !== undefined && bootMs < last.from + READS_MS) {
      last.count++;
      return;
    }
    this.#reads.push({ from: bootMs - (bootMs % READS_MS), count: 1 });
    this.#reads = this.#reads.filter(({ from }) => from + READS_MS > bootMs - KEPT_MS);
  }

  /** @param now both clocks at one instant: what has been is told as the wall clock would have read if it had always gone as it does now */
  document(now: { readonly boot: number; readonly wall: number }, hours: number): HistoryDocument {
    const start = Math.max(this.#startedAt ?? now.boot, now.boot - hours * 3_600_000);
    const at = (bootMs: number) => new Date(now.wall - (now.boot - bootMs)).toISOString();
    const span = (from: number, to: number) => ({ from: at(from), seconds: Math.round(to - from) / 1_000 });
    return {
      at: at(now.boot),
      hours,
      from: at(start),
      merged: this.#states.merged + this.#bridge.merged + this.#runsMerged,
      states: this.#states.between(start, now.boot).map(({ from, to, value: { expiresAt, ...value } }) => ({
        ...value,
        ...span(from, to),
        ...(expiresAt === undefined ? {} : { remaining_s: Math.max(0, Math.floor((expiresAt - from) / 1_000)) }),
      })),
      attempts: this.#runs
        .filter(({ to }) => to >= start)
        .map(({ outcome, from, to, count }) => ({ outcome, ...span(from, to), count })),
      bridge_outages: this.#bridge
        .between(start, now.boot)
        .filter(({ value }) => value.out)
        .map(({ from, to, value: { code } }) => ({
          ...span(from, to),
          ongoing: to === now.boot,
          ...(code === undefined ? {} : { code }),
        })),
      reads: this.#reads
        .filter(({ from }) => from + READS_MS > start)
        .map(({ from, count }) => ({ ...span(from, Math.min(from + READS_MS, now.boot)), count })),
    };
  }

  /** The two neighbours of one outcome that are closest in time become one; where there are none, the oldest is forgotten. */
  #mergeRuns(): void {
    const runs = this.#runs;
    let first: number | undefined;
    let apart = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < runs.length; i++) {
      const [one, next] = [runs[i], runs[i + 1]];
      if (one === undefined || next === undefined || one.outcome !== next.outcome) continue;
      if (next.to - one.from < apart) [first, apart] = [i, next.to - one.from];
    }
    this.#runsMerged++;
    if (first === undefined) {
      runs.shift();
      return;
    }
    const [one, next] = [runs[first], runs[first + 1]];
    if (one === undefined || next === undefined) return;
    one.to = next.to;
    one.count += next.count;
    runs.splice(first + 1, 1);
  }
}

function sameState(one: StateThen, other: StateThen): boolean {
  if (one.state !== other.state || one.generation !== other.generation || one.code !== other.code) return false;
  return one.expiresAt === undefined || Math.abs(one.expiresAt - (other.expiresAt ?? 0)) < SAME_END_MS;
}
