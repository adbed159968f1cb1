import { isTable } from "../config/keys/fields.ts";
import type { Text } from "../messages/message.ts";
import type { Check, Outcome } from "./check.ts";

export type Status = Outcome["status"] | "crash";

/** What is known of one check once it had its turn. */
export interface Result {
  readonly check: Check;
  readonly status: Status;
  readonly value?: unknown;
  readonly detail: Text;
  readonly remedy: Text;
  /** The check whose failure is the cause. */
  readonly because?: string;
  readonly durationMs: number;
}

/** What a check's turn comes to, as the dependents see it. */
export type Turn = Outcome | { readonly status: "crash" };

export interface Selection {
  /** Ids; undefined for all. */
  readonly only?: readonly string[];
  readonly skip: readonly string[];
  readonly offline: boolean;
}

export type Exit = 0 | 1 | 2;

/**
 * Causes before what they cause; among those that are free, the lower code first. So the first failure in this order is what
 * has to be fixed first. Throws for a registry with a cyclic or an unknown dependency.
 */
export function orderByCause(checks: readonly Check[]): Check[] {
  const waiting = [...checks].sort((a, b) => a.code - b.code);
  const known = new Set(waiting.map(({ id }) => id));
  for (const check of waiting) {
    const { id } = check;
    const stray = before(check).find((cause) => !known.has(cause));
    if (stray !== undefined) throw new RangeError(`${id} depends on ${stray}, which is no check`);
  }
  const done = new Set<string>();
  const ordered: Check[] = [];
  while (waiting.length > 0) {
    const at = waiting.findIndex((check) => before(check).every((cause) => done.has(cause)));
    const [next] = at === -1 ? [] : waiting.splice(at, 1);
    if (next === undefined) throw new RangeError(`in a circle: ${waiting.map(({ id }) => id).join(", ")}`);
    done.add(next.id);
    ordered.push(next);
  }
  return ordered;
}

/** The checks that have to run for those that are asked for: their causes run with them, or the blame would be wrong. */
export function withCauses(ordered: readonly Check[], only: readonly string[]): Set<string> {
  const wanted = new Set(only);
  for (const check of ordered.toReversed()) {
    if (wanted.has(check.id)) for (const cause of before(check)) wanted.add(cause);
  }
  return wanted;
}

const before = ({ dependsOn, after = [] }: Check): readonly string[] => [...dependsOn, ...after];

const leftOut = (flag: string): Text => ({ id: "turn.left_out", params: { flag } });

/** Why a check does not get its turn; undefined when it does. */
export function whyNot(
  check: Check,
  turns: ReadonlyMap<string, Turn>,
  { skip, offline }: Selection,
): { readonly detail: Text; readonly because?: string } | undefined {
  if (skip.includes(check.id)) return { detail: leftOut("--skip") };
  if (offline && check.needsNetwork === true) return { detail: leftOut("--offline") };
  for (const id of check.dependsOn) {
    const because = causeIn(id, turns.get(id));
    if (because !== undefined) return { detail: becauseOf(because), because };
  }
  return undefined;
}

/** The failure that a check depends on. A check that crashed has shown nothing, so it stops no other. */
function causeIn(id: string, turn: Turn | undefined): string | undefined {
  if (turn?.status === "fail") return id;
  return turn?.status === "skip" ? turn.because : undefined;
}

function becauseOf(id: string): Text {
  return { id: "turn.fix_first", params: { id } };
}

/** Those that are shown: all, or those asked for and what has failed behind them. */
export function shownOf(results: readonly Result[], only: readonly string[] | undefined): Result[] {
  if (only === undefined) return [...results];
  return results.filter(({ check, status }) => only.includes(check.id) || status === "fail" || status === "crash");
}

/**
 * What the technician turns to first: the first failure in order of cause, else the first crash, else the first warning that does not
 * stand for ever. But an earlier configuration that is still in force may be the reason of any failure, and to have the new one read is
 * little work.
 */
export function firstOf(results: readonly Result[]): Result | undefined {
  const unread = results.find(({ status, value }) => status === "warn" && isTable(value) && "running_hash" in value);
  if (unread !== undefined && results.some(isBad)) return unread;
  for (const status of ["fail", "crash"] as const) {
    const found = results.find((result) => result.status === status);
    if (found !== undefined) return found;
  }
  const warnings = results.filter(({ status }) => status === "warn");
  return warnings.find(({ check }) => check.standing !== true) ?? warnings[0];
}

export function isBad({ status }: Pick<Result, "status">): boolean {
  return status === "fail" || status === "crash";
}

/** Specification 8. */
export function exitOf(results: readonly Pick<Result, "status">[], warningsAsErrors: boolean): Exit {
  const some = (status: Status) => results.some((result) => result.status === status);
  if (results.some(isBad)) return 1;
  if (some("warn")) return warningsAsErrors ? 1 : 2;
  return 0;
}
