import path from "node:path";
import type { Entropy } from "../entropy.ts";
import { AgentError, systemCode } from "../errors.ts";
import {
  createDurably,
  discard,
  type FileSystem,
  readSmallFile,
  type SmallFile,
  syncDirectory,
  temporaryName,
} from "../files/file-system.ts";
import { deriveKey, type SealKey } from "./envelope.ts";

export interface StoreKeyOptions {
  readonly directory: string;
  readonly keyFile?: string;
  /** `$CREDENTIALS_DIRECTORY`: systemd guards it, so the mode of its files is not looked at. */
  readonly credentialsDirectory?: string;
  readonly fileSystem: FileSystem;
  readonly entropy: Entropy;
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
    const key = new StoreKey(options, options.entropy.bytes(32), false);
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
    const { directory, entropy, fileSystem } = this.#options;
    const temporary = temporaryName(directory, "store-key", entropy.bytes(8));
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
export async function peekKey(options: Omit<StoreKeyOptions, "entropy">): Promise<SealKey | "missing"> {
  const given = await readGiven(options);
  if (given !== undefined) return deriveKey(given);
  const file = path.join(options.directory, OWN_KEY);
  const found = await readSmallFile(options.fileSystem, file, LARGEST_KEY_FILE);
  return found.kind === "missing" ? found.kind : deriveKey(usable(file, found, "own"));
}

async function readGiven(options: Omit<StoreKeyOptions, "entropy">): Promise<Buffer | undefined> {
  const { keyFile, credentialsDirectory, fileSystem } = options;
  const credential = credentialsDirectory === undefined ? undefined : path.join(credentialsDirectory, "store-key");
  const file = keyFile ?? credential;
  if (file === undefined) return undefined;
  const found = await readSmallFile(fileSystem, file, LARGEST_KEY_FILE);
  if (found.kind === "missing" && keyFile === undefined) return undefined;
  const guarded = credentialsDirectory !== undefined && isInside(credentialsDirectory, file);
  return usable(file, found, guarded ? "guarded" : "given");
}

/** Each fault with the one thing to do about it, after a colon (agent/words/seal-key.ts). */
function usable(file: string, found: SmallFile, whose: "own" | "given" | "guarded"): Buffer {
  const refuse = (what: string) => new AgentError("KEY_FILE", `the key file ${file} ${what}`, { context: { file } });
  const restore =
    whose === "own"
      ? `put the former key back or, if it is lost, rm -r ${file}, and the agent makes a new one`
      : `put the former key back or, if it is lost, make one, umask 077; head -c 32 /dev/urandom > ${file}`;
  if (found.kind === "missing") throw refuse("is missing: create it or correct store.key_file");
  if (found.kind === "refused") {
    const { reason, passing } = found;
    if (reason === "EACCES" || reason === "EPERM")
      throw refuse(`is another user's: give it to the agent's user, chown facepay-agent ${file}`);
    if (passing) throw refuse(`cannot be read (${reason}): look after the storage, it may be failing`);
    throw refuse(`is no key (${reason}): ${restore}`);
  }
  if (whose !== "guarded" && (found.mode & 0o077) !== 0) {
    throw refuse(`may be read by others: run chmod ${whose === "own" ? "0600" : "0400"} ${file}`);
  }
  if (found.bytes.length < SHORTEST_KEY) {
    throw refuse(`holds ${found.bytes.length} octets, a key at least ${SHORTEST_KEY}: ${restore}`);
  }
  return found.bytes;
}

function storeKeyProblem(error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  const code = systemCode(error) ?? "unknown error";
  return new AgentError("STORE_WRITE", `no key file can be made (${code})`, { cause: error, context: { errno: code } });
}

function isInside(directory: string, file: string): boolean {
  const relative = path.relative(directory, file);
  return relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
}
