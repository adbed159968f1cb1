import { constants } from "node:fs";
import path from "node:path";
import type { FileSystem, OpenFile } from "../../agent/common/files/file-system.ts";
import type { Chance } from "../support/faults/seeded.ts";
import type { ProcessClock } from "./virtual-time.ts";

interface Inode {
  /** What programs read. */
  content: Buffer;
  /** What is on the medium for certain; undefined when nothing has been synced since the last change. */
  synced: Buffer | undefined;
  /** What the medium held before the changes that have not been synced. */
  durable: Buffer;
  readonly mode: number;
}

/** A change of the directory that is not on the medium yet. */
interface NameChange {
  readonly put?: readonly [name: string, file: Inode];
  readonly remove?: string;
}

export type DiskTrouble = "none" | "full" | "read_only" | "io_error" | "hang" | "slow";

const SECTOR = 512;
const EMPTY = Buffer.alloc(0);

/**
 * One directory on a disk that may be full, slow, hanging or refuse to be written, and that may lose power: of what was not synced then any part may be
 * left. Programs and the medium are kept apart as the page cache keeps them apart.
 */
export class SimulatedDisk {
  readonly directory: string;
  readonly #chance: Chance;
  trouble: DiskTrouble = "none";
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #pending: NameChange[] = [];
  #untroubled = Promise.withResolvers<void>();
  /** Writes and syncs that have come to the disk. */
  writes = 0;

  constructor(directory: string, chance: Chance) {
    this.directory = directory;
    this.#chance = chance;
  }

  mend(): void {
    this.trouble = "none";
    this.#untroubled.resolve();
    this.#untroubled = Promise.withResolvers();
  }

  /** What a program reads in a file now. */
  contentOf(name: string): Buffer | undefined {
    return this.#names.get(name)?.content;
  }

