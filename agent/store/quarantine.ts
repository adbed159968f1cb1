import path from "node:path";
import { systemCode } from "../common/errors.ts";
import type { FileSystem } from "../common/files/file-system.ts";
import type { Log } from "../common/log/log.ts";

const LIMIT = 3;
const NAME = /^state\.corrupt-[0-9TZ]+(-\d+)?$/;

/** Of the names in a directory those of files that were moved aside, oldest first. */
export function quarantinedNames(names: readonly string[]): string[] {
  return names.filter((name) => NAME.test(name)).sort();
}

/** What could not be opened is moved aside, never overwritten: `state.corrupt-<time>`, the newest three are kept. */
export class Quarantine {
  readonly #directory: string;
  readonly #fs: FileSystem;
  readonly #log: Log;
  #names: string[];
  #taken = 0;

  constructor(directory: string, names: readonly string[], fs: FileSystem, log: Log) {
    this.#directory = directory;
    this.#fs = fs;
    this.#log = log;
    this.#names = quarantinedNames(names);
  }

  /** How many have been moved aside by this one. */
  get taken(): number {
    return this.#taken;
  }

  get files(): readonly string[] {
    return this.#names.map((name) => path.join(this.#directory, name));
  }

  /** Resolves to the errno when the file cannot be moved, else to undefined. */
  async take(name: string, reason: string, wallMs: number): Promise<string | undefined> {
    const target = this.#freeName(wallMs);
    try {
      await this.#fs.rename(path.join(this.#directory, name), path.join(this.#directory, target));
    } catch (error) {
      const errno = systemCode(error) ?? "unknown error";
      this.#log.error("STORE_QUARANTINE_FAILED", { file: name, reason, errno });
      return errno;
    }
    this.#names.push(target);
    this.#taken++;
    this.#log.warn("STORE_QUARANTINED", { file: name, reason, kept_as: target });
    return undefined;
  }

  /** Removes what is too much. The list is oldest first; what was taken in this run stands last, whatever the clock said then. */
  async trim(): Promise<void> {
    while (this.#names.length > LIMIT) {
      const oldest = this.#names.shift() ?? "";
      try {
        await this.#fs.rm(path.join(this.#directory, oldest), { recursive: true, force: true });
      } catch (error) {
        this.#log.warn("STORE_QUARANTINE_FULL", { file: oldest, errno: systemCode(error) });
      }
    }
  }

  /** The time in UTC without the characters that a file name on other systems may not hold. */
  #freeName(wallMs: number): string {
    const stem = `state.corrupt-${new Date(wallMs).toISOString().replaceAll(/[-:.]/g, "")}`;
    let name = stem;
    for (let n = 2; this.#names.includes(name); n++) name = `${stem}-${n}`;
    return name;
  }
}
