/** One authinfo and all that is needed to know its age after any restart. Kept in the sealed state. */
export interface Credential {
  /** WeChat Pay's credential. A secret. */
  readonly authinfo: string;
  /** Starts at 1, never falls. */
  readonly generation: number;
  readonly deviceId: string;
  readonly netId?: string;
  /** The boot in which it was obtained, and the time since that boot, just before the request was sent. */
  readonly bootId: string;
  readonly obtainedBootMs: number;
  readonly obtainedWallMs: number;
  /** WeChat Pay's clock minus ours when it was obtained. */
  readonly skewMs: number;
  readonly lifetimeMs: number;
  readonly expirySource: "response" | "assumed";
  /** Drawn once, when it was obtained: the first refresh attempt follows this long after `obtained`. */
  readonly refreshAfterMs: number;
}

/** What survives a restart. Format 1. */
export interface State {
  readonly format: 1;
  /** The highest generation ever announced. */
  readonly generation: number;
  readonly credential?: Credential;
  /** The generation that the SDK refused last: after a restart it is still `rejected`. */
  readonly rejectedGeneration?: number;
  /** The newest signed timestamp verified so far, Unix seconds (specification 4: an older answer is a replay). */
  readonly newestSignedAtS: number;
  /** The latest wall-clock time this terminal knows to have passed, Unix ms. A clock behind it is wrong. */
  readonly wallFloorMs: number;
  /** What the credential has lived for certain when this was written: what a start knows whose wall clock reads a time before its birth. */
  readonly ageAtLeastMs?: number;
  /** Until when the network counts as unsteady, Unix ms on the wall clock. */
  readonly unsteadyUntilWallMs: number;
  /** The renewals out of turn of the hour before it was written. */
  readonly outOfTurn?: readonly { readonly occasion: string; readonly atWallMs: number }[];
  readonly demand?: StoredDemand;
}

export const DEMAND_OCTETS = 336;

/** What a terminal has learned of its trade (specification 12). */
export interface StoredDemand {
  /** An octet for each half-hour of the week, in base64. */
  readonly trades: string;
  readonly weight: number;
  readonly spaced: number;
}

export const emptyState: State = {
  format: 1,
  generation: 0,
  newestSignedAtS: 0,
  wallFloorMs: 0,
  unsteadyUntilWallMs: 0,
};
