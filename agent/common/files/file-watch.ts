import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import { systemCode } from "../errors.ts";

/** Renewed certificates and tokens come as new files or in place of old ones; five seconds are soon enough for them. */
const EVERY_MS = 5_000;

/** What of a file changes when it is written or exchanged; of a directory its rights count, and not what comes and goes in it. */
export type FileMark = Pick<Stats, "ino" | "size" | "mtimeMs" | "ctimeMs"> &
  Partial<Pick<Stats, "isDirectory" | "mode" | "uid" | "gid">>;

export interface FileWatch {
  readonly files: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The pause between two looks: 5 s unless told. */
  readonly everyMs?: number;
  /** `stat` of node:fs/promises unless told. */
  readonly look?: (file: string) => Promise<FileMark>;
  /** Called after a change, once the files have been at rest for one look, so that half of a pair is not taken. */
  readonly onChange: () => Promise<void>;
}

/**
 * Looks at the files at short intervals until the signal falls. Looking finds what a directory watch misses: files behind
 * links, on mounts, and in directories that are exchanged as a whole. Never rejects unless `onChange` does.
 */
export async function watchFiles({ files, clock, signal, onChange, ...how }: FileWatch): Promise<void> {
  const { everyMs = EVERY_MS, look = stat } = how;
  let taken = await fingerprint(files, look);
  let seen = taken;
  while (!signal.aborted) {
    // A rejection means the end, which the loop sees.
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const now = await fingerprint(files, look);
    const atRest = now === seen;
    seen = now;
    if (now === taken || !atRest) continue;
    taken = now;
    await onChange();
  }
}

async function fingerprint(files: readonly string[], look: (file: string) => Promise<FileMark>): Promise<string> {
  const marks = await Promise.all(
    files.map((file) =>
      look(file).then(
        (mark) => (mark.isDirectory?.() ? rightsOf(mark) : contentOf(mark)).join(":"),
        (error) => systemCode(error) ?? "unknown",
      ),
    ),
  );
  return marks.join("|");
}

const rightsOf = ({ ino, mode, uid, gid }: FileMark) => [ino, mode, uid, gid];
const contentOf = ({ ino, size, mtimeMs, ctimeMs }: FileMark) => [ino, size, mtimeMs, ctimeMs];
