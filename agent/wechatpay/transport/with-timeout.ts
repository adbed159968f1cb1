import type { Clock } from "../../common/clock.ts";
import { AgentError } from "../../common/errors.ts";

/** Runs `work` with a signal that aborts when the caller's does, or after `ms`, then with PAY_TIMEOUT. */
export async function withTimeout<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  work: (deadline: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const giveUp = () => deadline.abort(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  const callOff = clock.timer(ms, () => deadline.abort(new AgentError("PAY_TIMEOUT.attempt", { ms })));
  try {
    return await work(deadline.signal);
  } finally {
    signal.removeEventListener("abort", giveUp);
    callOff();
  }
}
