import type { DriverEvent } from "../../drivers/sdk/driver.ts";
import type { Instant } from "../common/clock-sync.ts";
import type { Credential, State } from "../store/credential.ts";
import { type Anchor, anchor, remainingMs } from "./age.ts";
import type { AuthinfoState, AuthinfoView, Cause } from "./credential-types.ts";
import { isOccasion, type Occasion, type Spent } from "./rate-limiter.ts";
import type { Situation } from "./refresh-policy.ts";

/** The longest nap: after a suspend, timers are late by its whole length, so nobody relies on a long one. */
export const PULSE_MS = 5_000;
/** While a wrong clock is all that stands in the way: five seconds after it is set the authinfo has to be there. */
const CLOCK_FAULT_PULSE_MS = 1_000;

/** The credential in hand and what is known of it in this process. Replaced as a whole, never changed in place. */
export interface HeldCredential {
  readonly credential: Credential;
  readonly anchor: Anchor;
  readonly persisted: boolean;
  /** The SDK refused it; it is served until its successor is there. */
  readonly rejected: boolean;
  /** Life after which the next planned attempt follows; that of the credential unless WeChat Pay returned it again. */
  readonly refreshAfterMs: number;
}

/** What a start takes up of the state on the disk: nothing of another device than the one configured. */
export function restoreKept(
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

/** Unix ms: the latest time that WeChat Pay vouches for. A wall clock before it is wrong. */
export function passedMs({ newestSignedAtS, credential }: State): number {
  const born = credential === undefined ? 0 : credential.obtainedWallMs + Math.min(credential.skewMs, 0);
  return Math.max(newestSignedAtS * 1_000, born);
}

/** The state to write when `credential` has been obtained. Nothing that only grows falls. */
export function stateWith(
  { ageAtLeastMs: _ofTheFormer, outOfTurn: _spentThen, ...before }: State,
  credential: Credential,
  known: {
    readonly newestSignedAtS: number;
    readonly now: { readonly wall: number; readonly boot: number };
    readonly unsteadyLeftMs: number;
    readonly spent: readonly Spent[];
  },
): State {
  const { wall, boot } = known.now;
  const outOfTurn = known.spent.map(({ occasion, atMs }) => ({
    occasion,
    atWallMs: Math.max(wall - (boot - atMs), 0),
  }));
  return {
    ...before,
    generation: Math.max(before.generation, credential.generation),
    credential,
    newestSignedAtS: known.newestSignedAtS,
    wallFloorMs: Math.max(before.wallFloorMs, wall),
    unsteadyUntilWallMs: wall + known.unsteadyLeftMs,
    ...(outOfTurn.length === 0 ? {} : { outOfTurn }),
  };
}

/**
 * The renewals out of turn that the process before has left, so that restarts and reboots without end are no way round the allowance. By
 * a clock that has fallen behind they are of this moment.
 */
export function spentBefore(
  { outOfTurn = [] }: State,
  { wall, boot }: Pick<Instant, "wall" | "boot">,
): readonly Spent[] {
  return outOfTurn.flatMap(({ occasion, atWallMs }) =>
    isOccasion(occasion) ? [{ occasion, atMs: boot - Math.max(wall - atWallMs, 0) }] : [],
  );
}

/** What matters of a holding at one instant of the boot clock. */
export function lifeOf(held: HeldCredential, bootMs: number): { remainingMs: number; refreshInMs: number } {
  const remaining = remainingMs(held.credential, held.anchor, bootMs);
  const age = held.credential.lifetimeMs - remaining;
  return { remainingMs: remaining, refreshInMs: held.refreshAfterMs - age };
}

export interface ViewContext {
  readonly bootMs: number;
  /** An attempt is under way or a failed one is being retried. */
  readonly trying: boolean;
  readonly staleMs: number;
  readonly cause: Cause | undefined;
}

/** The state a reader is told (specification 5). Pure: expiry needs no timer to take effect. */
export function viewOf(held: HeldCredential | undefined, context: ViewContext): AuthinfoView {
  const { cause } = context;
  if (held === undefined) {
    const absent = { state: "absent", remainingMs: 0, clockTrusted: true, persisted: false } as const;
    return cause === undefined ? absent : { ...absent, cause };
  }
  const life = lifeOf(held, context.bootMs);
  const view = {
    state: stateOf(held, life, context),
    credential: held.credential,
    remainingMs: life.remainingMs,
    clockTrusted: held.anchor.trusted,
    persisted: held.persisted,
  };
  return cause === undefined ? view : { ...view, cause };
}

function stateOf(held: HeldCredential, life: ReturnType<typeof lifeOf>, context: ViewContext): AuthinfoState {
  if (life.remainingMs <= 0) {
    const within = held.credential.expirySource === "assumed" && -life.remainingMs < context.staleMs;
    return within ? "stale" : "expired";
  }
  if (held.rejected) return "rejected";
  const settled = held.anchor.trusted && !context.trying && life.refreshInMs > 0;
  return settled ? "fresh" : "due";
}

/** What matters of a holding to the policy. */
export function situationOf(held: HeldCredential | undefined, bootMs: number): Situation["held"] {
  return held && { ...lifeOf(held, bootMs), ageUnknown: !held.anchor.trusted };
}

/** How long nobody needs to look at the time, ms: until it changes the state, but never for long. */
export function nextLookMs(
  held: HeldCredential | undefined,
  bootMs: number,
  staleMs: number,
  clockAtFault: boolean,
): number {
  const boundary = nextBoundaryMs(held, bootMs, staleMs) ?? PULSE_MS;
  // One more millisecond: a timer may fire a fraction early, and the look must find the change.
  return Math.min(boundary + 1, clockAtFault ? CLOCK_FAULT_PULSE_MS : PULSE_MS);
}

/** Milliseconds until the state changes by the passing of time alone, if it will. */
function nextBoundaryMs(held: HeldCredential | undefined, bootMs: number, staleMs: number): number | undefined {
  if (held === undefined) return undefined;
  const life = lifeOf(held, bootMs);
  const ahead = [life.refreshInMs, life.remainingMs, life.remainingMs + staleMs].filter((ms) => ms > 0);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

/**
 * What the bridge's word asks for: `drop` what is held, which is another device's and must not be served any more; `renew`
 * it, also when it is bound to a network card that is not in use any more (WeChat Pay's face-pay documentation; it is served until then), and
 * when a bridge that is ready ends the failure that was the bridge's own.
 */
export function asksFor(
  event: Exclude<DriverEvent, { type: "lost" }>,
  held: HeldCredential | undefined,
  cause: Cause | undefined,
): { readonly drop: boolean; readonly renew?: Occasion } {
  const { deviceId, netId } = event.identity;
  if (differs(deviceId, held?.credential.deviceId)) return { drop: true, renew: "device" };
  if (differs(netId, held?.credential.netId)) return { drop: false, renew: "network_card" };
  const fixed = event.type === "ready" && cause !== undefined && isOfBridge(cause.code);
  return fixed ? { drop: false, renew: "bridge" } : { drop: false };
}

/** Whether a failure is one of the line, the bridge or the SDK: nothing has gone to WeChat Pay. */
export function isOfBridge(code: string): boolean {
  return /^(BRIDGE|SDK|DEVICE)_/.test(code);
}

function differs(said: string | undefined, known: string | undefined): boolean {
  return said !== undefined && known !== undefined && said !== known;
}
