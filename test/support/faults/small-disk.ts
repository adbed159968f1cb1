import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A file system of its own that can be filled up, and made read-only: what a worn or full flash card is to the agent. */
export class SmallDisk implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** The reason in words where this system does not let us mount one (only root may). */
  static async mount(directory: string): Promise<SmallDisk | string> {
    await mkdir(directory);
    try {
      await execute("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", directory]);
      return new SmallDisk(directory);
    } catch (error) {
      return `a tmpfs cannot be mounted here: ${String(error).split("\n").join(" ")}`;
    }
  }

  /** Not one more octet fits on it. */
  async fill(): Promise<void> {
    for (let size = 64 * 1024; size > 0; size = size >> 1) {
      for (let number = 0; await this.#put(`filler-${size}-${number}`, size); number++);
    }
  }

  async #put(name: string, size: number): Promise<boolean> {
    const file = path.join(this.directory, name);
    try {
      await writeFile(file, Buffer.alloc(size));
      return true;
    } catch {
      // ENOSPC, which is what is wanted. The piece of a file stays: it takes room, too.
      return false;
    }
  }

  async empty(): Promise<void> {
    await execute("find", [this.directory, "-name", "filler-*", "-delete"]);
  }

  async readOnly(yes: boolean): Promise<void> {
    await execute("mount", ["-o", `remount,${yes ? "ro" : "rw"}`, this.directory]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Lazily: the agent may still have the directory open.
    await execute("umount", ["-l", this.directory]);
    await rm(this.directory, { recursive: true });
  }
}

/** Files of this process may not grow beyond `octets` from now on: a full disk that needs no root. */
export async function limitFileSize(pid: number, octets: number | "unlimited"): Promise<void> {
  await execute("prlimit", ["--pid", String(pid), `--fsize=${octets}:`]);
}

/** The same with no octet at all. Resolves to why it cannot be had on this machine, to "" where it could. */
export function refuseWrites(pid: number): Promise<string> {
  return limitFileSize(pid, 0).then(
    () => "",
    (error: unknown) => `no prlimit(1) here: ${error}`,
  );
}
