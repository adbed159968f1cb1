import type { Clock } from "../clock.ts";
import { AgentError } from "../errors.ts";

/** Nobody looks at it; without one each deadline that is called off would cost an error with its stack. */
const OVER = "over";

/** Runs `work` with a signal that aborts when the caller's does, or after `ms`, then with PAY_TIMEOUT. */
export async function within<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  work: (deadline: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const done = new AbortController();
  const giveUp = () => deadline.abort(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  clock.sleep(ms, done.signal).then(
    () => deadline.abort(new AgentError("PAY_TIMEOUT", `no complete answer within ${ms} ms`)),
    () => {
      // The work ended first and called the sleep off.
    },
  );
  try {
    return await work(deadline.signal);
  } finally {
    signal.removeEventListener("abort", giveUp);
    done.abort(OVER);
  }
}
