import type { Clock } from "../agent/clock.ts";

/**
 * Settles as `work` does, or rejects with `late()` after `ms`, or with the signal's reason. The work itself is not
 * stopped: who starts something that outlives its deadline must also clear it away.
 */
export async function withDeadline<T>(
  work: Promise<T>,
  ms: number,
  clock: Clock,
  late: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  const expiry = Promise.withResolvers<never>();
  const callOff = clock.timer(ms, () => expiry.reject(late()));
  const either = Promise.race([work, expiry.promise]);
  try {
    return await (signal ? unlessAborted(either, signal) : either);
  } finally {
    callOff();
  }
}

/** Settles as `work` does, or rejects with the signal's reason if that comes first. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const left = Promise.withResolvers<never>();
  const onAbort = () => left.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, left.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
