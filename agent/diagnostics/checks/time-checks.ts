import { stat } from "node:fs/promises";
import { offsetText, roughDuration } from "../../messages/duration-text.ts";
import type { Text } from "../../messages/message.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { runProgram } from "../host/program.ts";
import { newestSignedMs } from "../kept-state.ts";

const GOOD_S = 10;
const BAD_S = 120;
const HOUR_MS = 3_600_000;
const FRESH_MS = 30 * 24 * HOUR_MS;

/** Touched by systemd-timesyncd at each synchronisation, and what it sets the clock to at boot where there is no RTC. */
const CLOCK_FILES = ["/var/lib/systemd/timesync/clock", "/var/lib/private/systemd/timesync/clock"];

export type Synchronisation = "synchronised" | "unsynchronised" | "unknown";

/** timedatectl's word, else chrony's; "unknown" without a daemon that could be asked. */
async function synchronisation(signal: AbortSignal): Promise<Synchronisation> {
  const shown = await runProgram("timedatectl", ["show", "--property=NTPSynchronized,CanNTP,NTP"], { signal });
  const said = synchronisationOf(shown.kind === "ended" && shown.code === 0 ? shown.stdout : "");
  if (said === "synchronised") return said;
  // chronyd sets the kernel's flag, too, but is not what timedatectl calls NTP.
  const tracking = await runProgram("chronyc", ["-c", "tracking"], { signal });
  if (tracking.kind === "ended" && tracking.code === 0) return trackingOf(tracking.stdout);
  return said;
}

export function synchronisationOf(shown: string): Synchronisation {
  const has = (line: string) => shown.split("\n").includes(line);
  if (has("NTPSynchronized=yes")) return "synchronised";
  return has("CanNTP=yes") && has("NTPSynchronized=no") ? "unsynchronised" : "unknown";
}

/** `chronyc -c tracking`: fields separated by commas, the leap status last. */
export function trackingOf(line: string): Synchronisation {
  const leap = line.trim().split(",").at(-1) ?? "";
  if (leap === "") return "unknown";
  return leap === "Not synchronised" ? "unsynchronised" : "synchronised";
}

/** `offsetS`: this clock against WeChat Pay's, when that is known: a clock that is right needs no fixing today. */
export function judgeSynchronised(said: Synchronisation, bootMs: number, offsetS: number | undefined): Outcome {
  if (said === "unknown") {
    return {
      status: "skip",
      detail: { id: "time.no_service" },
    };
  }
  if (said === "synchronised") {
    return { status: "pass", value: true, detail: { id: "time.synced" } };
  }
  const right = offsetS !== undefined && Math.abs(offsetS) < GOOD_S;
  const early = bootMs < HOUR_MS;
  const detail: Text = right ? { id: "time.agrees" } : { id: "time.not_synced", params: { minutes: minutes(bootMs) } };
  return { status: right || early ? "warn" : "fail", value: false, detail };
}

/** `skewS`: WeChat Pay's clock minus ours. */
export function judgeOffset(skewS: number): Outcome {
  const off = Math.abs(skewS);
  const offset = offsetText(skewS);
  return {
    status: off < GOOD_S ? "pass" : off < BAD_S ? "warn" : "fail",
    value: { skew_s: skewS },
    detail: off < 1 ? offset : { id: "time.offset", params: { offset } },
  };
}

export interface ClockSources {
  readonly rtc: boolean;
  /** Last change of timesyncd's file, Unix ms. */
  readonly clockFileMs: number | undefined;
  /** When this program was built or unpacked, Unix ms. */
  readonly builtMs: number | undefined;
  /** By the running agent: seconds before a time that WeChat Pay has signed. */
  readonly behindS?: number | undefined;
}

export function judgeRtc({ rtc, clockFileMs, builtMs, behindS }: ClockSources, wallMs: number): Outcome {
  const value = { rtc, clock_file: clockFileMs === undefined ? null : new Date(clockFileMs).toISOString() };
  if (behindS !== undefined) {
    return {
      status: "fail",
      value: { ...value, behind_s: behindS },
      detail: { id: "time.behind", params: { behind: roughDuration(behindS) } },
      remedy: { id: "time.set" },
    };
  }
  // Half a day for an archive that was unpacked in another time zone.
  if (builtMs !== undefined && wallMs < builtMs - HOUR_MS * 12) {
    const day = new Date(wallMs).toISOString().slice(0, 10);
    return {
      status: "fail",
      value,
      detail: { id: "time.before_program", params: { day } },
    };
  }
  if (rtc) return { status: "pass", value, detail: { id: "time.rtc" } };
  if (clockFileMs !== undefined && wallMs - clockFileMs < FRESH_MS) {
    return {
      status: "pass",
      value,
      detail: { id: "time.no_rtc_kept" },
    };
  }
  return { status: "warn", value, detail: { id: "time.no_rtc" } };
}

