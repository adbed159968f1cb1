import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "./clock.ts";

/** The first refresh has ended by then, if all is well. */
const AFTER_START_MS = 2_000;
const THEN_EVERY_MS = 30 * 60_000;

/**
 * Collects garbage soon after the start and every half hour from then on, until the signal falls. V8 would do so when much
 * more has piled up: a process at rest would keep for hours what its start, a refresh or a crowd of readers has left,
 * some 10 MB. The pause takes about 15 ms. Never rejects.
 */
export async function spareMemory(clock: Clock, signal: AbortSignal): Promise<void> {
  // A rejection means the end, which the loop sees.
  const sleep = (ms: number) => clock.sleep(ms, signal).catch(() => undefined);
  await sleep(AFTER_START_MS);
  if (signal.aborted) return;
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  while (!signal.aborted && typeof collect === "function") {
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    await sleep(THEN_EVERY_MS);
  }
}
