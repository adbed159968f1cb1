import { constants } from "node:fs";
import path from "node:path";
import type { FileSystem, OpenFile } from "../../../agent/common/files/file-system.ts";

/** What a disk holds after a crash. Several names may lead to one file, then to the same object. */
export type Image = ReadonlyMap<string, StoredFile>;

export interface StoredFile {
  readonly content: Buffer;
  readonly mode: number;
}

/** What a program has asked of the disk so far, in order. Only a sync makes what came before it certain. */
export type Change =
  | DataChange
  | NameChange
  | { readonly kind: "sync" | "lost_sync"; readonly file: LiveFile }
  | { readonly kind: "sync_directory" };

export type DataChange =
  | { readonly kind: "truncate"; readonly file: LiveFile }
  | { readonly kind: "write"; readonly file: LiveFile; readonly at: number; readonly bytes: Buffer };

export type NameChange =
  | { readonly kind: "create" | "unlink"; readonly file: LiveFile; readonly name: string }
  | { readonly kind: "link" | "rename"; readonly file: LiveFile; readonly from: string; readonly name: string };

/** A file as programs see it; its identity is that of the inode. */
export interface LiveFile {
  content: Buffer;
  readonly mode: number;
}

/** What happens to the calls of one process. */
export interface Fate {
  /** The call with this number, counted from 1, fails. */
  readonly failAt?: number;
  readonly code?: string;
  /** The process is killed when it has made so many changes on the disk; the page cache lives on. */
  readonly killAfter?: number;
}

const EMPTY = Buffer.alloc(0);

/**
 * A directory on a disk that may lose power. It keeps apart what programs see (the page cache) and what they have asked
 * for; `crash-images.ts` tells what may be left of that. After SQLite's test6.c.
 */
export class CrashDisk {
  readonly directory: string;
  readonly base: Image;
  readonly journal: Change[] = [];
  /** Octets that still fit. */
  free = Number.POSITIVE_INFINITY;
  readonly #baseFiles = new Map<StoredFile, LiveFile>();
  readonly #names = new Map<string, LiveFile>();

  constructor(directory: string, base: Image = new Map()) {
    this.directory = directory;
    this.base = base;
    for (const [name, stored] of base) {
      const file = this.#baseFiles.get(stored) ?? { ...stored };
      this.#baseFiles.set(stored, file);
      this.#names.set(name, file);
    }
  }

