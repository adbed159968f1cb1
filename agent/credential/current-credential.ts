import { type Clock, orLate } from "../common/clock.ts";
import type { ClockSync, Instant } from "../common/clock-sync.ts";
import { asAgentError, failureFields } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import type { Credential, State, StoredDemand } from "../store/credential.ts";
import type { Store } from "../store/store-types.ts";
import { ageToWrite, anchorAgain } from "./age.ts";
import { type HeldCredential, restore } from "./held-credential.ts";
import { isOccasion, type Spent } from "./rate-limiter.ts";

/** Specification 6: a disk that has not finished by then does not hold the authinfo back. */
const WRITE_PATIENCE_MS = 2_000;
/** A refused write is repeated within a minute until one succeeds. */
const FIRST_REPEAT_MS = 5_000;
const LAST_REPEAT_MS = 55_000;

export interface CurrentCredentialParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly clockSync: ClockSync;
  readonly log: Log;
  /** A credential announced as not persisted has become so. */
  readonly onPersisted: () => void;
}

/** What is written with a new credential, for the next start. */
export interface RetryFacts {
  readonly unsteadyLeftMs: number;
  readonly spent: readonly Spent[];
}

export interface WrittenFacts extends RetryFacts {
  readonly demand?: StoredDemand;
}

/** The credential that is served: in memory, and written to the store. */
export class CurrentCredential {
  readonly #parts: CurrentCredentialParts;
  #held: HeldCredential | undefined;
  #newestSignedAtS: number;
  #repeatAt: number | undefined;
  #repeatAfter = FIRST_REPEAT_MS;

  /** Restores what the store holds for this device. */
  constructor(parts: CurrentCredentialParts, deviceId: string | undefined) {
    const { store, clockSync } = parts;
    const dirty = store.status().dirty;
    this.#parts = parts;
    this.#held = restore(store.state, deviceId, clockSync.now(), !dirty);
    this.#newestSignedAtS = store.state.newestSignedAtS;
    clockSync.passed(passedMs(store.state));
    // Read, but not sure to be found again: announced as persisted once it is written.
    if (dirty) void this.#write(store.state);
    this.#writeAge();
  }

  get held(): HeldCredential | undefined {
    return this.#held;
  }

  /** The highest generation so far. */
  get generation(): number {
    return this.#parts.store.state.generation;
  }

  /** Unix seconds: an answer that is older is a replay. */
  get newestSignedAtS(): number {
    return this.#newestSignedAtS;
  }

  /** An answer signed at this time has been verified. */
  verified(signedAtS: number): void {
    this.#newestSignedAtS = Math.max(this.#newestSignedAtS, signedAtS);
    this.#parts.clockSync.passed(signedAtS * 1_000);
  }

  /** Writes a new credential, then puts it in the place of the held one; a slow or broken disk delays that by two seconds at most. */
  async replace(next: HeldCredential, facts: WrittenFacts): Promise<void> {
    const { store, clock, log } = this.#parts;
    if (next.credential === this.#held?.credential) {
      this.#held = next;
      return;
    }
    const now = { wall: clock.wall(), boot: clock.boot() };
    const state = stateWith(store.state, next.credential, { newestSignedAtS: this.#newestSignedAtS, now, ...facts });
    const persisted = (await orLate(this.#write(state), WRITE_PATIENCE_MS, clock)) === true;
    if (!persisted) log.warn("STATE_NOT_PERSISTED", { problem: store.status().problem });
    this.#held = { ...next, persisted };
  }

  /** The SDK has refused the held credential. */
  markRejected(): void {
    if (this.#held === undefined) return;
    this.#held = { ...this.#held, rejected: true };
    void this.#write({ ...this.#parts.store.state, rejectedGeneration: this.#held.credential.generation });
  }

  /** The held credential must not be served any more. */
  drop(): void {
    this.#held = undefined;
    const { credential: _dropped, ageAtLeastMs: _itsAge, ...rest } = this.#parts.store.state;
    void this.#write(rest);
  }

  /** The wall clock has been set or confirmed: an age that was only believed is computed again. */
  rebase(now: Instant): void {
    if (this.#held?.anchor.trusted !== false) return;
    const { credential, anchor } = this.#held;
    this.#held = { ...this.#held, anchor: anchorAgain(credential, anchor, now, this.#parts.store.state) };
  }

  /** To be called every few seconds: repeats a refused write, and writes an age that a restart would not know. */
  flush(): void {
    const { clock, store } = this.#parts;
    if (this.#repeatAt !== undefined && clock.boot() >= this.#repeatAt) {
      this.#repeatAt = undefined;
      void this.#write(store.state);
    }
    this.#writeAge();
  }

  #writeAge(): void {
    if (this.#held === undefined) return;
    const { store, clock } = this.#parts;
    const { credential, anchor, refreshAfterMs } = this.#held;
    const writtenMs = store.state.ageAtLeastMs;
    const ageAtLeastMs = ageToWrite(credential, anchor, clock.boot(), { writtenMs, refreshAfterMs });
    if (ageAtLeastMs !== undefined) void this.#write({ ...store.state, ageAtLeastMs });
  }

  /** Resolves to whether the state is durable. When it is not, `flush` repeats the write. */
  async #write(state: State): Promise<boolean> {
    const { store, clock, log, onPersisted } = this.#parts;
    try {
      await store.write(state);
    } catch (error) {
      log.warn("STATE_WRITE_FAILED", failureFields(asAgentError(error, "STORE_WRITE")));
      this.#repeatAt = clock.boot() + this.#repeatAfter;
      this.#repeatAfter = Math.min(this.#repeatAfter * 2, LAST_REPEAT_MS);
      return false;
    }
    this.#repeatAfter = FIRST_REPEAT_MS;
    if (this.#held !== undefined && this.#held.credential === state.credential) {
      this.#held = { ...this.#held, persisted: true };
      onPersisted();
    }
    return true;
  }
}

/** Unix ms: the latest time that WeChat Pay vouches for. A wall clock before it is wrong. */
function passedMs({ newestSignedAtS, credential }: State): number {
  const born = credential === undefined ? 0 : credential.obtainedWallMs + Math.min(credential.skewMs, 0);
  return Math.max(newestSignedAtS * 1_000, born);
}

/** The state to write when `credential` has been obtained. Neither the generation nor the floor of the wall clock falls. */
export function stateWith(
  { ageAtLeastMs: _ofTheFormer, outOfTurn: _former, ...before }: State,
  credential: Credential,
  known: WrittenFacts & {
    readonly newestSignedAtS: number;
    readonly now: { readonly wall: number; readonly boot: number };
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
    ...(known.demand === undefined ? {} : { demand: known.demand }),
  };
}

/**
 * What `stateWith` has written for the next start. Renewals out of turn of the process before count, so that restarts do not lift the
 * limit; by a clock that has fallen behind they are of this moment.
 */
export function retryFactsOf(state: State, { wall, boot }: Pick<Instant, "wall" | "boot">): RetryFacts {
  const spent = (state.outOfTurn ?? []).flatMap(({ occasion, atWallMs }) =>
    isOccasion(occasion) ? [{ occasion, atMs: boot - Math.max(wall - atWallMs, 0) }] : [],
  );
  return { unsteadyLeftMs: state.unsteadyUntilWallMs - wall, spent };
}
