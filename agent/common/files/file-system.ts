import { constants, link, mkdir, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { systemCode } from "../errors.ts";

/** The few operations the store is made of. A seam, so that a test can fail or lose any one of them. */
export interface FileSystem {
  open(path: string, flags: number, mode?: number): Promise<OpenFile>;
  link(existing: string, added: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  rm(path: string, options: { recursive: true; force: true }): Promise<void>;
}

export interface OpenFile {
  stat(): Promise<{ isFile(): boolean; readonly size: number; readonly mode: number }>;
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  writeFile(bytes: Buffer): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export const nodeFileSystem: FileSystem = {
  open,
  link,
  rename,
  unlink,
  readdir: (directory) => readdir(directory),
  rm,
};

export type SmallFile =
  | { readonly kind: "read"; readonly bytes: Buffer; readonly mode: number }
  | { readonly kind: "missing" }
  /** `passing`: this process is short of something; the file itself may be sound. */
  | { readonly kind: "refused"; readonly reason: string; readonly passing: boolean };

// O_NONBLOCK: opening a FIFO must not wait for a writer. O_NOFOLLOW: a link must not lead anywhere else.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const PASSING = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EINTR"]);

/**
 * A regular file of at most `cap` octets; whatever else is there is refused without being read. Never throws. What is refused
 * is looked at once more: an error that passes must not count as damage.
 */
export async function readSmallFile(fs: FileSystem, file: string, cap: number): Promise<SmallFile> {
  const first = await readOnce(fs, file, cap);
  return first.kind === "refused" ? await readOnce(fs, file, cap) : first;
}

async function readOnce(fs: FileSystem, file: string, cap: number): Promise<SmallFile> {
  let handle: OpenFile | undefined;
  try {
    handle = await fs.open(file, READ);
    const stat = await handle.stat();
    if (!stat.isFile()) return { kind: "refused", reason: "not_regular", passing: false };
    const { size, mode } = stat;
    if (size > cap) return { kind: "refused", reason: "too_long", passing: false };
    const bytes = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return { kind: "read", bytes: bytes.subarray(0, filled), mode };
  } catch (error) {
    const code = systemCode(error) ?? "unknown error";
    if (code === "ENOENT") return { kind: "missing" };
    if (code === "ELOOP") return { kind: "refused", reason: "symbolic_link", passing: false };
    return { kind: "refused", reason: code, passing: PASSING.has(code) };
  } finally {
    await handle?.close().catch(ignoreClose);
  }
}

/**
 * A new file, mode 0600, whose content is on the medium when this resolves (its name is not: see syncDirectory). On any
 * error the file is gone again. After a failed fsync Linux counts the pages as clean, so that descriptor is never
 * synced again (PostgreSQL's "fsyncgate"): the next try has to be a new file.
 */
export async function createDurably(fs: FileSystem, file: string, bytes: Buffer): Promise<void> {
  const handle = await fs.open(file, CREATE, 0o600);
  try {
    // FileHandle.writeFile goes on after a short write; write-file-atomic 8 commits the part and calls it a success.
    await handle.writeFile(bytes);
    const { size } = await handle.stat();
    if (size !== bytes.length) throw new Error(`${size} of ${bytes.length} octets were written`);
    await handle.sync();
    await handle.close();
  } catch (error) {
    await handle.close().catch(ignoreClose);
    await discard(fs, file);
    throw error;
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(fs: FileSystem, directory: string): Promise<void> {
  const handle = await fs.open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close().catch(ignoreClose);
  }
}

/**
 * The old file or the whole new one, mode 0600, on the medium with its name when this resolves.
 * @param what part of the temporary file's name (`isTemporaryName`)
 * @param random octets for it
 */
export async function replaceDurably(
  fs: FileSystem,
  target: string,
  bytes: Buffer,
  { what, random }: { readonly what: string; readonly random: Buffer },
): Promise<void> {
  const directory = path.dirname(target);
  const temporary = temporaryName(directory, what, random);
  try {
    await createDurably(fs, temporary, bytes);
    await fs.rename(temporary, target);
    await syncDirectory(fs, directory);
  } catch (error) {
    await discard(fs, temporary);
    throw error;
  }
}

/** Removes a temporary file; one that cannot be removed is found by the next start. */
export async function discard(fs: FileSystem, file: string): Promise<void> {
  await fs.unlink(file).catch(ignoreLeftover);
}

export function temporaryName(directory: string, what: string, random: Buffer): string {
  return path.join(directory, `.${what}.${random.toString("hex")}.tmp`);
}

export function isTemporaryName(name: string): boolean {
  return /^\.(state|previous|store-key|config|probe)\.[0-9a-f]+\.tmp$/.test(name);
}

function ignoreClose(): void {
  // The descriptor is gone either way, and what counts has been decided before: by fsync when writing.
}

function ignoreLeftover(): void {
  // It was never created, or the disk refuses: the caller's own error says so, and start-up clears leftovers.
}

/**
 * Makes a directory and what is missing above it; resolves to the uppermost one made, undefined when it was there. Not Node's recursive
 * mkdir: that asks again for ever where the system says ENOENT though the parent is there (/proc, an automount that fails), and
 * keeps the agent from its end (Node 24.21).
 */
export async function makeDirectories(directory: string, mode: number): Promise<string | undefined> {
  try {
    await mkdir(directory, mode);
    return directory;
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST" && (await stat(directory)).isDirectory()) return undefined;
    const parent = path.dirname(directory);
    if (code !== "ENOENT" || parent === directory) throw error;
    const first = await makeDirectories(parent, mode);
    // The parent was there all along: the system means it.
    if (first === undefined) throw error;
    return (await makeDirectories(directory, mode)) === undefined ? undefined : first;
  }
}
