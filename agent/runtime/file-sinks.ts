import { unlink } from "node:fs/promises";
import { type Clock, orLate } from "../common/clock.ts";
import { systemCode } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import type { Config, Identity } from "../config/config.ts";
import type { CredentialService } from "../credential/credential-types.ts";

export interface FileSinksParts {
  readonly credentials: Pick<CredentialService, "view" | "subscribe">;
  readonly identity: () => Identity | undefined;
  readonly renderMetrics: () => Promise<string>;
  /** Told why a file cannot be written, and with undefined when it can again or is not wanted any more. */
  readonly onTrouble: (code: "FILE_COPY_FAILED" | "METRICS_TEXTFILE_FAILED", reason: string | undefined) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface WantedFiles extends Pick<Config, "fileCopy"> {
  readonly metrics: Pick<Config["metrics"], "textfile">;
}

/** Ending waits no longer for a disk that hangs. */
const END_MS = 1_000;

/** The copy of the authinfo and the metrics file, as far as the configuration in force wants them (specification 2). */
export class FileSinks {
  readonly #parts: FileSinksParts;
  #stop = new AbortController();
  /** What the configuration in force wants written. */
  #wanted: ReadonlySet<string> = new Set();
  #textfile: string | undefined;
  /** By path, the end of all that has been begun with it: writers and removals one after the other, though a disk may hang in any of them. */
  readonly #ends = new Map<string, Promise<void>>();

  constructor(parts: FileSinksParts) {
    this.#parts = parts;
  }

  /**
   * Takes up another configuration. A file that it does not name is removed: it would go on showing an authinfo that is long over, to
   * whoever it once was meant for.
   */
  async use({ fileCopy: place, metrics: { textfile } }: WantedFiles): Promise<void> {
    const { credentials, identity, renderMetrics: render, onTrouble, clock, log } = this.#parts;
    const former = this.#wanted;
    this.stop();
    this.#stop = new AbortController();
    this.#wanted = new Set([place?.path, textfile].filter((path) => path !== undefined));
    this.#textfile = textfile;
    const { signal } = this.#stop;
    for (const path of former) if (!this.#wanted.has(path)) this.#then(path, () => this.#remove(path));
    // What the last write of a former writer has met says nothing of this configuration.
    const troubleOf = (code: Parameters<typeof onTrouble>[0]) => (reason: string | undefined) => {
      if (!signal.aborted) onTrouble(code, reason);
    };
    if (place) {
      const { startFileCopy } = await import("../api/file-copy.ts");
      const trouble = troubleOf("FILE_COPY_FAILED");
      this.#then(place.path, () =>
        startFileCopy({ place, credentials, identity, clock, log, signal, onTrouble: trouble }),
      );
    } else onTrouble("FILE_COPY_FAILED", undefined);
    if (textfile) {
      const { startTextfile } = await import("./metrics/textfile.ts");
      const trouble = troubleOf("METRICS_TEXTFILE_FAILED");
      this.#then(textfile, () => startTextfile({ path: textfile, render, clock, log, signal, onTrouble: trouble }));
    } else onTrouble("METRICS_TEXTFILE_FAILED", undefined);
  }

  /** Writes no more. */
  stop(): void {
    this.#stop.abort();
  }

  /**
   * The clean end. The copy stays for the apps that read it, for a restart must not take it away; metrics of an agent that has ended would
   * go on telling of one that works.
   */
  async end(): Promise<void> {
    this.stop();
    const textfile = this.#textfile;
    if (textfile === undefined) return;
    this.#wanted = new Set();
    this.#then(textfile, () => this.#remove(textfile));
    await orLate(this.#ends.get(textfile) ?? Promise.resolve(), END_MS, this.#parts.clock);
  }

  /** The next thing with this path begins when the one before has ended; a disk that hangs holds up no other path. */
  #then(path: string, act: () => Promise<void>): void {
    const end = (this.#ends.get(path) ?? Promise.resolve()).then(act);
    this.#ends.set(path, end);
    void end.then(() => {
      if (this.#ends.get(path) === end) this.#ends.delete(path);
    });
  }

  async #remove(path: string): Promise<void> {
    // ValidatedRequest again by the time its last writer has ended: the next one is waiting already.
    if (this.#wanted.has(path)) return;
    try {
      await unlink(path);
      this.#parts.log.info("OPTIONAL_FILE_REMOVED", { path });
    } catch (error) {
      const reason = systemCode(error) ?? "unknown";
      if (reason !== "ENOENT") this.#parts.log.warn("OPTIONAL_FILE_LEFT", { path, reason });
    }
  }
}
