import type { BridgeIdentity } from "../../drivers/sdk/driver.ts";
import type { FailureRule } from "../common/failures.ts";
import type { Credential } from "../store/credential.ts";

/** The life of a held credential at one instant. */
export interface Life {
  /** Negative after expiry. */
  readonly remainingMs: number;
  /** Until the instant drawn for this credential; negative when it has passed. */
  readonly refreshInMs: number;
  /** Its age is only believed (a boot whose clock nothing confirms). */
  readonly ageUnknown: boolean;
}

/** All that decides when the next attempt is made. Times on the boot clock, ms. */
export interface Situation {
  /** Absent when no authinfo is held. */
  readonly held?: Life;
  /** Failed attempts in a row. */
  readonly failures: number;
  /** The planned refresh of the last authinfo obtained: one that is missing, or whose age is only believed, is requested from then on. */
  readonly plannedAtBootMs: number;
  /** End of the pause drawn after the last failure. */
  readonly retryAtBootMs: number;
  /** A refresh out of turn is requested, and the rate limit allows it from this instant on. */
  readonly urgentAtBootMs?: number;
  /** WeChat Pay's or the gateway's `Retry-After`: nothing goes before. */
  readonly heldOffUntilBootMs: number;
  /** No two attempts start closer than `MIN_GAP_MS` after the end of the last. */
  readonly lastAttemptEndedBootMs: number;
}

export type RefreshReason = "absent" | "expired" | "age_unknown" | "planned" | "retry" | "urgent";

export type Decision =
  | { readonly do: "refresh"; readonly why: RefreshReason }
  | { readonly do: "wait"; readonly untilBootMs: number; readonly why: RefreshReason };

/** Specification 4: never two attempts within a second, whatever asks for them. */
const MIN_GAP_MS = 1_000;
/** With less than this left, retries are frequent: money is about to stop. */
const URGENT_BELOW_MS = 10 * 60_000;
const CAP_URGENT_MS = 30_000;
const CAP_MS = 120_000;
const SLOW_MS = 5 * 60_000;
const SPREAD_MS = 60_000;

/** Whether to ask WeChat Pay for a new authinfo now, or until when to wait. Total: every situation has an answer. */
export function decide(situation: Situation, nowBootMs: number): Decision {
  const { atBootMs, why } = nextAttempt(situation, nowBootMs);
  const at = Math.max(atBootMs, situation.heldOffUntilBootMs, situation.lastAttemptEndedBootMs + MIN_GAP_MS);
  return at <= nowBootMs ? { do: "refresh", why } : { do: "wait", untilBootMs: at, why };
}

/** How long a decision leaves until the attempt, ms; 0 when it is due. */
export function waitMs(decision: Decision, nowBootMs: number): number {
  return decision.do === "wait" ? Math.max(decision.untilBootMs - nowBootMs, 0) : 0;
}

function nextAttempt(situation: Situation, nowBootMs: number): { atBootMs: number; why: RefreshReason } {
  const regular = regularAttempt(situation, nowBootMs);
  const { urgentAtBootMs } = situation;
  if (urgentAtBootMs === undefined || Math.max(urgentAtBootMs, nowBootMs) >= regular.atBootMs) return regular;
  return { atBootMs: urgentAtBootMs, why: "urgent" };
}

function regularAttempt(situation: Situation, nowBootMs: number): { atBootMs: number; why: RefreshReason } {
  const { held } = situation;
  if (situation.failures > 0) return { atBootMs: situation.retryAtBootMs, why: "retry" };
  const planned = Math.max(nowBootMs, situation.plannedAtBootMs);
  if (held === undefined) return { atBootMs: planned, why: "absent" };
  if (held.remainingMs <= 0) return { atBootMs: nowBootMs, why: "expired" };
  if (held.ageUnknown) return { atBootMs: planned, why: "age_unknown" };
  return { atBootMs: nowBootMs + held.refreshInMs, why: "planned" };
}

export interface Failure {
  readonly retry: FailureRule["retry"];
  readonly retryAfterS?: number;
  /** The first 429 or 5xx in a row to an expired terminal: all of its fleet may have had it in the same second. */
  readonly spread?: true;
}

/**
 * The pause after a failure, ms: `max(1 s, random x min(cap, 2^n s))`. While the bound grows, random is all of [0, 1);
 * once it has reached its cap, the upper half: gaps of 15 to 30 s instead of 0 to 30 make a third fewer calls in a long
 * outage, spread a fleet as well, and find the way open only a second later at the 95th percentile (`bench:outage`).
 * Five minutes and up to a tenth more after an answer that only a person can fix; once over a whole minute where a fleet
 * has to be taken apart, which n = 1 would bring back within two seconds. Finite and at least a second for any number.
 * @param failures failed attempts in a row, this one included
 * @param remaining ms of life left of the held authinfo; 0 or less without one
 * @param chance in [0, 1)
 */
