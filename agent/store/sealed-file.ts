import path from "node:path";
import type { Adapter } from "lowdb";
import type { Clock } from "../common/clock.ts";
import { AgentError, asAgentError, systemCode } from "../common/errors.ts";
import {
  createDurably,
  discard,
  type FileSystem,
  isTemporaryName,
  readSmallFile,
  syncDirectory,
  temporaryName,
} from "../common/files/file-system.ts";
import type { Log } from "../common/log/log.ts";
import type { Random } from "../common/random.ts";
import type { State } from "./credential.ts";
import { LARGEST_ENVELOPE, type SealKey, seal } from "./envelope.ts";
import { Quarantine, quarantinedNames } from "./quarantine.ts";
import { describe, type Found, judge, type Owner, recover } from "./recover.ts";
import type { StoreKey } from "./store-key.ts";
import type { StoreStatus } from "./store-types.ts";

export interface SealedFileOptions {
  readonly directory: string;
  readonly owner: Owner;
  readonly key: StoreKey;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface SealedFileReport {
  readonly loaded: StoreStatus["loaded"];
  readonly quarantined: number;
  /** The older generation could not be opened, and no write has made another one yet. */
  readonly copyDamaged: boolean;
  /** The state that was read should be written soon. */
  readonly settle: boolean;
  /** A file that could neither be opened nor moved aside. */
  readonly problem?: AgentError;
}

const CURRENT = "state.sealed";
const PREVIOUS = "state.prev.sealed";
/** No hard links here (vfat), too many, or the file is another user's: then there is no older generation. */
const CANNOT_LINK = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "ENOENT"]);

/**
 * What is kept in the directory, for one who only looks: nothing is moved aside, cleared away or written. Files that were moved
 * aside earlier are named.
 */
export async function peekState(
  directory: string,
  key: SealKey,
  fileSystem: FileSystem,
): Promise<{ readonly current: Found; readonly previous: Found; readonly aside: readonly string[] }> {
  const look = async (name: string) =>
    judge(await readSmallFile(fileSystem, path.join(directory, name), LARGEST_ENVELOPE), key);
  const [names, current, previous] = await Promise.all([fileSystem.readdir(directory), look(CURRENT), look(PREVIOUS)]);
  return { current, previous, aside: quarantinedNames(names) };
}

/**
 * lowdb's adapter for one sealed, durable file. lowdb's own (steno) never calls fsync and uses one fixed temporary name
 * (typicode/lowdb#549). Here a crash at any instant leaves `state.sealed` as it was or as it is meant to be.
 */
export class SealedFile implements Adapter<State> {
  readonly #options: SealedFileOptions;
  readonly #current: string;
  readonly #previous: string;
  #seq = 0;
  /** The present file holds the newest state there is, so it is worth keeping as the older generation. */
  #keepable = false;
  #report: SealedFileReport = { loaded: "empty", quarantined: 0, copyDamaged: false, settle: false };

  constructor(options: SealedFileOptions) {
    this.#options = options;
    this.#current = path.join(options.directory, CURRENT);
    this.#previous = path.join(options.directory, PREVIOUS);
  }

  get report(): SealedFileReport {
    return this.#report;
  }

