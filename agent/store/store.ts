import { Low } from "lowdb";
import type { Clock } from "../common/clock.ts";
import { AgentError, asAgentError, failureFields, isNotPermitted } from "../common/errors.ts";
import { type FileSystem, nodeFileSystem } from "../common/files/file-system.ts";
import type { Log } from "../common/log/log.ts";
import type { Random } from "../common/random.ts";
import type { Identity } from "../config/config.ts";
import { emptyState, type State } from "./credential.ts";
import { prepareDirectory } from "./directory.ts";
import { type DirectoryLock, lockDirectory } from "./lock.ts";
import { type Former, migrate } from "./recover.ts";
import { SealedFile } from "./sealed-file.ts";
import { identityDigest } from "./state-format.ts";
import { StoreKey } from "./store-key.ts";
import type { Store, StoreStatus } from "./store-types.ts";

export interface StoreOptions {
  readonly directory: string;
  readonly keyFile?: string;
  /** `$CREDENTIALS_DIRECTORY`. */
  readonly credentialsDirectory?: string;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A lock the caller holds and will release itself. Without it the store takes its own, and lets go in `close()`. */
  readonly lock?: DirectoryLock;
  readonly fileSystem?: FileSystem;
  readonly prepare?: typeof prepareDirectory;
  /** What this process held before a reload. */
  readonly former?: Former;
}

/** A disk that hangs must not hold up the end of the process. */
const CLOSE_DEADLINE_MS = 5_000;
/** Nor may a slow one hold up what it has already yielded: the first reader is waiting. */
const CONFIRM_DEADLINE_MS = 500;

/**
 * Opens the kept state. Throws STORE_LOCKED (exit 75), STORE_READ (the directory is of the wrong type or open to others) and
 * KEY_FILE (a given key cannot be used). Everything else, a read-only or full disk included, ends in a store that works
 * from memory and says so in `status().problem`.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { directory, clock, random, log } = options;
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  const unwritable = await (options.prepare ?? prepareDirectory)(directory);
  const lock = options.lock ?? (await lockDirectory(directory, { clock, random, log }));
  try {
    const key = await StoreKey.open({ ...options, fileSystem });
    const { deviceId } = options.identity;
    const owner = { identity: identityDigest(options.identity), ...(deviceId === undefined ? {} : { deviceId }) };
    const file = new SealedFile({ directory, owner, key, fileSystem, clock, random, log });
    const db = new Low<State>(file, emptyState);
    await db.read();
    const { settle, loaded, problem } = file.report;
    const found = db.data;
    if (options.former) db.data = migrate(found, options.former, owner);
    const asRead = !settle && db.data === found;
    // What somebody has forbidden stays so until somebody allows it again: told at once as not persisted (specification 6), not at the
    // next renewal. A disk in trouble still holds what it has yielded.
    const forbidden = isNotPermitted(unwritable?.cause);
    const durable = asRead && (loaded === "empty" || (!forbidden && (await isConfirmed(file, clock, log))));
    const store = createStore(db, durable, file, options, unwritable ?? problem, async () => {
      if (options.lock === undefined) await lock.release();
    });
    // What was pieced together is written at once, or the next start would have to do it again from less. A failure
    // is in the status; the caller that sees `dirty` tries again.
    if (!durable) store.write(store.state).catch(() => log.debug("STORE_SETTLE_FAILED"));
    return store;
  } catch (error) {
    if (options.lock === undefined) await lock.release();
    throw error;
  }
}

/** True once what was read is sure to survive a power cut. */
async function isConfirmed(file: SealedFile, clock: Clock, log: Log): Promise<boolean> {
  const confirmed = file.confirm().then(
    () => true,
    (error: unknown) => {
      log.warn("STORE_NOT_CONFIRMED", failureFields(asAgentError(error, "STORE_WRITE")));
      return false;
    },
  );
  return await inTime(confirmed, CONFIRM_DEADLINE_MS, clock);
}

function createStore(
  db: Low<State>,
  durable: boolean,
  file: SealedFile,
  options: StoreOptions,
  found: AgentError | undefined,
  release: () => Promise<void>,
): Store {
  const { clock, log, directory } = options;
  /** What the disk has accepted last. */
  let saved = durable ? db.data : undefined;
  let problem = found;
  let lastWriteMs: number | undefined;
  let closing: Promise<void> | undefined;
  const writes = { ok: 0, failed: 0 };
  /** The callers who wait for the write after the one under way. */
  let queued: PromiseWithResolvers<void> | undefined;
  let draining: Promise<void> | undefined;
  if (problem !== undefined) log.error("STORE_NOT_DURABLE", failureFields(problem));

  /** One writer. However many states have queued up, only the newest is written, and it answers for all of them. */
  async function drain(): Promise<void> {
    for (let group = queued; group !== undefined; group = queued) {
      queued = undefined;
      const submitted = db.data;
      const startedAt = clock.boot();
      try {
        await db.write();
        saved = submitted;
        writes.ok++;
        if (problem !== undefined) log.info("STORE_DURABLE_AGAIN");
        problem = undefined;
        group.resolve();
      } catch (error) {
        writes.failed++;
        const failure = asAgentError(error, "STORE_WRITE");
        // A full disk stays full for hours: one line when it begins, one when it ends.
        if (problem?.message !== failure.message) log.error("STORE_WRITE_FAILED", failureFields(failure));
        problem = failure;
        group.reject(failure);
      } finally {
        lastWriteMs = clock.boot() - startedAt;
      }
    }
    draining = undefined;
  }

  async function letGo(): Promise<void> {
    // A hanging write may still happen: then the kernel lets go of the directory when the process has ended.
    const ended = draining?.then(() => true) ?? Promise.resolve(true);
    if (await inTime(ended, CLOSE_DEADLINE_MS, clock)) await release();
    else log.error("STORE_CLOSE_TIMEOUT");
  }

  return {
    get state() {
      return db.data;
    },
    write(next) {
      db.data = next;
      const group = queued ?? Promise.withResolvers<void>();
      // A caller who does not wait must not end the process; the failure stands in the status.
      group.promise.catch(() => log.debug("STORE_NOT_WRITTEN"));
      if (closing !== undefined) {
        group.reject(new AgentError("STORE_WRITE.closed", {}));
      } else {
        queued = group;
        draining ??= drain();
      }
      return group.promise;
    },
    status(): StoreStatus {
      return {
        directory,
        loaded: file.report.loaded,
        quarantined: file.report.quarantined,
        ...(file.report.copyDamaged ? { copyDamaged: true } : {}),
        dirty: db.data !== saved,
        writes: { ...writes },
        ...(lastWriteMs === undefined ? {} : { lastWriteMs }),
        ...(problem === undefined ? {} : { problem: { code: problem.code, params: problem.params } }),
      };
    },
    close() {
      closing ??= letGo();
      return closing;
    },
  };
}

/** What `work` resolves to, or false when it takes longer. */
async function inTime(work: Promise<boolean>, ms: number, clock: Clock): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const callOff = clock.timer(ms, () => late.resolve(false));
  const ended = await Promise.race([work, late.promise]);
  callOff();
  return ended;
}
