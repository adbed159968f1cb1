import { readdirSync, readFileSync } from "node:fs";
import { quantile } from "../bench/statistics.ts";
import type { Report } from "./violations.ts";

export interface Sample {
  readonly atMs: number;
  readonly residentMb: number;
  readonly descriptors: number;
}

export interface Trend {
  readonly minutes: number;
  readonly firstMb: number;
  readonly lastMb: number;
  readonly mbAnHour: number;
  readonly mostMb: number;
  readonly firstDescriptors: number;
  readonly lastDescriptors: number;
}

/** The worst of the start is over by then. */
const WARM_UP_MS = 4 * 60_000;
const SHORTEST_MS = 12 * 60_000;
const MOST_MB = 220;
/**
 * What a garbage collector that has time, compiled code and malloc keep for themselves: measured, 17 and 26 MB within half an
 * hour of trouble, while 360 reloads left the live heap after a collection at 20 MB.
 */
const GROWTH_MB = 25;
const MORE_DESCRIPTORS = 2;

/** What the kernel says about a process. Undefined once it has gone. */
export function look(pid: number, atMs: number): (Sample & { readonly children: string }) | undefined {
  try {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    if (resident === undefined) return undefined;
    return { atMs, residentMb: Number(resident) / 1_024, descriptors, children: childrenOf(pid) };
  } catch {
    // It ended while it was looked at.
    return undefined;
  }
}

function childrenOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  } catch {
    // A kernel built without it (CONFIG_PROC_CHILDREN).
    return "";
  }
}

/** How one process has changed from its first quarter after the warm-up to its last. Undefined when it was too short to tell. */
export function trend(samples: readonly Sample[]): Trend | undefined {
  const [start] = samples;
  const settled = samples.filter(({ atMs }) => start && atMs - start.atMs >= WARM_UP_MS);
  const [first] = settled;
  const last = settled.at(-1);
  if (!first || !last || last.atMs - first.atMs < SHORTEST_MS) return undefined;
  const span = last.atMs - first.atMs;
  const early = settled.filter(({ atMs }) => atMs - first.atMs <= span / 4);
  const late = settled.filter(({ atMs }) => last.atMs - atMs <= span / 4);
  const middle = (part: readonly Sample[], of: (sample: Sample) => number) => quantile(part.map(of), 0.5);
  // Streams and connections of clients come and go: what is always open is the lower edge.
  const least = (part: readonly Sample[]) => Math.min(...part.map(({ descriptors }) => descriptors));
  const firstMb = middle(early, ({ residentMb }) => residentMb);
  const lastMb = middle(late, ({ residentMb }) => residentMb);
  return {
    minutes: (last.atMs - (start?.atMs ?? 0)) / 60_000,
    firstMb,
    lastMb,
    mbAnHour: ((lastMb - firstMb) / (span * 0.75)) * 3_600_000,
    mostMb: Math.max(...samples.map(({ residentMb }) => residentMb)),
    firstDescriptors: least(early),
    lastDescriptors: least(late),
  };
}

export function judgeTrend(found: Trend, report: Report): void {
  const { firstMb, lastMb, minutes, firstDescriptors, lastDescriptors, mostMb } = found;
  if (lastMb - firstMb > GROWTH_MB) {
    report("memory", `${firstMb.toFixed(1)} to ${lastMb.toFixed(1)} MB in a life of ${minutes.toFixed(0)} min`);
  }
  if (mostMb > MOST_MB) report("memory", `${mostMb.toFixed(1)} MB`);
  if (lastDescriptors - firstDescriptors > MORE_DESCRIPTORS) {
    report("descriptors", `${firstDescriptors} to ${lastDescriptors} in a life of ${minutes.toFixed(0)} min`);
  }
}
