import { constants, open, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { type Clock, withDeadline } from "../../common/clock.ts";
import { systemCode } from "../../common/errors.ts";
import { temporaryName } from "../../common/files/file-system.ts";
import type { Random } from "../../common/random.ts";

export type WriteProbe =
  /** `fsyncMs` in the order they were made. */
  | { readonly kind: "written"; readonly fsyncMs: readonly number[]; readonly totalMs: number }
  | { readonly kind: "refused"; readonly errno: string; readonly step: string };

/** O_TMPFILE of open(2), which Node does not name: the same bit on x86 and arm64, together with O_DIRECTORY. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** A file system or kernel that has no nameless files (vfat, some overlays). */
const NO_NAMELESS = new Set(["EOPNOTSUPP", "ENOTSUP", "EISDIR", "ENOENT", "EINVAL"]);
const OCTETS = 4_096;
const ROUNDS = 8;
const ENOUGH_MS = 1_500;
/** A disk that hangs is a finding, not a check that was late. The agent itself announces after 2 s that it does not answer. */
const HANGING_MS = 4_000;

/**
 * Writes, flushes and reads back a few pages in the directory, as the agent does when it keeps an authinfo. The file has no
 * name, so that nothing of it can stay, however this process ends. Where that is not possible the name is taken away before
 * the first octet is written; a process that is killed in between leaves an empty file that the agent's next start clears.
 */
export async function probeWriting(directory: string, clock: Clock, random: Random): Promise<WriteProbe> {
  const startedAt = clock.boot();
  let step = "open";
  const writing = async (): Promise<WriteProbe> => {
    await using file = await openNameless(directory, random);
    const fsyncMs: number[] = [];
    for (let round = 0; round < ROUNDS && clock.boot() - startedAt < ENOUGH_MS; round++) {
      const page = random.bytes(OCTETS);
      const at = clock.boot();
      step = "write";
      const { bytesWritten } = await file.write(page, 0, OCTETS, round * OCTETS);
      if (bytesWritten !== OCTETS) return { kind: "refused", errno: "ENOSPC", step };
      step = "fsync";
      await file.sync();
      fsyncMs.push(clock.boot() - at);
      step = "read";
      const { buffer, bytesRead } = await file.read(Buffer.alloc(OCTETS), 0, OCTETS, round * OCTETS);
      if (bytesRead !== OCTETS || !buffer.equals(page)) return { kind: "refused", errno: "EIO", step: "read back" };
    }
    return { kind: "written", fsyncMs, totalMs: clock.boot() - startedAt };
  };
  const hanging = () => Object.assign(new Error("the disk does not answer"), { code: "ETIMEDOUT" });
  try {
    return await withDeadline(writing(), HANGING_MS, clock, hanging);
  } catch (error) {
    return { kind: "refused", errno: systemCode(error) ?? String(error), step };
  }
}

async function openNameless(directory: string, random: Random) {
  // A missing directory is told as such, not taken for a missing feature.
  await stat(directory);
  try {
    return await open(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch (error) {
    if (!NO_NAMELESS.has(systemCode(error) ?? "")) throw error;
  }
  const name = temporaryName(directory, "probe", random.bytes(8));
  const file = await open(path.resolve(name), constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await unlink(name);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The value that 95 of 100 do not exceed; of a few values the greatest. */
export function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? 0;
}
