import { unlink } from "node:fs/promises";
import type { Keeper } from "../authinfo/keeper-types.ts";
import type { Clock } from "../clock.ts";
import type { Config, Identity } from "../config/config.ts";
import { systemCode } from "../errors.ts";
import type { Log } from "../log/log.ts";

export interface OptionalFilesParts {
  readonly keeper: Pick<Keeper, "view" | "subscribe">;
  readonly identity: () => Identity | undefined;
  readonly renderMetrics: () => Promise<string>;
  /** Told why a file cannot be written, and with undefined when it can again or is not wanted any more. */
  readonly onTrouble: (code: "FILE_COPY_FAILED" | "METRICS_TEXTFILE_FAILED", reason: string | undefined) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The copy of the authinfo and the metrics file, as far as the configuration in force wants them (contract 2). */
export class OptionalFiles {
  readonly #parts: OptionalFilesParts;
  #stop = new AbortController();
  /** By path, the end of whoever writes it at present. */
  #writers = new Map<string, Promise<void>>();

  constructor(parts: OptionalFilesParts) {
    this.#parts = parts;
  }

  /**
   * Takes up another configuration. A file that it does not name is removed: it would go on showing an authinfo that is long over, to
   * whoever it once was meant for.
   */
  async use({ fileCopy: place, metrics: { textfile } }: Pick<Config, "fileCopy" | "metrics">): Promise<void> {
    const { keeper, identity, renderMetrics: render, onTrouble, clock, log } = this.#parts;
    const former = this.#writers;
    this.stop();
    this.#stop = new AbortController();
    this.#writers = new Map();
    const { signal } = this.#stop;
    // One writer per path: the next begins when the one before has ended, and a disk that hangs holds up nothing else.
    const begin = (path: string, start: () => Promise<void>) => {
      this.#writers.set(path, (former.get(path) ?? Promise.resolve()).then(start));
    };
    // What the last write of a former writer has met says nothing of this configuration.
    const troubleOf = (code: Parameters<typeof onTrouble>[0]) => (reason: string | undefined) => {
      if (!signal.aborted) onTrouble(code, reason);
    };
    if (place) {
      const { startFileCopy } = await import("../api/file-copy.ts");
      const trouble = troubleOf("FILE_COPY_FAILED");
      begin(place.path, () => startFileCopy({ place, keeper, identity, clock, log, signal, onTrouble: trouble }));
    } else onTrouble("FILE_COPY_FAILED", undefined);
    if (textfile) {
      const { startTextfile } = await import("../metrics/textfile.ts");
      const trouble = troubleOf("METRICS_TEXTFILE_FAILED");
      begin(textfile, () => startTextfile({ path: textfile, render, clock, log, signal, onTrouble: trouble }));
    } else onTrouble("METRICS_TEXTFILE_FAILED", undefined);
    for (const [path, ended] of former) {
      if (!this.#writers.has(path)) void ended.then(() => this.#remove(path));
    }
  }

  /** Writes no more. The files stay: a restart must not take them away. */
  stop(): void {
    this.#stop.abort();
  }

  async #remove(path: string): Promise<void> {
    try {
      await unlink(path);
      this.#parts.log.info("OPTIONAL_FILE_REMOVED", { path });
    } catch (error) {
      const reason = systemCode(error) ?? "unknown";
      if (reason !== "ENOENT") this.#parts.log.warn("OPTIONAL_FILE_LEFT", { path, reason });
    }
  }
}
