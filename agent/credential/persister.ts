import type { Clock } from "../common/clock.ts";
import { asAgentError, failureFields } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import type { Credential, State } from "../store/credential.ts";
import type { Store } from "../store/store-types.ts";

/** Specification 6: a disk that has not finished by then does not hold the authinfo back. */
const PATIENCE_MS = 2_000;
const FIRST_REPEAT_MS = 5_000;
const LAST_REPEAT_MS = 55_000;

/** Brings states to the disk, at once or later: a refused write is repeated within a minute until one succeeds. */
export class Persister {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onDurable: (credential: Credential) => void;
  #repeatAt: number | undefined;
  #repeatAfter = FIRST_REPEAT_MS;

  /** @param onDurable told when a credential announced as not persisted has become so */
  constructor(store: Store, clock: Clock, log: Log, onDurable: (credential: Credential) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#onDurable = onDurable;
  }

  /** Resolves to whether `state` was durable within two seconds; goes on trying when it was not. */
  async keep(state: State): Promise<boolean> {
    const enough = new AbortController();
    const late = this.#clock.sleep(PATIENCE_MS, enough.signal).then(
      () => false,
      () => false,
    );
    const inTime = await Promise.race([this.#write(state), late]);
    enough.abort();
    if (!inTime) this.#log.warn("STATE_NOT_PERSISTED", { problem: this.#store.status().problem });
    return inTime;
  }

  /** Like `keep`, for a state nobody waits for. */
  persistInBackground(state: State): void {
    void this.#write(state);
  }

  /** To be called every few seconds. */
  flush(): void {
    if (this.#repeatAt === undefined || this.#clock.boot() < this.#repeatAt) return;
    this.#repeatAt = undefined;
    void this.#write(this.#store.state);
  }

  async #write(state: State): Promise<boolean> {
    try {
      await this.#store.write(state);
    } catch (error) {
      this.#log.warn("STATE_WRITE_FAILED", failureFields(asAgentError(error, "STORE_WRITE")));
      this.#repeatAt = this.#clock.boot() + this.#repeatAfter;
      this.#repeatAfter = Math.min(this.#repeatAfter * 2, LAST_REPEAT_MS);
      return false;
    }
    this.#repeatAfter = FIRST_REPEAT_MS;
    if (state.credential) this.#onDurable(state.credential);
    return true;
  }
}
