import { setTimeout as delay } from "node:timers/promises";
import type { Chance } from "../../test/support/faults/seeded.ts";
import type { Stage } from "./faults.ts";
import type { Judge } from "./judge.ts";
import { exchange, type HttpAnswer } from "./reader.ts";
import type { Recovery } from "./recovery.ts";
import type { Report } from "./violations.ts";

export interface Cast extends Stage {
  readonly judge: Judge;
  readonly recovery: Recovery;
  readonly chance: Chance;
  readonly report: Report;
  readonly launcher: string;
  readonly signal: AbortSignal;
  /** Somebody has asked for so many attempts out of turn. */
  readonly asked: (attempts: number) => void;
}

export const between = ({ chance }: Cast, low: number, high: number) => low + chance.unit() * (high - low);

/** Waits, unless the soak is over. */
export async function pause(cast: Cast, ms: number): Promise<void> {
  await delay(ms, undefined, { signal: cast.signal }).catch(() => undefined);
}

/** One request to the agent; undefined when no answer came. */
export async function ask(
  cast: Cast,
  socket: "api" | "admin",
  method: string,
  target: string,
  body?: string,
): Promise<HttpAnswer | undefined> {
  const file = cast.peers.playground[socket === "api" ? "apiSocket" : "adminSocket"];
  return await exchange(file, method, target, body).catch(() => undefined);
}
