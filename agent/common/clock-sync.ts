import { existsSync, readFileSync } from "node:fs";
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

/** A moment on both clocks. `wallTrusted`: something outside this board has confirmed the wall clock. */
export interface Instant {
  readonly wall: number;
  readonly boot: number;
  readonly bootId: string;
  readonly wallTrusted: boolean;
  /** WeChat Pay's clock minus `wall`, where that is what confirms it: seconds count at the end of a life. */
  readonly aheadMs?: number;
}

/** Touched by systemd-timesyncd at each synchronisation; its presence means the clock was set in this boot. */
const TIMESYNC_FLAG = "/run/systemd/timesync/synchronized";
/** WeChat Pay's `Date` confirms our wall clock when they agree this well. */
const CONFIRMING_SKEW_MS = 60_000;

/** Both clocks, the boot they belong to, and how far the wall clock can be believed. */
export interface ClockSync {
  now(): Instant;
  /** WeChat Pay's clock minus ours, from an answer. */
  confirm(skewMs: number): void;
  /** This time has certainly passed, Unix ms: a wall clock that reads an earlier one is wrong, even when a peer has confirmed it. */
  passed(wallMs: number): void;
  /** To be called every few seconds: finds wall-clock steps and a clock that has been set meanwhile. */
  observe(): { readonly steppedMs: number; readonly becameTrusted: boolean };
  status(): {
    readonly trusted: boolean;
    readonly confirmedBy?: string;
    readonly steps: number;
    readonly lastStepMs?: number;
    /** How far the wall clock reads before a time that has certainly passed; absent unless it does. */
    readonly behindMs?: number;
  };
}

/**
 * The id of this boot: FACEPAY_BOOT_ID (a systemd unit passes `%b`, since `ProcSubset=pid` hides the file), else the
 * kernel's, else one of our own, with which every start counts as a new boot: the careful reading.
 */
export function readBootId(env: Readonly<Record<string, string | undefined>>, random: Random): string {
  const given = env.FACEPAY_BOOT_ID?.trim() || readText("/proc/sys/kernel/random/boot_id");
  return (given ?? `unknown-${random.bytes(8).toString("hex")}`) + clockOffset();
}

/** Within a time namespace (time_namespaces(7)) the boot clock is another one than outside, of the same boot. */
function clockOffset(): string {
  const [, seconds, nanoseconds] =
    /^boottime\s+(-?\d+)\s+(\d+)$/m.exec(readText("/proc/self/timens_offsets") ?? "") ?? [];
  return Number(seconds ?? 0) === 0 && Number(nanoseconds ?? 0) === 0 ? "" : `+${seconds}.${nanoseconds}`;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    // Hidden by `ProcSubset=pid`, or a kernel without it.
    return undefined;
  }
}

export function createClockSync(clock: Clock, bootId: string, timesyncFlag: string = TIMESYNC_FLAG): ClockSync {
  let confirmedBy: string | undefined;
  let aheadMs = 0;
  let passedMs = 0;
  let steps = 0;
  let lastStepMs: number | undefined;
  let before = { wall: clock.wall(), boot: clock.boot() };

  const lookForTimesync = () => {
    if (confirmedBy === undefined && existsSync(timesyncFlag)) confirmedBy = "timesync";
  };
  lookForTimesync();
  const behindMs = () => {
    const behind = passedMs - clock.wall();
    return behind > CONFIRMING_SKEW_MS ? behind : 0;
  };
  const trusted = () => confirmedBy !== undefined && behindMs() === 0;
  let wasTrusted = trusted();

  return {
    now: () => ({ wall: clock.wall(), boot: clock.boot(), bootId, wallTrusted: trusted(), aheadMs }),
    confirm(skewMs) {
      if (confirmedBy !== undefined || Math.abs(skewMs) > CONFIRMING_SKEW_MS) return;
      confirmedBy = "wechatpay";
      aheadMs = skewMs;
    },
    passed(wallMs) {
      passedMs = Math.max(passedMs, wallMs);
    },
    observe() {
      lookForTimesync();
      const now = { wall: clock.wall(), boot: clock.boot() };
      const steppedMs = wallStep(before, now);
      before = now;
      if (steppedMs !== 0) {
        steps++;
        lastStepMs = steppedMs;
        if (confirmedBy === "wechatpay") aheadMs -= steppedMs;
      }
      const isTrusted = trusted();
      const becameTrusted = isTrusted && !wasTrusted;
      wasTrusted = isTrusted;
      return { steppedMs, becameTrusted };
    },
    status: () => ({
      trusted: trusted(),
      ...(confirmedBy === undefined ? {} : { confirmedBy }),
      steps,
      ...(lastStepMs === undefined ? {} : { lastStepMs }),
      ...(behindMs() > 0 ? { behindMs: behindMs() } : {}),
    }),
  };
}

/** How far the wall clock moved against the boot clock between two looks, in ms: 0 on a steady clock. */
export function wallStep(before: Pick<Instant, "wall" | "boot">, now: Pick<Instant, "wall" | "boot">): number {
  const step = now.wall - before.wall - (now.boot - before.boot);
  // Less is drift, NTP slewing or the resolution of the clocks.
  return Math.abs(step) > 2_000 ? step : 0;
}