  /** Never throws for what is on the disk: the worst case is an empty state and a report that says why. */
  async read(): Promise<State> {
    const { fileSystem, clock, log, owner, key } = this.#options;
    const quarantine = new Quarantine(this.#options.directory, await this.#tidy(), fileSystem, log);
    const aside = await Promise.all(quarantine.files.map((file) => this.#judge(file)));
    const current = await this.#judge(this.#current);
    const previous = await this.#judge(this.#previous);
    const { loaded, state, settle } = recover(current, previous, aside, owner);
    const all = [current, previous, ...aside];
    this.#seq = Math.max(0, ...all.map((found) => (found.kind === "good" ? found.header.seq : 0)));
    this.#keepable = current.kind === "good" && loaded !== "previous";

    // With an unusable key nothing opens, and that is not the files' fault: they stay.
    const keyless = key.problem?.code === "KEY_FILE";
    let problem = key.problem;
    for (const [name, found] of [
      [CURRENT, current],
      [PREVIOUS, previous],
    ] as const) {
      if (found.kind !== "bad" || found.passing || keyless) continue;
      const errno = await quarantine.take(name, found.reason, clock.wall());
      if (errno !== undefined) {
        problem ??= new AgentError("STORE_READ.stuck", { file: name, fault: found.reason, errno });
      }
    }
    if (quarantine.taken > 0) {
      // Or the next state could take the damaged one's name on the disk before that has got its new one.
      await this.confirm().catch(() => log.debug("STORE_QUARANTINE_NOT_SYNCED"));
    }
    await quarantine.trim();
    const details = problem === undefined ? {} : { problem };
    const quarantined = quarantine.files.length;
    const copyDamaged = loaded === "current" && previous.kind === "bad" && !previous.passing;
    this.#report = {
      ...{ loaded: keyless ? "empty" : loaded, quarantined, copyDamaged, settle: settle && !keyless },
      ...details,
    };
    if (!keyless && loaded !== "current" && loaded !== "empty")
      log.warn("STORE_RECOVERED", { loaded, generation: state.generation });
    return state;
  }

  /**
   * Makes the names in the directory durable as they were read. A writer that was killed between its rename and its fsync has
   * left a state that every program sees and a power cut would still take away. Throws STORE_WRITE.
   */
  async confirm(): Promise<void> {
    try {
      await syncDirectory(this.#options.fileSystem, this.#options.directory);
    } catch (error) {
      throw notWritten(error, this.#options.directory);
    }
  }

  /** Resolves when the state is on the medium, under its name. Throws STORE_WRITE; the old file is then still good. */
  async write(state: State): Promise<void> {
    const { directory, random, fileSystem, owner, key } = this.#options;
    try {
      const header = { identity: owner.identity, ...describe(state), seq: this.#seq + 1 };
      const bytes = seal(Buffer.from(JSON.stringify(state)), await key.durable(), header, random.bytes(12));
      const temporary = temporaryName(directory, "state", random.bytes(8));
      await createDurably(fileSystem, temporary, bytes);
      try {
        if (this.#keepable) await this.#keepPrevious();
        await fileSystem.rename(temporary, this.#current);
      } catch (error) {
        await discard(fileSystem, temporary);
        throw error;
      }
      this.#seq = header.seq;
      if (this.#keepable) this.#report = { ...this.#report, copyDamaged: false };
      this.#keepable = true;
      await syncDirectory(fileSystem, directory);
    } catch (error) {
      throw notWritten(error, directory);
    }
  }

  /** A second name for the present file, put in the older one's place: at no instant is there no present file. */
  async #keepPrevious(): Promise<void> {
    const { directory, random, fileSystem } = this.#options;
    const temporary = temporaryName(directory, "previous", random.bytes(8));
    try {
      await fileSystem.link(this.#current, temporary);
    } catch (error) {
      if (CANNOT_LINK.has(systemCode(error) ?? "")) return;
      throw error;
    }
    try {
      await fileSystem.rename(temporary, this.#previous);
    } finally {
      // rename(2) does nothing when both names are one file already, as after a crash between here and the next rename.
      await discard(fileSystem, temporary);
    }
  }

  async #judge(file: string): Promise<Found> {
    return judge(await readSmallFile(this.#options.fileSystem, file, LARGEST_ENVELOPE), this.#options.key.key);
  }

  /** Clears what a crash has left half-made. The names that stay. */
  async #tidy(): Promise<string[]> {
    const { directory, fileSystem } = this.#options;
    let names: string[];
    try {
      names = await fileSystem.readdir(directory);
    } catch (error) {
      this.#options.log.warn("STORE_DIRECTORY_UNREADABLE", { directory, errno: systemCode(error) });
      return [];
    }
    for (const name of names) if (isTemporaryName(name)) await discard(fileSystem, path.join(directory, name));
    return names;
  }
}

/** The same words for the same failure, whatever the temporary file was called. */
function notWritten(error: unknown, directory: string): AgentError {
  const { syscall } = (error ?? {}) as { syscall?: unknown };
  if (error instanceof AgentError) return error;
  const errno = systemCode(error);
  if (errno === undefined) return asAgentError(error, "STORE_WRITE");
  return new AgentError("STORE_WRITE", { directory, errno, syscall: String(syscall ?? "?") }, { cause: error });
}
