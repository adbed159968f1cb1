import type { Instant } from "../common/clock-sync.ts";
import { AgentError } from "../common/errors.ts";
import type { Credential, State } from "../store/credential.ts";
import type { AuthinfoAnswer } from "../wechatpay/wechatpay.ts";
import { type Anchor, anchor, remainingMs } from "./age.ts";
import type { AuthinfoState, AuthinfoView, Cause } from "./credential-types.ts";
import { type DemandProfile, isFollowed } from "./demand-profile.ts";
import { drawByDemandMs } from "./demand-spacing.ts";
import type { FetchedCredential } from "./fetch-credential.ts";
import { drawRefreshAfterMs, type Life, redrawRefreshAfterMs } from "./refresh-policy.ts";

/** The credential in use and what this process knows of it. Replaced as a whole, never changed in place. */
export interface HeldCredential {
  readonly credential: Credential;
  readonly anchor: Anchor;
  readonly persisted: boolean;
  /** The SDK refused it; it is served until its successor is there. */
  readonly rejected: boolean;
  /** Life after which the next planned attempt follows; that of the credential unless WeChat Pay returned it again. */
  readonly refreshAfterMs: number;
}

/** The credential that a start finds in the state; undefined when it belongs to another device than the configured one. */
export function restore(
  state: State,
  deviceId: string | undefined,
  now: Instant,
  persisted: boolean,
): HeldCredential | undefined {
  const { credential } = state;
  if (credential === undefined || (deviceId !== undefined && deviceId !== credential.deviceId)) return undefined;
  return {
    credential,
    anchor: anchor(credential, now, state),
    persisted,
    rejected: credential.generation === state.rejectedGeneration,
    refreshAfterMs: credential.refreshAfterMs,
  };
}

export interface ResponseTerms {
  /** The highest generation so far. */
  readonly generation: number;
  readonly bootId: string;
  /** Used when the answer carries no `expires_in`. */
  readonly lifetimeMs: number;
  /** `refresh_at` in force. */
  readonly fraction: number;
  readonly chance: number;
  readonly bootMs: number;
  /** `signedAtS` of the newest answer before this one. */
  readonly newestSignedAtS: number;
  /** Absent where the time of the week is not known or demand is not to be followed. */
  readonly demand?: DemandTerms;
}

export interface DemandTerms {
  readonly profile: DemandProfile;
  readonly leastFraction: number;
  readonly isAfterOutage: boolean;
}

/**
 * What a verified answer makes of `held`. Usually a new credential of the next generation. The authinfo already held, returned
 * once more, keeps its generation and its earlier expiry unless `expires_in` says otherwise (specification 4); when that
 * leaves nothing usable (the SDK refused it, or it has expired) the attempt has failed: PAY_AUTHINFO_UNCHANGED.
 * An answer that is not newer than the newest one may be that one, kept back on the way and sent again: its `expires_in` counted from
 * then, and how long ago that was it does not tell. It moves no expiry, and says nothing to one whose age is unknown: PAY_SIGNATURE_REPLAYED.
 * A result with the same `credential` object needs no write.
 */
export function applyResponse(
  fetched: FetchedCredential,
  held: HeldCredential | undefined,
  terms: ResponseTerms,
): HeldCredential {
  const { answer, deviceId, netId } = fetched;
  const same = held?.credential.authinfo === answer.authinfo && held.credential.deviceId === deviceId;
  if (held && same && held.rejected) throw new AgentError("PAY_AUTHINFO_UNCHANGED.rejected", {});
  const repeated = isRepeated(fetched, held, terms.newestSignedAtS);
  if (held && repeated && !held.anchor.trusted) throw new AgentError("PAY_SIGNATURE_REPLAYED", {});
  if (held && same && (repeated || answer.expiresInS === undefined)) return continued(held, fetched, terms);

  const lifetimeMs = answer.expiresInS === undefined ? terms.lifetimeMs : answer.expiresInS * 1_000;
  const credential: Credential = {
    authinfo: answer.authinfo,
    generation: held && same ? held.credential.generation : terms.generation + 1,
    deviceId,
    ...(netId === undefined ? {} : { netId }),
    bootId: terms.bootId,
    obtainedBootMs: answer.sentBootMs,
    obtainedWallMs: answer.sentWallMs,
    skewMs: answer.skewMs,
    lifetimeMs,
    expirySource: answer.expiresInS === undefined ? "assumed" : "response",
    refreshAfterMs: refreshAfter(lifetimeMs, answer, terms),
  };
  return {
    credential,
    anchor: trustedSince(answer.sentBootMs),
    persisted: false,
    rejected: false,
    refreshAfterMs: credential.refreshAfterMs,
  };
}

