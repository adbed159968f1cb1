import { setFlagsFromString } from "node:v8";
import type { Clock } from "../common/clock.ts";
import { loadLibc } from "../common/libc.ts";

/**
 * Keeps the heap near what lives in it. Left alone, V8 doubles the part where objects are born after every busy minute, up to 16 MB
 * twice over, and gives none of that back: after 600 reloads the agent holds 110 MB with it and 90 without. A busy reader pays 3 % for
 * the more frequent sweeping. The rest it lets grow to a multiple of what lives: ten seconds of refused requests without a
 * pause left 57 MB behind, and 11 MB with growth held to 15 %. (`--optimize-for-size` left 1 MB, but made reading a third dearer.)
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--heap-growing-percent=15");
}

const GIVE_BACK_EVERY_MS = 30_000;

/**
 * Gives back to the kernel what the C library has free: buffers and sockets of a flood leave some 20 MB there, in pieces, which glibc keeps.
 * It takes about a millisecond. Where there is no such call (musl) nothing is done.
 */
export async function giveBackMemory(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(GIVE_BACK_EVERY_MS, signal);
    const libc = await loadLibc((library) => ({
      trim: library.func("int malloc_trim(size_t)") as (pad: number) => number,
    }));
    while (!signal.aborted) {
      libc.trim(0);
      await clock.sleep(GIVE_BACK_EVERY_MS, signal);
    }
  } catch {
    // The agent is stopping, or there is nothing to call.
  }
}