/** China has one time, whatever the zone is called. */
export function judgeZone(zone: string, offsetMinutes: number): Outcome {
  const same = offsetMinutes === 480;
  return {
    status: same ? "pass" : "warn",
    value: { zone, offset_min: offsetMinutes },
    detail: same ? { id: "plain", params: { text: zone } } : { id: "time.other_zone", params: { zone } },
  };
}

/** WeChat Pay's clock minus ours in seconds: from the running agent, else from the probe of this run. */
export function skewOf({ agent, outcome }: Pick<DiagnoseContext, "agent" | "outcome">): number | undefined {
  const probed = outcome("pay.reach");
  const value = probed !== undefined && "value" in probed ? probed.value : undefined;
  const { skew_s: fresh } = (value ?? {}) as { skew_s?: unknown };
  if (typeof fresh === "number" && Number.isFinite(fresh)) return fresh;
  if (agent.kind !== "running") return undefined;
  const { clock } = agent.status;
  return typeof clock?.skew_s === "number" ? clock.skew_s : undefined;
}

function behindOf(agent: DiagnoseContext["agent"]): number | undefined {
  const { clock } = (agent.kind === "running" ? agent.status : {}) as { clock?: { behind_s?: unknown } };
  return typeof clock?.behind_s === "number" ? clock.behind_s : undefined;
}

/** As the agent counts it (agent/common/clock-sync.ts): less is a difference between two clocks. */
const BEHIND_MS = 60_000;

/** Without an agent: seconds before the newest signature that it has kept. */
async function behindKept(context: DiagnoseContext): Promise<number | undefined> {
  const aheadMs = ((await newestSignedMs(context)) ?? 0) - context.clock.wall();
  return aheadMs > BEHIND_MS ? Math.round(aheadMs / 1_000) : undefined;
}

const minutes = (ms: number) => Math.round(ms / 60_000);

const modified = (file: string) =>
  stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );

export const timeChecks: readonly Check[] = [
  {
    id: "time.synced",
    code: 201,
    section: "time",
    title: { id: "title.time.synced" },
    // After the measurement, which knows better.
    dependsOn: ["net.link", "time.offset"],
    threshold: { warn: { id: "limit.time.synced.warn" }, fail: { id: "limit.time.synced.fail" } },
    remedy: checkRemedy("time.synced"),
    async run(context, signal) {
      return judgeSynchronised(await synchronisation(signal), context.clock.boot(), skewOf(context));
    },
  },
  {
    id: "time.offset",
    code: 202,
    section: "time",
    title: { id: "title.time.offset" },
    dependsOn: ["net.link", "pay.reach"],
    threshold: { warn: { id: "limit.time.offset.warn" }, fail: { id: "limit.time.offset.fail" } },
    remedy: checkRemedy("time.offset"),
    async run(context) {
      const skewS = skewOf(context);
      if (skewS !== undefined) return judgeOffset(skewS);
      return {
        status: "skip",
        detail: { id: "time.not_told" },
      };
    },
  },
  {
    id: "time.rtc",
    standing: true,
    code: 203,
    section: "time",
    title: { id: "title.time.rtc" },
    dependsOn: [],
    threshold: {
      warn: { id: "limit.time.rtc.warn" },
      fail: { id: "limit.time.rtc.fail" },
    },
    remedy: checkRemedy("time.rtc"),
    async run(context) {
      const { clock, agent } = context;
      const [rtc, builtMs, ...files] = await Promise.all([
        modified("/sys/class/rtc/rtc0"),
        modified(import.meta.dirname),
        ...CLOCK_FILES.map(modified),
      ]);
      const clockFileMs = files.find((found) => found !== undefined);
      const behindS = behindOf(agent) ?? (agent.kind === "absent" ? await behindKept(context) : undefined);
      return judgeRtc({ rtc: rtc !== undefined, clockFileMs, builtMs, behindS }, clock.wall());
    },
  },
  {
    id: "time.zone",
    standing: true,
    code: 204,
    section: "time",
    title: { id: "title.time.zone" },
    dependsOn: [],
    threshold: { warn: { id: "limit.time.zone.warn" } },
    remedy: checkRemedy("time.zone"),
    async run({ clock }) {
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
      return judgeZone(timeZone, -new Date(clock.wall()).getTimezoneOffset());
    },
  },
];
