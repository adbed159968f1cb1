import type { Clock } from "../common/clock.ts";
import type { ClockSync, Instant } from "../common/clock-sync.ts";
import type { Log } from "../common/log/log.ts";
import type { Store } from "../store/store-types.ts";
import { ageToWrite, anchorAgain } from "./age.ts";
import type { AppliedResponse } from "./apply-response.ts";
import type { AuthinfoView } from "./credential-types.ts";
import { type HeldCredential, nextLookMs, passedMs, stateWith, type ViewContext, viewOf } from "./held-credential.ts";
import { History, type StateChange } from "./history.ts";
import { Persister } from "./persister.ts";
import type { Spent } from "./rate-limiter.ts";

export interface CurrentCredentialParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly clockSync: Pick<ClockSync, "passed">;
  readonly log: Log;
  readonly staleMs: number;
  /** What else decides how the authinfo looks to a reader. Asked at each look. */
  readonly context: () => Pick<ViewContext, "trying" | "cause">;
}

/** The authinfo in hand: the one place where it changes, goes to the disk, and is told to the readers. */
export class CurrentCredential {
  readonly #parts: CurrentCredentialParts;
  readonly #persister: Persister;
  readonly #history: History;
  readonly #listeners = new Set<(view: AuthinfoView) => void>();
  #held: HeldCredential | undefined;
  #newestSignedAtS: number;

  /** @param held what a start has taken up of the store's state */
  constructor(parts: CurrentCredentialParts, held: HeldCredential | undefined) {
    const { store, clock, log, staleMs, clockSync } = parts;
    this.#parts = parts;
    this.#held = held;
    this.#newestSignedAtS = store.state.newestSignedAtS;
    clockSync.passed(passedMs(store.state));
    this.#persister = new Persister(store, clock, log, (credential) => {
      if (this.#held?.credential !== credential) return;
      this.#held = { ...this.#held, persisted: true };
      this.announce();
    });
    this.#history = new History(viewOf(held, { bootMs: clock.boot(), trying: false, staleMs, cause: undefined }));
    // Read, but not sure to be found once more: announced as persisted when it is.
    if (store.status().dirty) this.#persister.persistInBackground(store.state);
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

  get history(): readonly StateChange[] {
    return this.#history.entries();
  }

  view(): AuthinfoView {
    const { clock, staleMs, context } = this.#parts;
    return viewOf(this.#held, { bootMs: clock.boot(), staleMs, ...context() });
  }

  subscribe(listener: (view: AuthinfoView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** An answer signed at this time has been verified. */
  verified(signedAtS: number): void {
    this.#newestSignedAtS = Math.max(this.#newestSignedAtS, signedAtS);
    this.#parts.clockSync.passed(signedAtS * 1_000);
  }

  /**
   * Takes the place of what was held. Writes first, to be announced after; a slow or broken disk holds the authinfo back
   * for two seconds at most.
   */
  async take(
    { held, write }: AppliedResponse,
    paced: { unsteadyLeftMs: number; spent: readonly Spent[] },
  ): Promise<void> {
    const { store, clock } = this.#parts;
    const now = { wall: clock.wall(), boot: clock.boot() };
    const known = { newestSignedAtS: this.#newestSignedAtS, now, ...paced };
    const persisted = write
      ? await this.#persister.keep(stateWith(store.state, held.credential, known))
      : held.persisted;
    this.#held = { ...held, persisted };
  }

  /** The SDK has refused what is held, which a restart must know as well. */
  refuse(held: HeldCredential): void {
    this.#held = { ...held, rejected: true };
    this.#persister.persistInBackground({ ...this.#parts.store.state, rejectedGeneration: held.credential.generation });
  }

  /** What is held must not be handed out any more. */
  drop(): void {
    this.#held = undefined;
    const { credential: _dropped, ageAtLeastMs: _its, ...rest } = this.#parts.store.state;
    this.#persister.persistInBackground(rest);
  }

  /** The wall clock has been set or confirmed: an age that was only believed is told anew. */
  rebase(now: Instant): void {
    if (this.#held?.anchor.trusted !== false) return;
    const { credential, anchor: before } = this.#held;
    this.#held = { ...this.#held, anchor: anchorAgain(credential, before, now, this.#parts.store.state) };
  }

  /** How long nobody needs to look at the time, ms. */
  nextLookMs(clockAtFault: boolean): number {
    return nextLookMs(this.#held, this.#parts.clock.boot(), this.#parts.staleMs, clockAtFault);
  }

  /** To be called every few seconds: a refused write is repeated, and an age that would be forgotten is written down. */
  flush(): void {
    this.#persister.flush();
    this.#writeAge();
  }

  #writeAge(): void {
    if (this.#held === undefined) return;
    const { store, clock } = this.#parts;
    const { credential, anchor, refreshAfterMs } = this.#held;
    const writtenMs = store.state.ageAtLeastMs;
    const ageAtLeastMs = ageToWrite(credential, anchor, clock.boot(), { writtenMs, refreshAfterMs });
    if (ageAtLeastMs !== undefined) this.#persister.persistInBackground({ ...store.state, ageAtLeastMs });
  }

  /** Tells the readers when there is anything new to them. */
  announce(): void {
    const view = this.view();
    const change = this.#history.note(view, this.#parts.clock.wall());
    if (change === undefined) return;
    if (change === "state") {
      this.#parts.log.info("AUTHINFO_STATE", {
        state: view.state,
        generation: view.credential?.generation,
        persisted: view.persisted,
        remaining_s: Math.floor(view.remainingMs / 1_000),
      });
    }
    for (const listener of [...this.#listeners]) listener(view);
  }
}