  /** An octet of a stored file has changed by itself. False when there is no such file. */
  rot(name: string): boolean {
    const file = this.#names.get(name);
    if (file === undefined || file.content.length === 0) return false;
    const content = Buffer.from(file.content);
    const at = this.#chance.below(content.length);
    content[at] = (content[at] ?? 0) ^ (1 << this.#chance.below(8));
    const rotten = { ...file, content, synced: content, durable: content };
    for (const names of [this.#names, this.#durableNames]) if (names.has(name)) names.set(name, rotten);
    return true;
  }

  /** The power is gone. What had not been synced is there in any part, in the order of what builds upon what. */
  losePower(): void {
    const names = new Map(this.#durableNames);
    for (const { put, remove } of this.#pending) {
      if (this.#chance.unit() < 0.5) continue;
      if (put !== undefined) names.set(...put);
      // A rename may leave the old name behind.
      if (remove !== undefined && this.#chance.unit() < 0.7) names.delete(remove);
    }
    const left = new Map<Inode, Inode>();
    for (const file of names.values()) left.set(file, this.#afterLoss(file));
    this.#names = new Map([...names].map(([name, file]) => [name, left.get(file) ?? file]));
    this.#durableNames = new Map(this.#names);
    this.#pending = [];
  }

  #afterLoss(file: Inode): Inode {
    const content = file.synced ?? this.#torn(file.durable, file.content);
    return { ...file, content, synced: content, durable: content };
  }

  #torn(old: Buffer, whole: Buffer): Buffer {
    const cut = SECTOR * this.#chance.below(Math.floor(whole.length / SECTOR) + 1);
    switch (this.#chance.below(5)) {
      case 0:
        return old;
      case 1:
        return whole;
      case 2:
        return whole.subarray(0, cut);
      case 3:
        return Buffer.concat([whole.subarray(0, cut), Buffer.alloc(whole.length - cut)]);
      default: {
        const garbled = Buffer.from(whole);
        for (let at = cut; at < Math.min(cut + SECTOR, whole.length); at++) garbled[at] = this.#chance.below(256);
        return garbled;
      }
    }
  }

  /** The disk as one process has it: what a dead one has asked for does not happen any more. */
  for(clock: ProcessClock): FileSystem {
    const look = () => this.#wait(clock, 0);
    const write = async (syscall: string) => {
      this.writes++;
      await this.#wait(clock, 1);
      if (this.trouble === "full") throw systemError("ENOSPC", syscall);
      if (this.trouble === "read_only") throw systemError("EROFS", syscall);
      if (this.trouble === "io_error") throw systemError("EIO", syscall);
    };
    return {
      open: async (file, flags, mode = 0o666) => {
        const creates = (flags & constants.O_CREAT) !== 0;
        await (creates ? write("open") : look());
        if (path.resolve(file) === this.directory) return this.#openDirectory(write);
        const name = this.#nameOf(file);
        const found = this.#names.get(name);
        if (found === undefined && !creates) throw systemError("ENOENT", "open");
        if (found !== undefined && (flags & constants.O_EXCL) !== 0) throw systemError("EEXIST", "open");
        const made = found ?? { content: EMPTY, synced: EMPTY, durable: EMPTY, mode };
        if (found === undefined) this.#change({ put: [name, made] });
        return this.#openFile(made, write);
      },
      link: async (existing, added) => {
        await write("link");
        const file = this.#existing(existing, "link");
        if (this.#names.has(this.#nameOf(added))) throw systemError("EEXIST", "link");
        this.#change({ put: [this.#nameOf(added), file] });
      },
      rename: async (from, to) => {
        await write("rename");
        const file = this.#existing(from, "rename");
        if (this.#names.get(this.#nameOf(to)) === file) return;
        this.#change({ put: [this.#nameOf(to), file], remove: this.#nameOf(from) });
      },
      unlink: async (file) => {
        if (this.trouble === "full") await look();
        else await write("unlink");
        this.#existing(file, "unlink");
        this.#change({ remove: this.#nameOf(file) });
      },
      readdir: async () => {
        await look();
        return [...this.#names.keys()];
      },
      rm: async (file) => {
        await write("unlink");
        if (this.#names.has(this.#nameOf(file))) this.#change({ remove: this.#nameOf(file) });
      },
    };
  }

  async #wait(clock: ProcessClock, ms: number): Promise<void> {
    while (this.trouble === "hang") {
      await this.#untroubled.promise;
      // Of a process that has been killed meanwhile nothing comes.
      await clock.sleep(1);
    }
    if (this.trouble === "slow") await clock.sleep(200 + this.#chance.below(1_500));
    else if (ms > 0) await clock.sleep(ms + this.#chance.below(20));
  }

  #openDirectory(write: (syscall: string) => Promise<void>): OpenFile {
    const refuse = () => Promise.reject(systemError("EISDIR", "read"));
    return {
      stat: async () => ({ isFile: () => false, size: 0, mode: 0o40_700 }),
      ...{ read: refuse, writeFile: refuse },
      sync: async () => {
        const settled = this.#pending.length;
        await write("fsync");
        for (const change of this.#pending.splice(0, settled)) apply(this.#durableNames, change);
      },
      close: async () => undefined,
    };
  }

  #openFile(file: Inode, write: (syscall: string) => Promise<void>): OpenFile {
    return {
      stat: async () => ({ isFile: () => true, size: file.content.length, mode: 0o100_000 | file.mode }),
      read: async (buffer, offset, length, position) => ({
        bytesRead: file.content.copy(buffer, offset, position, position + length),
      }),
      writeFile: async (bytes) => {
        try {
          await write("write");
        } catch (error) {
          // A disk that fills up takes what still fits.
          file.content = Buffer.concat([file.content, bytes.subarray(0, this.#chance.below(bytes.length))]);
          file.synced = undefined;
          throw error;
        }
        file.content = Buffer.concat([file.content, bytes]);
        file.synced = undefined;
      },
      sync: async () => {
        const { content } = file;
        await write("fsync");
        file.durable = content;
        if (file.content === content) file.synced = content;
      },
      close: async () => undefined,
    };
  }

  #change(change: NameChange): void {
    apply(this.#names, change);
    this.#pending.push(change);
  }

  #existing(file: string, syscall: string): Inode {
    const found = this.#names.get(this.#nameOf(file));
    if (found === undefined) throw systemError("ENOENT", syscall);
    return found;
  }

  #nameOf(file: string): string {
    if (path.dirname(path.resolve(file)) !== this.directory) throw systemError("ENOENT", "open");
    return path.basename(file);
  }
}

function apply(names: Map<string, Inode>, { put, remove }: NameChange): void {
  if (put !== undefined) names.set(...put);
  if (remove !== undefined) names.delete(remove);
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });
}
