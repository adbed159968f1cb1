import { stat } from "node:fs/promises";
import { offsetText } from "../../messages/duration-text.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { runProgram } from "../host/program.ts";

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
      detail: { zh: "没有可查询的时间服务", en: "there is no time service that could be asked" },
    };
  }
  if (said === "synchronised") {
    return { status: "pass", value: true, detail: { zh: "已同步", en: "synchronised" } };
  }
  const right = offsetS !== undefined && Math.abs(offsetS) < GOOD_S;
  const early = bootMs < HOUR_MS;
  const detail = right
    ? { zh: "未同步，但与微信支付时间一致", en: "not synchronised, but it agrees with WeChat Pay's clock" }
    : { zh: `未同步（开机 ${minutes(bootMs)} 分钟）`, en: `not synchronised (${minutes(bootMs)} min after boot)` };
  return { status: right || early ? "warn" : "fail", value: false, detail };
}

/** `skewS`: WeChat Pay's clock minus ours. */
export function judgeOffset(skewS: number): Outcome {
  const off = Math.abs(skewS);
  const { zh, en } = offsetText(skewS);
  return {
    status: off < GOOD_S ? "pass" : off < BAD_S ? "warn" : "fail",
    value: { skew_s: skewS },
    detail: off < 1 ? { zh, en } : { zh: `${zh}（上限 300 秒）`, en: `${en} (300 s is the limit)` },
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
      detail: {
        zh: `本机时间比微信支付确认过的时间早 ${behindS} 秒，凭证已用时长无法确定`,
        en: `this clock reads ${behindS} s before a time that WeChat Pay has signed, so the authinfo's age is unknown`,
      },
      remedy: {
        zh: "请执行 timedatectl set-ntp true 校准时间；每次断电后都不对时，请更换时钟电池或保持联网启动。",
        en: "Set it: timedatectl set-ntp true. If it is wrong after each power cut, replace the clock battery or boot with network.",
      },
    };
  }
  // Half a day for an archive that was unpacked in another time zone.
  if (builtMs !== undefined && wallMs < builtMs - HOUR_MS * 12) {
    const day = new Date(wallMs).toISOString().slice(0, 10);
    return {
      status: "fail",
      value,
      detail: { zh: `本机时间 ${day} 早于程序的日期`, en: `this clock says ${day}, before this program was made` },
    };
  }
  if (rtc) return { status: "pass", value, detail: { zh: "有时钟电池", en: "there is a hardware clock" } };
  if (clockFileMs !== undefined && wallMs - clockFileMs < FRESH_MS) {
    return {
      status: "pass",
      value,
      detail: { zh: "无时钟电池，由时间服务保存", en: "no RTC; the time service keeps it" },
    };
  }
  return { status: "warn", value, detail: { zh: "未发现硬件时钟", en: "no hardware clock was found" } };
}

/** China has one time, whatever the zone is called. */
export function judgeZone(zone: string, offsetMinutes: number): Outcome {
  const same = offsetMinutes === 480;
  return {
    status: same ? "pass" : "warn",
    value: { zone, offset_min: offsetMinutes },
    detail: { zh: same ? zone : `${zone}，不是北京时间`, en: same ? zone : `${zone}, not China's time` },
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
    title: { zh: "时间同步", en: "Clock synchronised" },
    // After the measurement, which knows better.
    dependsOn: ["net.link", "time.offset"],
    threshold: { warn: "unsynchronised < 1 h, or right all the same", fail: "unsynchronised >= 1 h" },
    remedy: checkRemedy("time.synced"),
    async run(context, signal) {
      return judgeSynchronised(await synchronisation(signal), context.clock.boot(), skewOf(context));
    },
  },
  {
    id: "time.offset",
    code: 202,
    section: "time",
    title: { zh: "时间偏差", en: "Clock offset" },
    dependsOn: ["net.link", "pay.reach"],
    threshold: { warn: ">= 10 s off WeChat Pay's clock", fail: ">= 120 s" },
    remedy: checkRemedy("time.offset"),
    async run(context) {
      const skewS = skewOf(context);
      if (skewS !== undefined) return judgeOffset(skewS);
      return {
        status: "skip",
        detail: { zh: "微信支付没有给出时间", en: "WeChat Pay has not told its time" },
      };
    },
  },
  {
    id: "time.rtc",
    standing: true,
    code: 203,
    section: "time",
    title: { zh: "硬件时钟", en: "Hardware clock" },
    dependsOn: [],
    threshold: {
      warn: "no RTC and no fresh clock file",
      fail: "the clock is before this program was made or before WeChat Pay's last signature",
    },
    remedy: checkRemedy("time.rtc"),
    async run({ clock, agent }) {
      const [rtc, builtMs, ...files] = await Promise.all([
        modified("/sys/class/rtc/rtc0"),
        modified(import.meta.dirname),
        ...CLOCK_FILES.map(modified),
      ]);
      const clockFileMs = files.find((found) => found !== undefined);
      return judgeRtc({ rtc: rtc !== undefined, clockFileMs, builtMs, behindS: behindOf(agent) }, clock.wall());
    },
  },
  {
    id: "time.zone",
    standing: true,
    code: 204,
    section: "time",
    title: { zh: "时区", en: "Time zone" },
    dependsOn: [],
    threshold: { warn: "not UTC+8" },
    remedy: checkRemedy("time.zone"),
    async run({ clock }) {
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
      return judgeZone(timeZone, -new Date(clock.wall()).getTimezoneOffset());
    },
  },
];
