import type { FailureFacts, FailureRecord } from "../common/errors.ts";
import type { Credential } from "../store/credential.ts";

export type AuthinfoState = "fresh" | "due" | "rejected" | "stale" | "expired" | "absent" | "unprovisioned";

/** Why it is as it is: the last failure, while it lasts. */
export interface Cause extends FailureRecord, FailureFacts {
  /** Unix milliseconds of the first failure in this row. */
  readonly sinceWallMs: number;
}

/** What a reader is told at one instant. Computed afresh, so that expiry needs no timer. */
export interface AuthinfoView {
  readonly state: AuthinfoState;
  /** Present in every state but `absent` and `unprovisioned`. Whether it may be handed out depends on `state`. */
  readonly credential?: Credential;
  /** Negative after expiry; 0 without a credential. */
  readonly remainingMs: number;
  readonly clockTrusted: boolean;
  readonly persisted: boolean;
  /** With a credential: why its renewal fails. */
  readonly cause?: Cause;
}

/** The cashier app's report that the SDK refused a generation (specification 5). */
export interface Rejection {
  readonly generation: number;
  readonly errCode?: number | string;
  readonly returnCode?: string;
  readonly returnMsg?: string;
}

export interface CredentialService {
  /** Cheap: asked for by every reader. */
  view(): AuthinfoView;
  /** The cashier app has read the authinfo or called the SDK: this terminal trades (specification 12). */
  used(): void;
  /** When the next attempt is expected: `Retry-After` of a 503. At least 1. */
  retryAfterS(): number;
  /** Called on every change of state, generation, persistence or cause. Returns the function that ends the subscription. */
  subscribe(listener: (view: AuthinfoView) => void): () => void;
  /** `limited`: the allowance of extra renewals is used up; `outdated`: that generation is no longer served. */
  reject(rejection: Rejection): "renewing" | "limited" | "outdated";
  /**
   * Joins the attempt under way or starts one; resolves when it has succeeded, rejects with its AgentError.
   * Breaks a five-minute hold, not a kept Retry-After (PAY_RATE_LIMITED with `context.retryAfterS` then).
   */
  refresh(signal: AbortSignal): Promise<AuthinfoView>;
}
