import os from "node:os";
import { setTimeout as delay } from "node:timers/promises";

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
}

/** A longer `setTimeout` fires at once (the delay is a signed 32-bit number). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** `os.uptime()` has a resolution of 10 ms, or of one second where /proc/uptime is hidden (systemd `ProcSubset=pid`). */
const UPTIME_RESOLUTION_MS = 1_500;

/**
 * The real clock. `performance.now()` is fine-grained but stops during suspend (nodejs/node#47724), so it is moved
 * forward whenever the uptime, which does not stop, has run ahead of it.
 */
export function systemClock(): Clock {
  let offset = os.uptime() * 1000 - performance.now();
  let comparedAt = performance.now();
  return {
    wall: () => Date.now(),
    boot() {
      const now = performance.now();
      if (now - comparedAt > 1000) {
        comparedAt = now;
        const behind = os.uptime() * 1000 - (now + offset);
        if (behind > UPTIME_RESOLUTION_MS) offset += behind;
      }
      return now + offset;
    },
    async sleep(ms, signal) {
      const bounded = Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_TIMER_MS) : LONGEST_TIMER_MS;
      try {
        await delay(bounded, undefined, signal ? { signal } : {});
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      }
    },
  };
}
