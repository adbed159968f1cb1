import { type FileSystem, nodeFileSystem, type OpenFile } from "../../../agent/common/files/file-system.ts";

/**
 * The real file system, of which the call number `failAt` (counted from 1, every operation on files and open files counts)
 * fails with `code`, and with `forGood` every later one that would change something.
 */
export class FailingFiles implements FileSystem {
  calls = 0;
  failAt = Number.POSITIVE_INFINITY;
  code = "EIO";
  forGood = false;
  readonly trace: string[] = [];

  arm(failAt: number, code: string, forGood = false): void {
    this.calls = 0;
    this.trace.length = 0;
    Object.assign(this, { failAt, code, forGood });
  }

  disarm(): void {
    this.arm(Number.POSITIVE_INFINITY, "EIO");
  }

  async open(path: string, flags: number, mode?: number): Promise<OpenFile> {
    this.#count(mode === undefined ? "open" : "create");
    const handle = await nodeFileSystem.open(path, flags, mode);
    const counted =
      <A extends unknown[], R>(what: string, call: (...args: A) => Promise<R>) =>
      async (...args: A) => {
        this.#count(what);
        return call(...args);
      };
    return {
      stat: counted("fstat", () => handle.stat()),
      read: counted("read", (...args) => handle.read(...args)),
      writeFile: counted("write", (bytes) => handle.writeFile(bytes)),
      sync: counted("fsync", () => handle.sync()),
      close: async () => {
        // close(2) lets go of the descriptor even when it reports an error.
        await handle.close();
        this.#count("close");
      },
    };
  }

  async link(existing: string, added: string): Promise<void> {
    this.#count("link");
    await nodeFileSystem.link(existing, added);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#count("rename");
    await nodeFileSystem.rename(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.#count("unlink");
    await nodeFileSystem.unlink(path);
  }

  async readdir(path: string): Promise<string[]> {
    this.#count("readdir");
    return nodeFileSystem.readdir(path);
  }

  async rm(path: string, options: { recursive: true; force: true }): Promise<void> {
    this.#count("rm");
    await nodeFileSystem.rm(path, options);
  }

  #count(what: string): void {
    this.calls++;
    this.trace.push(what);
    const changes = !["open", "read", "fstat", "readdir", "close"].includes(what);
    if (this.calls === this.failAt || (this.forGood && changes && this.calls > this.failAt)) {
      throw Object.assign(new Error(`${this.code}: made by the test, ${what}`), { code: this.code, syscall: what });
    }
  }
}
