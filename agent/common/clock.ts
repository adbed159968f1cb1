import os from "node:os";

/**
 * The two clocks of a terminal. Durations and ages come from `boot`, which wall-clock steps do not move and which
 * goes on counting while the board is suspended; `wall` is only for signatures and for times that people read.
 */
export interface Clock {
  /** Wall clock, Unix milliseconds. May step in either direction at any moment. */
  wall(): number;
  /** Milliseconds since the kernel booted (CLOCK_BOOTTIME). Never falls within one boot. */
  boot(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `act` once after `ms`, unless the function it returns has been called by then. For deadlines: most are called off. */
  timer(ms: number, act: () => void): () => void;
}

/** CLOCK_MONOTONIC in microseconds, as systemd counts. Not for ages: it stands still during suspend. */
export const monotonicUs = (): bigint => process.hrtime.bigint() / 1_000n;

/** A longer `setTimeout` fires at once (the delay is a signed 32-bit number). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** How often, at most, CLOCK_MONOTONIC is compared with the board's uptime: so long may a suspend go unnoticed, after it. */
const COMPARE_EVERY_MS = 100;

/** `os.uptime()` has a resolution of 10 ms, or of one second where /proc/uptime is hidden (systemd `ProcSubset=pid`). */
const UPTIME_RESOLUTION_MS = 1_500;

/**
 * The real clock. CLOCK_MONOTONIC is fine-grained but stops during suspend (nodejs/node#47724), so it is moved forward
 * whenever the board's uptime, which does not stop, has run ahead of it. Until then the two are one clock, of which every
 * process of this boot sees the same: an age that one process has begun another one goes on with, and must not gain the
 * uptime's resolution. (`performance.now()` begins with the process, and the first use of `performance` loads ten modules.)
 */
export function systemClock(): Clock {
  const monotonic = () => Number(process.hrtime.bigint()) / 1e6;
  const apart = os.uptime() * 1000 - monotonic();
  let offset = Math.abs(apart) > UPTIME_RESOLUTION_MS ? apart : 0;
  let comparedAt = monotonic();
  return {
    wall: () => Date.now(),
    boot() {
      const now = monotonic();
      if (now - comparedAt > COMPARE_EVERY_MS) {
        comparedAt = now;
        const behind = os.uptime() * 1000 - (now + offset);
        if (behind > UPTIME_RESOLUTION_MS) offset += behind;
      }
      return now + offset;
    },
    sleep: (ms, signal) => sleepOn(timer, ms, signal),
    timer,
  };
}

const timer: Clock["timer"] = (ms, act) => {
  const bounded = Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_TIMER_MS) : LONGEST_TIMER_MS;
  const handle = setTimeout(act, bounded);
  return () => clearTimeout(handle);
};

/**
 * What `sleep` is for a clock with this timer. Not timers/promises: that makes an error of its own, with a stack, for every
 * sleep that is called off, as most are.
 */
export function sleepOn(timer: Clock["timer"], ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      callOff();
      reject(signal?.reason);
    };
    const callOff = timer(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

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

/** Settles as `work` does, or resolves to undefined after `ms`. The work itself is not stopped. */
export async function orLate<T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const callOff = clock.timer(ms, () => late.resolve(undefined));
  try {
    return await Promise.race([work, late.promise]);
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