export function retryDelayMs(failure: Failure, failures: number, remaining: number, chance: number): number {
  if (failure.retry === "slow") return SLOW_MS * (1 + chance / 10);
  if (failure.spread) return Math.max(MIN_GAP_MS, chance * SPREAD_MS);
  const cap = remaining < URGENT_BELOW_MS ? CAP_URGENT_MS : CAP_MS;
  const bound = 1_000 * 2 ** Math.min(failures, 30);
  if (bound < cap) return Math.max(MIN_GAP_MS, chance * bound);
  return cap * (0.5 + chance / 2);
}

/** How long a peer's `Retry-After` holds attempts off, ms; a little more than asked, so that a fleet does not return at once. */
export function holdOffMs(failure: Failure, chance: number): number {
  return failure.retryAfterS === undefined ? 0 : failure.retryAfterS * 1_000 * (1 + chance / 10);
}

/** A stretched refresh leaves a quarter of the life for retries: 15 minutes of an hour, of which ten count as urgent. */
const STRETCHED_TO = 0.75;
const STRETCH_MAX = 4;
const STRETCH_HALF_LIFE_MS = 2 * 3_600_000;

/** The stretch of the refresh instants (1: none) after one more 429. The fleet shares one mchid, whose limits are not published. */
export function stretchMore(stretch: number): number {
  return Math.min(stretch * 2, STRETCH_MAX);
}

/** What is left of a stretch after `sinceMs` without another 429: the excess halves every two hours. */
export function stretchLeft(stretch: number, sinceMs: number): number {
  return 1 + (stretch - 1) * 2 ** (-sinceMs / STRETCH_HALF_LIFE_MS);
}

/** `refresh_at` under a stretch. Never earlier than configured; later only as far as the life stays safe. */
export function stretchedFraction(fraction: number, stretch: number): number {
  return Math.max(fraction, Math.min(fraction * stretch, STRETCHED_TO));
}

/**
 * The life after which a new credential's first refresh attempt follows, ms. Drawn once, when it is obtained: drawing
 * again at each look would collapse the spread of a fleet.
 * @param fraction `refresh_at`, the latest instant as a fraction of the lifetime
 * @param directedS `Facepay-Refresh-Seconds` of the gateway, which sets the instant
 */
export function drawRefreshAfterMs(lifetimeMs: number, fraction: number, chance: number, directedS?: number): number {
  if (directedS !== undefined) return Math.min(directedS * 1_000, lifetimeMs * 0.9);
  return lifetimeMs * fraction * (0.5 + chance / 2);
}

/**
 * The same for an authinfo that WeChat Pay returned once more and whose life goes on unchanged: a share of what is left,
 * and never less than a minute (or half the rest), so that the last minutes do not become a storm.
 */
export function redrawRefreshAfterMs(ageMs: number, left: number, fraction: number, chance: number): number {
  const floor = Math.min(60_000, left / 2);
  return ageMs + Math.max(left * fraction * (0.5 + chance / 2), floor);
}

/**
 * How long after a change of the network (an interface, address or MAC) an attempt follows, ms. Without a usable authinfo
 * money waits: 0 to 2.5 s, which with the link watch's two seconds and the attempt itself stays below five. With one, a whole mall whose
 * router came back must not return in the same second: spread over half of what is left, ten minutes at most (docs/testing.md, promise 53).
 * @param remaining ms of life left; 0 or less without a usable authinfo
 */
export function linkDelayMs(remaining: number, chance: number): number {
  return chance * (remaining > 0 ? Math.min(remaining / 2, 10 * 60_000) : 2_500);
}

/**
 * What the bridge's `hello` requires: `drop` the held credential, which is another device's and must not be served any more; `renew`
 * it, also when it is bound to a network card that is no longer in use (WeChat Pay's face-pay documentation; it is served until then),
 * and when a bridge that is ready ends a failure of its own.
 * @param failed the code of the last failure, while it lasts
 */
export function bridgeAction(
  event: { readonly type: "ready" | "changed"; readonly identity: BridgeIdentity },
  held: Credential | undefined,
  failed: string | undefined,
): { readonly drop: boolean; readonly renew?: "device" | "network_card" | "bridge" } {
  const { deviceId, netId } = event.identity;
  if (differs(deviceId, held?.deviceId)) return { drop: true, renew: "device" };
  if (differs(netId, held?.netId)) return { drop: false, renew: "network_card" };
  const repaired = event.type === "ready" && failed !== undefined && isBridgeFailure(failed);
  return repaired ? { drop: false, renew: "bridge" } : { drop: false };
}

/** Whether a failure is one of the line, the bridge or the SDK: nothing has gone to WeChat Pay. */
export function isBridgeFailure(code: string): boolean {
  return /^(BRIDGE|SDK|DEVICE)_/.test(code);
}

function differs(reported: string | undefined, known: string | undefined): boolean {
  return reported !== undefined && known !== undefined && reported !== known;
}
