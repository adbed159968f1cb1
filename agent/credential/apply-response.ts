import { AgentError } from "../common/errors.ts";
import type { Credential } from "../store/credential.ts";
import { remainingMs } from "./age.ts";
import type { FetchedCredential } from "./fetch-credential.ts";
import type { HeldCredential } from "./held-credential.ts";
import { drawRefreshAfterMs, redrawRefreshAfterMs } from "./refresh-policy.ts";

export interface AppliedResponse {
  readonly held: HeldCredential;
  /** Whether it has to go to the disk. */
  readonly write: boolean;
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
}

/**
 * What becomes of a verified answer. Usually a new credential of the next generation. The authinfo already held, returned
 * once more, keeps its generation and its earlier expiry unless `expires_in` says otherwise (specification 4); when that
 * leaves nothing usable (the SDK refused it, or it is over) the attempt has failed: PAY_AUTHINFO_UNCHANGED.
 */
export function applyResponse(
  fetched: FetchedCredential,
  held: HeldCredential | undefined,
  terms: ResponseTerms,
): AppliedResponse {
  const { answer, deviceId, netId } = fetched;
  const same = held?.credential.authinfo === answer.authinfo && held.credential.deviceId === deviceId;
  if (held && same && held.rejected) throw new AgentError("PAY_AUTHINFO_UNCHANGED.rejected", {});
  if (held && same && answer.expiresInS === undefined) return goOn(held, fetched, terms);

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
    refreshAfterMs: drawRefreshAfterMs(lifetimeMs, terms.fraction, terms.chance, answer.refreshAfterS),
  };
  return {
    held: {
      credential,
      anchor: { obtainedBootMs: answer.sentBootMs, trusted: true, latestBootMs: answer.sentBootMs },
      persisted: false,
      rejected: false,
      refreshAfterMs: credential.refreshAfterMs,
    },
    write: true,
  };
}

function goOn(held: HeldCredential, { answer }: FetchedCredential, terms: ResponseTerms): AppliedResponse {
  const { credential } = held;
  // WeChat Pay's own time tells the age of one kept from an earlier boot, which this board's clock could not.
  const age = Math.max(answer.signedAtS * 1_000 - (credential.obtainedWallMs + credential.skewMs), 0);
  const bornBootMs = answer.sentBootMs - age;
  const anchor = held.anchor.trusted
    ? held.anchor
    : { obtainedBootMs: bornBootMs, trusted: true, latestBootMs: bornBootMs };
  const left = remainingMs(credential, anchor, terms.bootMs);
  if (left <= 0) throw new AgentError("PAY_AUTHINFO_UNCHANGED.expired", {});
  const refreshAfterMs = redrawRefreshAfterMs(credential.lifetimeMs - left, left, terms.fraction, terms.chance);
  return { held: { ...held, anchor, refreshAfterMs }, write: false };
}
