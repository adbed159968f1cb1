import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, Outcome } from "../check.ts";
import { operatingSystemOf, unitsOf } from "../facts.ts";
import type { OperatingSystem } from "../host/host.ts";
import { runProgram } from "../host/program.ts";

const OLDEST_SYSTEMD = 240;
/** By the first word of what the system calls itself: the oldest release that is supported (docs/operations/diagnose.md). */
const SUPPORTED: readonly (readonly [RegExp, number])[] = [
  [/^debian/i, 11],
  [/^ubuntu/i, 20.04],
  [/^(uos|uniontech|deepin)/i, 20],
  [/^kylin/i, 10],
];

/** End of life of the Node releases with long-term support (nodejs/Release schedule.json). */
const NODE_ENDS: Readonly<Record<number, string>> = { 24: "2028-04-30", 26: "2029-04-30" };
const OLDEST_NODE = 24;
const SOON_MS = 90 * 86_400_000;

const PACKAGE = "facepay-agent";
/** Sums over 130 MB: more than 5 s on an emulated Cortex-A53, and an SD card gives some 20 MB a second. */
const VERIFY_MS = 20_000;
/** What a technician is meant to change. */
const MEANT_TO_CHANGE = /^\/etc\/(facepay-agent\/config\.(toml|d\/)|default\/)/;

export function judgeSystem(
  { distro, release }: Pick<OperatingSystem, "distro" | "release">,
  systemd?: number,
): Outcome {
  const name = `${distro} ${release}`.trim();
  const value = { distro, release, ...(systemd === undefined ? {} : { systemd }) };
  if (systemd !== undefined && systemd < OLDEST_SYSTEMD) {
    return {
      status: "fail",
      value,
      detail: { zh: `${name}，systemd ${systemd} 过旧`, en: `${name}, systemd ${systemd} is too old` },
    };
  }
  const oldest = SUPPORTED.find(([pattern]) => pattern.test(distro))?.[1];
  // Kylin says V10.
  const number = Number.parseFloat(release.replace(/^\D+/, ""));
  if (oldest !== undefined && number >= oldest) return { status: "pass", value, detail: { zh: name, en: name } };
  return { status: "warn", value, detail: { zh: `${name} 未经验证`, en: `${name} is not among the supported ones` } };
}

export function judgeNode(version: string, wallMs: number): Outcome {
  const major = Number.parseInt(version, 10);
  if (major < OLDEST_NODE) {
    return { status: "fail", value: version, detail: { zh: `Node ${version} 过旧`, en: `Node ${version} is too old` } };
  }
  const ends = NODE_ENDS[major];
  if (ends === undefined) {
    return {
      status: "warn",
      value: version,
      detail: { zh: `Node ${version} 不是已知的长期支持版`, en: `Node ${version} is no known long-term release` },
    };
  }
  const soon = Date.parse(ends) - wallMs < SOON_MS;
  return {
    status: soon ? "warn" : "pass",
    value: version,
    detail: { zh: `Node ${version}，维护至 ${ends}`, en: `Node ${version}, maintained until ${ends}` },
  };
}

/** `listing`: what `dpkg --verify` prints, a line for each file that is not as it was packaged. */
export function judgePackage(listing: string): Outcome {
  const found = listing.split("\n").flatMap((line) => {
    // What may not be looked at is called missing, too.
    if (line.endsWith("(Permission denied)")) return [];
    const [, conffile, file] = /^(?:missing|[?.\dA-Z]{9})\s+(c)?\s*(\/.*)$/.exec(line) ?? [];
    return file === undefined || MEANT_TO_CHANGE.test(file) ? [] : [{ file, conffile: conffile !== undefined }];
  });
  const [first] = found.toSorted((a, b) => Number(a.conffile) - Number(b.conffile));
  if (first === undefined) return { status: "pass", detail: { zh: "与安装包一致", en: "as packaged" } };
  const more = found.length > 1 ? [` 等 ${found.length} 个`, ` and ${found.length - 1} more`] : ["", ""];
  return {
    status: first.conffile ? "warn" : "fail",
    value: { changed: found.map(({ file }) => file) },
    detail: { zh: `与安装包不同：${first.file}${more[0]}`, en: `differs from the package: ${first.file}${more[1]}` },
  };
}

export function judgeMemory(available: number, total: number): Outcome {
  const percent = total > 0 ? (available / total) * 100 : 0;
  const mb = Math.round(available / 1_048_576);
  return {
    status: percent >= 15 ? "pass" : percent >= 5 ? "warn" : "fail",
    value: { available_mb: mb, percent: Math.round(percent) },
    detail: {
      zh: `可用 ${mb} MB（${Math.round(percent)}%）`,
      en: `${mb} MB available (${Math.round(percent)} %)`,
    },
  };
}

export const systemChecks: readonly Check[] = [
  {
    id: "os.supported",
    standing: true,
    code: 101,
    section: "system",
    title: { zh: "操作系统", en: "Operating system" },
    dependsOn: [],
    threshold: { warn: "not Debian >= 11, Ubuntu >= 20.04, UOS 20 or Kylin V10", fail: `systemd < ${OLDEST_SYSTEMD}` },
    remedy: checkRemedy("os.supported"),
    async run(context) {
      const [system, units] = await Promise.all([operatingSystemOf(context), unitsOf(context)]);
      return judgeSystem(system, units?.systemdVersion);
    },
  },
  {
    id: "node.version",
    code: 102,
    section: "system",
    title: { zh: "Node 版本", en: "Node version" },
    dependsOn: [],
    threshold: { warn: "end of life within 90 d, or no known LTS", fail: `< ${OLDEST_NODE}` },
    remedy: checkRemedy("node.version"),
    async run({ clock }) {
      return judgeNode(process.versions.node, clock.wall());
    },
  },
  {
    id: "pkg.integrity",
    code: 103,
    section: "system",
    title: { zh: "程序文件", en: "Program files" },
    dependsOn: [],
    threshold: { warn: "a configuration file of the package changed", fail: "a program file changed or missing" },
    remedy: checkRemedy("pkg.integrity"),
    timeoutMs: VERIFY_MS,
    async run(_context, signal) {
      const known = await runProgram("dpkg-query", ["--show", `--showformat=\${db:Status-Status}`, PACKAGE], {
        signal,
      });
      if (known.kind !== "ended" || known.stdout !== "installed") {
        return { status: "skip", detail: { zh: "不是以 deb 包安装的", en: "not installed as a deb package" } };
      }
      const verified = await runProgram("dpkg", ["--verify", PACKAGE], { signal });
      if (verified.kind !== "ended") {
        return { status: "skip", detail: { zh: "dpkg --verify 没有结果", en: "dpkg --verify gave no result" } };
      }
      return judgePackage(verified.stdout);
    },
  },
  {
    id: "mem.free",
    code: 108,
    section: "system",
    title: { zh: "内存", en: "Memory" },
    dependsOn: [],
    threshold: { warn: "< 15 %", fail: "< 5 %" },
    remedy: checkRemedy("mem.free"),
    async run() {
      const { default: si } = await import("systeminformation");
      const { available, total } = await si.mem();
      return judgeMemory(available, total);
    },
  },
];
