import { setFlagsFromString } from "node:v8";

/**
 * Keeps the part of the heap where objects are born at the megabyte or two it has by then. Left alone, V8 doubles it after
 * every busy minute, up to 16 MB twice over, and gives none of that back: after 600 reloads the agent holds 110 MB with
 * it and 90 without. A busy reader pays 3 % for the more frequent sweeping.
 */
export function keepYoungSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
