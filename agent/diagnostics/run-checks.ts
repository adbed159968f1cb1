import { type Clock, withDeadline } from "../common/clock.ts";
import { sanitizeUntrusted } from "../common/log/sanitize-untrusted.ts";
import type { Text } from "../messages/message.ts";
import type { Check, DiagnoseContext, Outcome } from "./check.ts";
import { orderByCause, type Result, type Selection, type Turn, whyNot, withCauses } from "./engine.ts";

export interface RunOptions {
  readonly selection: Selection;
  /** For all checks together. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Where the context looks up what has run; filled here. */
  readonly turns: Map<string, Turn>;
  readonly onStart?: (check: Check, number: number, of: number) => void;
  readonly onResult?: (result: Result) => void;
}

const CHECK_MS = 5_000;

const noTimeLeft: Text = { id: "turn.no_time_left" };

class Late extends Error {
  override readonly name = "Late";
}

/**
 * Runs the checks one after the other in order of cause: two that fight for a serial line or for two slow processors would
 * spoil each other's measurement. Each has a deadline, what it throws is its own, and nothing stops the rest.
 */
export async function runChecks(
  checks: readonly Check[],
  context: DiagnoseContext,
  options: RunOptions,
): Promise<Result[]> {
  const { selection, timeoutMs, clock, turns } = options;
  const ordered = orderByCause(checks);
  const { only } = selection;
  const wanted = only === undefined ? undefined : withCauses(ordered, only);
  const due = ordered.filter(({ id }) => wanted?.has(id) ?? true);
  const deadline = clock.boot() + timeoutMs;
  const results: Result[] = [];
  for (const [index, check] of due.entries()) {
    options.onStart?.(check, index + 1, due.length);
    const startedAt = clock.boot();
    const left = deadline - startedAt;
    const why = whyNot(check, turns, selection) ?? (left <= 0 ? { detail: noTimeLeft } : undefined);
    const turn: Attempt =
      why === undefined
        ? await attempt(check, context, Math.min(check.timeoutMs ?? CHECK_MS, left), clock)
        : { status: "skip", ...why };
    turns.set(check.id, turn);
    const result = resultOf(check, turn, clock.boot() - startedAt);
    results.push(result);
    options.onResult?.(result);
  }
  return results;
}

type Attempt = Outcome | { readonly status: "crash"; readonly detail: Text };

async function attempt(check: Check, context: DiagnoseContext, ms: number, clock: Clock): Promise<Attempt> {
  const work = new AbortController();
  try {
    return await withDeadline(check.run(context, work.signal), ms, clock, () => new Late());
  } catch (error) {
    return error instanceof Late
      ? { status: "skip", detail: notInTime(ms) }
      : { status: "crash", detail: broken(error) };
  } finally {
    work.abort(new Late("the check's time is over"));
  }
}

/** A slow board says nothing about the subject. What may hang, a disk or a peer, is waited for by its check, which then says so. */
function notInTime(ms: number): Text {
  const seconds = Math.round(ms / 100) / 10;
  return { id: "turn.too_late", params: { seconds } };
}

function broken(error: unknown): Text {
  const what = sanitizeUntrusted(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  return { id: "turn.broken", params: { what } };
}

const afterCrash: Text = { id: "turn.tell_support" };

function resultOf(check: Check, turn: Attempt, durationMs: number): Result {
  const { status, detail } = turn;
  const own = turn.status === "crash" ? afterCrash : "remedy" in turn ? turn.remedy : undefined;
  return {
    check,
    status,
    detail,
    remedy: own ?? check.remedy,
    ...("value" in turn && turn.value !== undefined ? { value: turn.value } : {}),
    ...("because" in turn && turn.because !== undefined ? { because: turn.because } : {}),
    durationMs,
  };
}
