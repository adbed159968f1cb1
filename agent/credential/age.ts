import type { Instant } from "../common/clock-sync.ts";
import type { Credential, State } from "../store/credential.ts";

/** Where on this boot's clock a credential's life began, and whether that is known or only believed. */
export interface Anchor {
  readonly obtainedBootMs: number;
  readonly trusted: boolean;
  /** The latest instant at which it can have begun: of an age that is only believed, what has certainly been lived. */
  readonly latestBootMs: number;
}

/** What a start knows of the age besides the clocks. */
export type KnownAge = Pick<State, "wallFloorMs" | "ageAtLeastMs">;

/** A wall clock that reads this far before the credential's birth is no rounding: it is wrong. */
const TOLERATED_NEGATIVE_AGE_MS = 10_000;
/** Two processes of one boot may read its clock this far apart (agent/common/clock.ts). A birth further ahead is another clock's. */
const BOOT_CLOCK_ROUNDING_MS = 2_000;
/** What a start costs whose clock knows nothing, as a part of the life: five minutes of an hour. */
const STEPS = 12;
/** WeChat Pay's signature is believed within 300 s (specification 4), so that is the most our clock can have been off at the birth. */
const LARGEST_SKEW_MS = 300_000;

/**
 * Age counts by the boot clock within one boot, which no wall-clock step moves. Across boots only the wall clock
 * knows how long the board was off:
 * - confirmed, it is compared on WeChat Pay's time scale (`skewMs`: the old clock may have been minutes off);
 * - unconfirmed, the later of it and `wallFloorMs` counts, and the older of both readings of the credential's birth:
 *   a board without a clock battery wakes in the past and must not make an authinfo younger than it is;
 * - before the birth it says nothing: the age is unknown. What former runs have written down counts, at least half a life up to the
 *   refresh (a later age would have been written down), and one step more for each such start.
 */
export function anchor(credential: Credential, now: Instant, { wallFloorMs, ageAtLeastMs = 0 }: KnownAge): Anchor {
  const { lifetimeMs } = credential;
  const byBoot = now.boot - credential.obtainedBootMs;
  const sameBoot = credential.bootId === now.bootId;
  if (sameBoot && byBoot >= -BOOT_CLOCK_ROUNDING_MS) return aged(now, byBoot, true);
  const bornByIssuer = bornOnIssuersClock(credential);
  const byWall = now.wall + (now.aheadMs ?? 0) - bornByIssuer;
  const sane = byWall >= -TOLERATED_NEGATIVE_AGE_MS;
  // A birth ahead of the boot clock contradicts the boot id, which is then worth nothing, and neither is what it would confirm.
  if (now.wallTrusted && sane && !sameBoot) return aged(now, byWall, true);
  const lived = Math.max(ageAtLeastMs, wallFloorMs - credential.obtainedWallMs);
  if (sane) {
    return aged(now, Math.max(now.wall - Math.min(credential.obtainedWallMs, bornByIssuer), lived), false, lived);
  }
  const unwritten = Math.min(credential.refreshAfterMs, lifetimeMs / 2);
  return aged(now, Math.max(lived, unwritten) + lifetimeMs / STEPS, false);
}

/** The same at a later instant of the same process, when the wall clock has been set or confirmed: what has been lived stays lived. */
export function anchorAgain(credential: Credential, before: Anchor, now: Instant, known: KnownAge): Anchor {
  if (now.wall - bornOnIssuersClock(credential) < -TOLERATED_NEGATIVE_AGE_MS) return before;
  const lived = now.boot - before.latestBootMs;
  return anchor(credential, now, { ...known, ageAtLeastMs: Math.max(known.ageAtLeastMs ?? 0, lived) });
}

function bornOnIssuersClock({ obtainedWallMs, skewMs }: Credential): number {
  return obtainedWallMs + Math.min(Math.max(skewMs, -LARGEST_SKEW_MS), LARGEST_SKEW_MS);
}

function aged(now: Instant, ageMs: number, trusted: boolean, livedMs = ageMs): Anchor {
  return {
    obtainedBootMs: now.boot - Math.max(ageMs, 0),
    trusted,
    latestBootMs: now.boot - Math.max(livedMs, 0),
  };
}

/** Milliseconds of life left at `bootMs`, never more than the whole; negative once it is over. */
export function remainingMs(credential: Credential, from: Anchor, bootMs: number): number {
  return credential.lifetimeMs - Math.max(bootMs - from.obtainedBootMs, 0);
}

/** A renewal that is this late is failing. Before, the age need not be written down: the next authinfo is about to be. */
const OVERDUE_MS = 60_000;
/** How often an age that the clocks tell is written down in a life. */
const COARSE_STEPS = 4;

/**
 * The age to write down for a start whose clock will know nothing; undefined while what is written is enough. A write wears the
 * flash: none in ordinary operation, two or three in a life whose renewal fails, its end, and few after it, when only `stale` depends on it.
 */
export function ageToWrite(
  { lifetimeMs }: Credential,
  from: Anchor,
  bootMs: number,
  { writtenMs = 0, refreshAfterMs }: { readonly writtenMs?: number | undefined; readonly refreshAfterMs: number },
): number | undefined {
  const lived = bootMs - from.latestBootMs;
  if (from.trusted && lived < refreshAfterMs + OVERDUE_MS) return undefined;
  const over = writtenMs >= lifetimeMs;
  const nextMs = over ? writtenMs * 1.5 : writtenMs + lifetimeMs / (from.trusted ? COARSE_STEPS : STEPS);
  return lived >= (over ? nextMs : Math.min(nextMs, lifetimeMs)) ? lived : undefined;
}
