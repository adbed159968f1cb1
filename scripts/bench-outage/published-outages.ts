import { between, exponential } from "./chance.ts";
import { DAY, HOUR, MINUTE, type PathState, SECOND, type Trace, TraceBuilder } from "./trace.ts";

/**
 * Share of interruptions longer than so many minutes: 144 interruptions of one cable link, 2005 to 2007
 * (webpages.charter.net/curryfans/peter/charterstats.html). Between the points, and from the assumed shortest of one
 * minute, straight on logarithmic scales; above four hours the slope of the last piece goes on to 36 h, where the mean
 * becomes the published 1.6 h.
 */
const LONGER_THAN = [
  [1, 1],
  [15, 0.42],
  [30, 0.35],
  [45, 0.24],
  [60, 0.22],
  [120, 0.13],
  [240, 0.076],
  [2_174, 0.0138],
] as const;

function outageMs(unit: () => number): number {
  const share = 1 - unit();
  for (let i = 1; i < LONGER_THAN.length; i++) {
    const [t0, p0] = LONGER_THAN[i - 1] ?? [1, 1];
    const [t1, p1] = LONGER_THAN[i] ?? [1, 1];
    if (share >= p1) return t0 * (t1 / t0) ** (Math.log(share / p0) / Math.log(p1 / p0)) * MINUTE;
  }
  return 36 * HOUR;
}

/** The share of outages that are longer than so many minutes: what `outageMs` draws from. */
export function longerThan(minutes: number): number {
  for (let i = 1; i < LONGER_THAN.length; i++) {
    const [t0, p0] = LONGER_THAN[i - 1] ?? [1, 1];
    const [t1, p1] = LONGER_THAN[i] ?? [1, 1];
    if (minutes <= t0) return p0;
    if (minutes <= t1) return p0 * (p1 / p0) ** (Math.log(minutes / t0) / Math.log(t1 / t0));
  }
  return 0;
}

const CLUSTER_SIZE = 5;
const CLUSTER_GAP_MS = 4 * HOUR;

export interface LinkOutages {
  readonly perDay: number;
  /** Failures come in company (Long et al.): clusters of five on average, four hours apart on average. */
  readonly clustered?: boolean;
  /** What an outage looks like from the terminal. */
  readonly as?: "silent" | "visible";
}

/** How likely an outage begins, a minute, so many minutes after the last one: within a cluster, or after the pause that follows it. */
export function clusterHazard(perDay: number, sinceMin: number): number {
  const gap = CLUSTER_GAP_MS / MINUTE;
  const pause = ((DAY / perDay) * CLUSTER_SIZE - CLUSTER_GAP_MS * (CLUSTER_SIZE - 1)) / MINUTE;
  const inside = (1 - 1 / CLUSTER_SIZE) * Math.exp(-sinceMin / gap);
  const outside = (1 / CLUSTER_SIZE) * Math.exp(-sinceMin / pause);
  return (inside / gap + outside / pause) / (inside + outside);
}

export function linkOutages({ perDay, clustered = false, as = "silent" }: LinkOutages, lengthMs: number) {
  return (unit: () => number): Trace => {
    const built = new TraceBuilder();
    const mean = DAY / perDay;
    // The long pauses between clusters keep the rate over all what it is without clusters.
    const pause = clustered ? mean * CLUSTER_SIZE - CLUSTER_GAP_MS * (CLUSTER_SIZE - 1) : mean;
    while (built.nowMs < lengthMs) {
      const inCluster = clustered && built.nowMs > 0 && unit() < 1 - 1 / CLUSTER_SIZE;
      built.add("up", exponential(inCluster ? CLUSTER_GAP_MS : pause, unit)).add(as, outageMs(unit));
    }
    return built.add("up", MINUTE).build();
  };
}

/** A stationary cellular connection: twenty gaps of 5 to 90 s a day. */
export function cellularFlaps(lengthMs: number, as: "silent" | "visible" = "silent") {
  return (unit: () => number): Trace => {
    const built = new TraceBuilder();
    while (built.nowMs < lengthMs) {
      built.add("up", exponential(DAY / 20, unit)).add(as, between(5 * SECOND, 90 * SECOND, unit));
    }
    return built.add("up", MINUTE).build();
  };
}

/**
 * The shop's main switch: dark from 22:00 to 08:00, each within half an hour, or the minute of the hourly cron would decide;
 * the link 5 to 90 s after the boot; link outages besides.
 */
export function nightlyPowerOff(lengthMs: number) {
  return (unit: () => number): Trace => {
    const built = new TraceBuilder();
    for (let day = 0; built.nowMs < lengthMs; day++) {
      const link = between(5 * SECOND, 90 * SECOND, unit);
      built.add("silent", link);
      let openMs = between(13.5 * HOUR, 14.5 * HOUR, unit) - link;
      while (openMs > 0) {
        const up = Math.min(exponential(DAY / 0.158, unit), openMs);
        const down = Math.min(outageMs(unit), openMs - up);
        built.add("up", up).add("silent", down);
        openMs -= up + down;
      }
      built.add("off", (day + 1) * DAY + between(-HOUR / 2, HOUR / 2, unit) - built.nowMs);
    }
    return built.build();
  };
}

const ISSUER_FAULTS: readonly PathState[] = ["server_error", "hang", "dns"];

/** WeChat Pay alone, the link being up: 5xx, hangs and DNS failures of 10 min to 3 h, one in ten days. */
export function issuerOutages(lengthMs: number) {
  return (unit: () => number): Trace => {
    const built = new TraceBuilder();
    while (built.nowMs < lengthMs) {
      const fault = ISSUER_FAULTS[Math.floor(unit() * ISSUER_FAULTS.length)] ?? "hang";
      built.add("up", exponential(10 * DAY, unit)).add(fault, between(10 * MINUTE, 3 * HOUR, unit));
    }
    return built.add("up", MINUTE).build();
  };
}

/** A board without a clock battery, cut off three times a day for a minute to two hours; the link 5 s to 20 min after a boot. */
export function bootsWithoutClock(lengthMs: number) {
  return (unit: () => number): Trace => {
    const built = new TraceBuilder();
    while (built.nowMs < lengthMs) {
      const late = unit() < 0.7 ? between(5 * SECOND, 90 * SECOND, unit) : between(MINUTE, 20 * MINUTE, unit);
      built.add("silent", late).add("up", exponential(DAY / 3, unit));
      if (unit() < 0.5) built.add("silent", between(MINUTE, 20 * MINUTE, unit));
      built.add("off", between(MINUTE, 2 * HOUR, unit));
    }
    return built.build();
  };
}
