import type { FailureRecord } from "../common/errors.ts";
import type { State } from "./credential.ts";

export interface StoreStatus {
  readonly directory: string;
  /** Where the present state came from at start. `other_identity`: a good file, but of another merchant or shop. */
  readonly loaded: "empty" | "current" | "previous" | "other_identity" | "quarantined";
  readonly quarantined: number;
  /** The older generation could not be opened, and none has taken its place yet; the present one is good. */
  readonly copyDamaged?: boolean;
  /** True while memory holds something the disk has not accepted. */
  readonly dirty: boolean;
  readonly writes: Readonly<Record<"ok" | "failed", number>>;
  readonly lastWriteMs?: number;
  readonly problem?: FailureRecord;
}

/** The kept state. One writer; memory is always ahead of or equal to the disk. */
export interface Store {
  readonly state: State;
  /** Takes the new state into memory at once; resolves when it is durable, rejects with STORE_WRITE when it is not. */
  write(next: State): Promise<void>;
  status(): StoreStatus;
  /** Waits for a write under way and lets go of the directory. */
  close(): Promise<void>;
}
