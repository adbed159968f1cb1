import type { Instant } from "../timebase.ts";
import { type Anchor, anchor, remainingMs } from "./age.ts";
import type { Credential, State } from "./credential.ts";
import type { AuthinfoState, AuthinfoView, Cause } from "./keeper-types.ts";

/** The credential in hand and what is known of it in this process. Replaced as a whole, never changed in place. */
export interface Held {
  readonly credential: Credential;
  readonly anchor: Anchor;
  readonly persisted: boolean;
  /** The SDK refused it; it is served until its successor is there. */
  readonly rejected: boolean;
  /** Life after which the next planned attempt follows; that of the credential unless WeChat Pay returned it again. */
  readonly refreshAfterMs: number;
}

type Kept = Pick<State, "wallFloorMs" | "rejectedGeneration">;

/** A credential read from the disk. */
export function takeUp(credential: Credential, now: Instant, { wallFloorMs, rejectedGeneration }: Kept): Held {
  return {
    credential,
    anchor: anchor(credential, now, wallFloorMs),
    persisted: true,
    rejected: credential.generation === rejectedGeneration,
    refreshAfterMs: credential.refreshAfterMs,
  };
}

/** What matters of a holding at one instant of the boot clock. */
export function lifeOf(held: Held, bootMs: number): { remainingMs: number; refreshInMs: number } {
  const remaining = remainingMs(held.credential, held.anchor, bootMs);
  const age = held.credential.lifetimeMs - remaining;
  return { remainingMs: remaining, refreshInMs: held.refreshAfterMs - age };
}

export interface Surroundings {
  readonly bootMs: number;
  /** An attempt is under way or a failed one is being retried. */
  readonly trying: boolean;
  readonly staleMs: number;
  readonly cause: Cause | undefined;
}

/** The state a reader is told (contract 5). Pure: expiry needs no timer to take effect. */
export function viewOf(held: Held | undefined, around: Surroundings): AuthinfoView {
  const { cause } = around;
  if (held === undefined) {
    const absent = { state: "absent", remainingMs: 0, clockTrusted: true, persisted: false } as const;
    return cause === undefined ? absent : { ...absent, cause };
  }
  const life = lifeOf(held, around.bootMs);
  const view = {
    state: stateOf(held, life, around),
    credential: held.credential,
    remainingMs: life.remainingMs,
    clockTrusted: held.anchor.trusted,
    persisted: held.persisted,
  };
  return cause === undefined ? view : { ...view, cause };
}

function stateOf(held: Held, life: ReturnType<typeof lifeOf>, around: Surroundings): AuthinfoState {
  if (life.remainingMs <= 0) {
    const within = held.credential.expirySource === "assumed" && -life.remainingMs < around.staleMs;
    return within ? "stale" : "expired";
  }
  if (held.rejected) return "rejected";
  const settled = held.anchor.trusted && !around.trying && life.refreshInMs > 0;
  return settled ? "fresh" : "due";
}

/** Milliseconds until the state changes by the passing of time alone, if it will. */
export function nextBoundaryMs(held: Held | undefined, bootMs: number, staleMs: number): number | undefined {
  if (held === undefined) return undefined;
  const life = lifeOf(held, bootMs);
  const ahead = [life.refreshInMs, life.remainingMs, life.remainingMs + staleMs].filter((ms) => ms > 0);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

/**
 * What the bridge's word means for the credential in hand: it is another device's and must not be served any more; or it
 * is bound to a network card that is not in use any more (reference "wechatpay" 0.3), and a new one is needed while it is served.
 */
export function meaningFor(
  { credential }: Held,
  identity: { readonly deviceId?: string; readonly netId?: string },
): "another_device" | "another_network" | undefined {
  const differs = (said: string | undefined, known: string | undefined) =>
    said !== undefined && known !== undefined && said !== known;
  if (differs(identity.deviceId, credential.deviceId)) return "another_device";
  return differs(identity.netId, credential.netId) ? "another_network" : undefined;
}
