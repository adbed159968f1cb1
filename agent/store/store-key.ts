import path from "node:path";
import { AgentError, errnoOf, systemCode } from "../common/errors.ts";
import {
  createDurably,
  discard,
  type FileSystem,
  readSmallFile,
  type SmallFile,
  syncDirectory,
  temporaryName,
} from "../common/files/file-system.ts";
import type { Random } from "../common/random.ts";
import { deriveKey, type SealKey } from "./envelope.ts";

export interface StoreKeyOptions {
  readonly directory: string;
  readonly keyFile?: string;
  /** `$CREDENTIALS_DIRECTORY`: systemd guards it, so the mode of its files is not looked at. */
  readonly credentialsDirectory?: string;
  readonly fileSystem: FileSystem;
  readonly random: Random;
}

const SHORTEST_KEY = 16;
const LARGEST_KEY_FILE = 64 * 1024;
const OWN_KEY = "store.key";

/**
 * The key of the seal: `keyFile`, else `<credentialsDirectory>/store-key`, else a file of our own beside the state. A
 * given key that cannot be used is an error (KEY_FILE), since a person chose it. Our own never prevents a start: while it
 * cannot be read or made, the key in memory serves, and `durable()` fails.
 */
export class StoreKey {
  #key: SealKey;
  /** It is the one in the key file. */
  #obtained: boolean;
  /** And the name of that file is on the medium. */
  #durable: boolean;
  #material: Buffer;
  #problem: AgentError | undefined;
  readonly #options: StoreKeyOptions;

  static async open(options: StoreKeyOptions): Promise<StoreKey> {
    const given = await readGiven(options);
    if (given !== undefined) return new StoreKey(options, given, true);
    const key = new StoreKey(options, options.random.bytes(32), false);
    try {
      await key.#obtain();
    } catch (error) {
      key.#problem = storeKeyProblem(error);
    }
    return key;
  }

  private constructor(options: StoreKeyOptions, material: Buffer, given: boolean) {
    this.#options = options;
    this.#material = material;
    this.#key = deriveKey(material);
    this.#obtained = given;
    this.#durable = given;
  }

  /** The key as it is now; in memory only while `problem` is there. */
  get key(): SealKey {
    return this.#key;
  }

  /** KEY_FILE: our own key file is there but cannot be used, so what it sealed must be left alone. */
  get problem(): AgentError | undefined {
    return this.#problem;
  }

  /** The key once it is on the medium: what is sealed with another one could never be opened again. */
  async durable(): Promise<SealKey> {
    if (!this.#obtained) await this.#obtain();
    // Who made the file may have been killed before its name was synced.
    if (!this.#durable) await this.#sync();
    return this.#key;
  }

  /** Takes up our own key file, or makes it; only in the latter case it is then known to be durable. */
  async #obtain(): Promise<void> {
    const file = path.join(this.#options.directory, OWN_KEY);
    let found = await readSmallFile(this.#options.fileSystem, file, LARGEST_KEY_FILE);
    if (found.kind === "missing") {
      const made = await this.#make(file);
      if (made) await this.#sync();
      else found = await readSmallFile(this.#options.fileSystem, file, LARGEST_KEY_FILE);
    }
    if (found.kind !== "missing") {
      this.#material = usable(file, found, "own");
      this.#key = deriveKey(this.#material);
    }
    this.#obtained = true;
    this.#problem = undefined;
  }

  /** False when a key file has appeared meanwhile: link(2), unlike rename(2), never replaces one. */
  async #make(file: string): Promise<boolean> {
    const { directory, random, fileSystem } = this.#options;
    const temporary = temporaryName(directory, "store-key", random.bytes(8));
    await createDurably(fileSystem, temporary, this.#material);
    try {
      await fileSystem.link(temporary, file);
    } catch (error) {
      if (systemCode(error) === "EEXIST") return false;
      throw error;
    } finally {
      await discard(fileSystem, temporary);
    }
    return true;
  }

  async #sync(): Promise<void> {
    await syncDirectory(this.#options.fileSystem, this.#options.directory);
    this.#durable = true;
  }
}

/**
 * The key for one who only looks: none is made. "missing" when our own has not been made yet, or is lost. Throws KEY_FILE for one
 * that cannot be used.
 */
export async function peekKey(options: Omit<StoreKeyOptions, "random">): Promise<SealKey | "missing"> {
  const given = await readGiven(options);
  if (given !== undefined) return deriveKey(given);
  const file = path.join(options.directory, OWN_KEY);
  const found = await readSmallFile(options.fileSystem, file, LARGEST_KEY_FILE);
  return found.kind === "missing" ? found.kind : deriveKey(usable(file, found, "own"));
}

async function readGiven(options: Omit<StoreKeyOptions, "random">): Promise<Buffer | undefined> {
  const { keyFile, credentialsDirectory, fileSystem } = options;
  const credential = credentialsDirectory === undefined ? undefined : path.join(credentialsDirectory, "store-key");
  const file = keyFile ?? credential;
  if (file === undefined) return undefined;
  const found = await readSmallFile(fileSystem, file, LARGEST_KEY_FILE);
  if (found.kind === "missing" && keyFile === undefined) return undefined;
  const guarded = credentialsDirectory !== undefined && isInside(credentialsDirectory, file);
  return usable(file, found, guarded ? "guarded" : "given");
}

function usable(file: string, found: SmallFile, whose: "own" | "given" | "guarded"): Buffer {
  const own = whose === "own";
  if (found.kind === "missing") throw new AgentError("KEY_FILE.missing", { file });
  if (found.kind === "refused") {
    const { reason, passing } = found;
    if (reason === "EACCES" || reason === "EPERM") throw new AgentError("KEY_FILE.owner", { file });
    if (passing) throw new AgentError("KEY_FILE.storage", { file, errno: reason });
    throw new AgentError("KEY_FILE.not_key", { file, fault: reason, own });
  }
  if (whose !== "guarded" && (found.mode & 0o077) !== 0) {
    throw new AgentError("KEY_FILE.open_to_others", { file, mode: own ? "0600" : "0400" });
  }
  if (found.bytes.length < SHORTEST_KEY) {
    throw new AgentError("KEY_FILE.short", { file, octets: found.bytes.length, least: SHORTEST_KEY, own });
  }
  return found.bytes;
}

function storeKeyProblem(error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  return new AgentError("STORE_WRITE.key", { errno: errnoOf(error) }, { cause: error });
}

function isInside(directory: string, file: string): boolean {
  const relative = path.relative(directory, file);
  return relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
}
