import { createHash } from "node:crypto";

/** Pauses are drawn evenly from `LEAST_MS` up to this: a minute after the first failure or the loss of a connection, two from the second on. */
const FIRST_MS = 60_000;
const CAP_MS = 120_000;
const LEAST_MS = 1_000;
/** A connection that has stood as long has been of use; one that is cut sooner counts as one more failure. */
const STOOD_MS = 60_000;
/** A start coincides with those of other terminals only after a power cut or an update of the fleet. */
const START_MS = 5_000;

/**
 * When to try the broker again (specification 10). All terminals of a broker that restarts lose it in the same second: the first try is
 * spread evenly over a minute, and those that fail over two.
 */
export class ReconnectPacing {
  #failures = 0;

  start(chance: number): number {
    return chance * START_MS;
  }

  /** A connection has ended, or could not be had. `stoodMs`: how long it was in use, 0 for one that never was. */
  after(stoodMs: number, chance: number): number {
    this.#failures = stoodMs >= STOOD_MS ? 1 : this.#failures + 1;
    const span = this.#failures === 1 ? FIRST_MS : CAP_MS;
    // Not the greater of the two: that would bring all of the first second together at its end.
    return LEAST_MS + chance * (span - LEAST_MS);
  }
}

/** Milliseconds from `wallMs` to the terminal's next regular report: its phase is its own, so that a fleet spreads. */
export function untilHeartbeat(deviceId: string, intervalMs: number, wallMs: number): number {
  const drawn = createHash("sha256").update(deviceId).digest().readUInt32BE(0) / 2 ** 32;
  const phase = Math.floor(drawn * intervalMs);
  const past = (((wallMs - phase) % intervalMs) + intervalMs) % intervalMs;
  return intervalMs - past;
}
