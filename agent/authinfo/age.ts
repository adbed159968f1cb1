import type { Instant } from "../timebase.ts";
import type { Credential } from "./credential.ts";

/** Where on this boot's clock a credential's life began, and whether that is known or only believed. */
export interface Anchor {
  readonly obtainedBootMs: number;
  readonly trusted: boolean;
}

/** A wall clock that reads this far before the credential's birth is no rounding: it is wrong. */
const TOLERATED_NEGATIVE_AGE_MS = 10_000;

/**
 * Age counts by the boot clock within one boot, which no wall-clock step moves. Across boots only the wall clock
 * knows how long the board was off:
 * - confirmed, it is compared on WeChat Pay's time scale (`skewMs`: the old clock may have been minutes off);
 * - unconfirmed, the later of it and `wallFloorMs` counts, and the older of both readings of the credential's birth:
 *   a board without a clock battery wakes in the past and must not make an authinfo younger than it is.
 */
export function anchor(credential: Credential, now: Instant, wallFloorMs: number): Anchor {
  if (credential.bootId === now.bootId) return { obtainedBootMs: credential.obtainedBootMs, trusted: true };
  const bornByIssuer = credential.obtainedWallMs + credential.skewMs;
  if (now.wallTrusted) {
    const age = now.wall - bornByIssuer;
    return { obtainedBootMs: now.boot - Math.max(age, 0), trusted: age >= -TOLERATED_NEGATIVE_AGE_MS };
  }
  const wall = Math.max(now.wall, wallFloorMs);
  const age = wall - Math.min(credential.obtainedWallMs, bornByIssuer);
  return { obtainedBootMs: now.boot - Math.max(age, 0), trusted: false };
}

/** Milliseconds of life left at `bootMs`; negative once it is over. */
export function remainingMs(credential: Credential, from: Anchor, bootMs: number): number {
  return credential.lifetimeMs - (bootMs - from.obtainedBootMs);
}