/** Whether this may be the newest answer once more: neither it nor its `Date` tells the time then. */
export function isRepeated(
  { answer, deviceId }: FetchedCredential,
  held: HeldCredential | undefined,
  newestSignedAtS: number,
): boolean {
  const same = held?.credential.authinfo === answer.authinfo && held.credential.deviceId === deviceId;
  return same && answer.signedAtS <= newestSignedAtS;
}

function refreshAfter(lifetimeMs: number, answer: AuthinfoAnswer, { fraction, chance, demand }: ResponseTerms): number {
  if (demand === undefined || answer.refreshAfterS !== undefined || !isFollowed(demand.profile)) {
    return drawRefreshAfterMs(lifetimeMs, fraction, chance, answer.refreshAfterS);
  }
  const { profile, ...terms } = demand;
  return drawByDemandMs(profile, { lifetimeMs, fraction, bornMs: answer.sentWallMs, ...terms }, chance);
}

function continued(held: HeldCredential, { answer }: FetchedCredential, terms: ResponseTerms): HeldCredential {
  const { credential } = held;
  // WeChat Pay's own time tells the age of one kept from an earlier boot, which this board's clock could not.
  const age = Math.max(answer.signedAtS * 1_000 - (credential.obtainedWallMs + credential.skewMs), 0);
  const since = held.anchor.trusted ? held.anchor : trustedSince(answer.sentBootMs - age);
  const left = remainingMs(credential, since, terms.bootMs);
  if (left <= 0) throw new AgentError("PAY_AUTHINFO_UNCHANGED.expired", {});
  const refreshAfterMs = redrawRefreshAfterMs(credential.lifetimeMs - left, left, terms.fraction, terms.chance);
  return { ...held, anchor: since, refreshAfterMs };
}

function trustedSince(bootMs: number): Anchor {
  return { obtainedBootMs: bootMs, trusted: true, latestBootMs: bootMs };
}

export function lifeOf(held: HeldCredential, bootMs: number): Life;
export function lifeOf(held: HeldCredential | undefined, bootMs: number): Life | undefined;
export function lifeOf(held: HeldCredential | undefined, bootMs: number): Life | undefined {
  if (held === undefined) return undefined;
  const remaining = remainingMs(held.credential, held.anchor, bootMs);
  const age = held.credential.lifetimeMs - remaining;
  return { remainingMs: remaining, refreshInMs: held.refreshAfterMs - age, ageUnknown: !held.anchor.trusted };
}

export interface ViewContext {
  readonly bootMs: number;
  /** An attempt is under way or a failed one is being retried. */
  readonly trying: boolean;
  readonly staleMs: number;
  readonly cause: Cause | undefined;
}

/** What a reader is told (specification 5). Pure: expiry needs no timer to take effect. */
export function viewOf(held: HeldCredential | undefined, context: ViewContext): AuthinfoView {
  const cause = context.cause === undefined ? {} : { cause: context.cause };
  if (held === undefined) {
    return { state: "absent", remainingMs: 0, clockTrusted: true, persisted: false, ...cause };
  }
  const life = lifeOf(held, context.bootMs);
  return {
    state: stateOf(held, life, context),
    credential: held.credential,
    remainingMs: life.remainingMs,
    clockTrusted: held.anchor.trusted,
    persisted: held.persisted,
    ...cause,
  };
}

function stateOf(held: HeldCredential, life: Life, { trying, staleMs }: ViewContext): AuthinfoState {
  if (life.remainingMs <= 0) {
    return held.credential.expirySource === "assumed" && -life.remainingMs < staleMs ? "stale" : "expired";
  }
  if (held.rejected) return "rejected";
  return !life.ageUnknown && !trying && life.refreshInMs > 0 ? "fresh" : "due";
}

/** The longest sleep: after a suspend, timers are late by its whole length. */
export const TICK_MS = 5_000;
/** While a wrong clock is all that stands in the way: five seconds after it is set the authinfo has to be there. */
const CLOCK_FAULT_TICK_MS = 1_000;

/** How long the state stays as it is unless something happens, ms; never longer than a tick. */
export function nextTickMs(
  held: HeldCredential | undefined,
  bootMs: number,
  staleMs: number,
  clockAtFault: boolean,
): number {
  const life = lifeOf(held, bootMs);
  const changes = life ? [life.refreshInMs, life.remainingMs, life.remainingMs + staleMs].filter((ms) => ms > 0) : [];
  // One more millisecond: a timer may fire a fraction early, and the tick must find the change.
  return Math.min(...changes.map((ms) => ms + 1), clockAtFault ? CLOCK_FAULT_TICK_MS : TICK_MS);
}