  /** The files with which the journal began, and their content then. */
  get baseFiles(): { names: Map<string, LiveFile>; contents: Map<LiveFile, Buffer> } {
    const fileOf = (stored: StoredFile) => this.#baseFiles.get(stored) ?? { ...stored };
    return {
      names: new Map([...this.base].map(([name, stored]) => [name, fileOf(stored)])),
      contents: new Map([...this.#baseFiles].map(([stored, file]) => [file, stored.content])),
    };
  }

  /** What every program sees now; what the disk holds when all is written back in peace. */
  get seen(): Image {
    return copyOf(this.#names, (file) => file.content);
  }

  /** What every program saw when the change number `count` was the last. */
  seenAfter(count: number): Image {
    const { names, contents } = this.baseFiles;
    for (const change of this.journal.slice(0, count)) applyChange(names, contents, change);
    return copyOf(names, (file) => contents.get(file) ?? EMPTY);
  }

  /** The file system as one process has it. */
  process(fate: Fate = {}): CrashFiles {
    return new CrashFiles(this, this.#names, fate);
  }
}

/** The calls of one process upon the disk. */
export class CrashFiles implements FileSystem {
  /** Resolves when the process has been killed by its fate. */
  readonly killed: Promise<void>;
  /** All calls so far, the failing one included. */
  readonly trace: string[] = [];
  readonly #disk: CrashDisk;
  readonly #names: Map<string, LiveFile>;
  readonly #fate: Fate;
  readonly #kill: () => void;
  #changes = 0;

  constructor(disk: CrashDisk, names: Map<string, LiveFile>, fate: Fate) {
    this.#disk = disk;
    this.#names = names;
    this.#fate = fate;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.killed = promise;
    this.#kill = resolve;
  }

  async open(file: string, flags: number, mode = 0o666): Promise<CrashFile> {
    const create = (flags & constants.O_CREAT) !== 0;
    this.#count(create ? "create" : "open");
    if (path.resolve(file) === this.#disk.directory) return this.#openDirectory();
    const name = this.#nameOf(file);
    const found = this.#names.get(name);
    if (!found && !create) throw systemError("ENOENT", "open");
    if (found && (flags & constants.O_EXCL) !== 0) throw systemError("EEXIST", "open");
    if (found) {
      if ((flags & constants.O_TRUNC) !== 0 && found.content.length > 0) {
        await this.#change({ kind: "truncate", file: found });
        found.content = Buffer.alloc(0);
      }
      return this.#openFile(found);
    }
    const made: LiveFile = { content: EMPTY, mode };
    await this.#change({ kind: "create", file: made, name });
    this.#names.set(name, made);
    return this.#openFile(made);
  }

  async link(existing: string, added: string): Promise<void> {
    this.#count("link");
    const from = this.#nameOf(existing);
    const name = this.#nameOf(added);
    const file = this.#existing(from, "link");
    if (this.#names.has(name)) throw systemError("EEXIST", "link");
    await this.#change({ kind: "link", file, from, name });
    this.#names.set(name, file);
  }

  async rename(source: string, target: string): Promise<void> {
    this.#count("rename");
    const from = this.#nameOf(source);
    const name = this.#nameOf(target);
    const file = this.#existing(from, "rename");
    // rename(2): nothing happens when both names already lead to the same file.
    if (this.#names.get(name) === file) return;
    await this.#change({ kind: "rename", file, from, name });
    this.#names.delete(from);
    this.#names.set(name, file);
  }

  async unlink(target: string): Promise<void> {
    this.#count("unlink");
    const name = this.#nameOf(target);
    await this.#change({ kind: "unlink", file: this.#existing(name, "unlink"), name });
    this.#names.delete(name);
  }

  async readdir(): Promise<string[]> {
    this.#count("readdir");
    return [...this.#names.keys()];
  }

  async rm(target: string): Promise<void> {
    this.#count("rm");
    const name = this.#nameOf(target);
    const file = this.#names.get(name);
    if (!file) return;
    await this.#change({ kind: "unlink", file, name });
    this.#names.delete(name);
  }

  #openDirectory(): CrashFile {
    const refuse = () => Promise.reject(systemError("EISDIR", "write"));
    return {
      stat: async () => ({ isFile: () => false, size: 0, mode: 0o40_700 }),
      read: refuse,
      write: refuse,
      writeFile: refuse,
      sync: async () => {
        this.#count("fsync");
        await this.#change({ kind: "sync_directory" });
      },
      close: async () => this.#count("close"),
    };
  }

  #openFile(file: LiveFile): CrashFile {
    let end = 0;
    const append = async (bytes: Buffer) => {
      await this.#change({ kind: "write", file, at: end, bytes });
      file.content = Buffer.concat([file.content.subarray(0, end), bytes]);
      end += bytes.length;
      this.#disk.free -= bytes.length;
    };
    return {
      stat: async () => {
        this.#count("fstat");
        return { isFile: () => true, size: file.content.length, mode: 0o100_000 | file.mode };
      },
      read: async (buffer, offset, length, position) => {
        this.#count("read");
        return { bytesRead: file.content.copy(buffer, offset, position, position + length) };
      },
      write: async (bytes) => {
        this.#count("write");
        const fits = Math.min(bytes.length, this.#disk.free);
        if (fits === 0) throw systemError("ENOSPC", "write");
        await append(bytes.subarray(0, fits));
        return fits;
      },
      writeFile: async (bytes) => {
        this.#count("write");
        const fits = Math.min(bytes.length, this.#disk.free);
        if (fits > 0) await append(bytes.subarray(0, fits));
        if (fits < bytes.length) throw systemError("ENOSPC", "write");
      },
      sync: async () => {
        try {
          this.#count("fsync");
        } catch (error) {
          // Linux then counts the pages as clean: no later fsync brings them to the disk.
          await this.#change({ kind: "lost_sync", file });
          throw error;
        }
        await this.#change({ kind: "sync", file });
      },
      close: async () => this.#count("close"),
    };
  }

  #existing(name: string, syscall: string): LiveFile {
    const file = this.#names.get(name);
    if (!file) throw systemError("ENOENT", syscall);
    return file;
  }

  #nameOf(file: string): string {
    if (path.dirname(path.resolve(file)) !== this.#disk.directory) throw systemError("ENOENT", "open");
    return path.basename(file);
  }

  #count(what: string): void {
    this.trace.push(what);
    if (this.trace.length === this.#fate.failAt) throw systemError(this.#fate.code ?? "EIO", what);
  }

  async #change(change: Change): Promise<void> {
    if (this.#changes++ === this.#fate.killAfter) {
      this.#kill();
      // Nothing of this process happens any more.
      await new Promise(() => {});
    }
    this.#disk.journal.push(change);
  }
}

/** `write` is write(2) as it is: it may take less than it is given, and says how much. */
export interface CrashFile extends OpenFile {
  write(bytes: Buffer): Promise<number>;
}

/** One change takes effect on names and contents. */
export function applyChange(names: Map<string, LiveFile>, contents: Map<LiveFile, Buffer>, change: Change): void {
  if (change.kind === "rename") names.delete(change.from);
  if (change.kind === "unlink") names.delete(change.name);
  else if ("name" in change) names.set(change.name, change.file);
  else if (change.kind === "truncate") contents.set(change.file, EMPTY);
  else if (change.kind === "write") {
    const before = contents.get(change.file) ?? EMPTY;
    const end = change.at + change.bytes.length;
    contents.set(change.file, Buffer.concat([before.subarray(0, change.at), change.bytes, before.subarray(end)]));
  }
}

function copyOf(names: ReadonlyMap<string, LiveFile>, contentOf: (file: LiveFile) => Buffer): Image {
  const copies = new Map<LiveFile, StoredFile>();
  for (const file of names.values()) copies.set(file, { content: contentOf(file), mode: file.mode });
  return new Map([...names].map(([name, file]) => [name, copies.get(file) ?? file]));
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: made by the test, ${syscall}`), { code, syscall });
}
