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
      detail: { id: "system.systemd_old", params: { name, systemd } },
    };
  }
  const oldest = SUPPORTED.find(([pattern]) => pattern.test(distro))?.[1];
  // Kylin says V10.
  const number = Number.parseFloat(release.replace(/^\D+/, ""));
  if (oldest !== undefined && number >= oldest)
    return { status: "pass", value, detail: { id: "plain", params: { text: name } } };
  return { status: "warn", value, detail: { id: "system.not_supported", params: { name } } };
}

export function judgeNode(version: string, wallMs: number): Outcome {
  const major = Number.parseInt(version, 10);
  if (major < OLDEST_NODE) {
    return { status: "fail", value: version, detail: { id: "system.node_old", params: { version } } };
  }
  const ends = NODE_ENDS[major];
  if (ends === undefined) {
    return {
      status: "warn",
      value: version,
      detail: { id: "system.node_not_lts", params: { version } },
    };
  }
  const soon = Date.parse(ends) - wallMs < SOON_MS;
  return {
    status: soon ? "warn" : "pass",
    value: version,
    detail: { id: "system.node_maintained", params: { version, ends } },
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
  if (first === undefined) return { status: "pass", detail: { id: "system.as_packaged" } };
  return {
    status: first.conffile ? "warn" : "fail",
    value: { changed: found.map(({ file }) => file) },
    detail: { id: "system.differs", params: { file: first.file, more: found.length - 1 } },
  };
}

export function judgeMemory(available: number, total: number): Outcome {
  const percent = total > 0 ? (available / total) * 100 : 0;
  const mb = Math.round(available / 1_048_576);
  return {
    status: percent >= 15 ? "pass" : percent >= 5 ? "warn" : "fail",
    value: { available_mb: mb, percent: Math.round(percent) },
    detail: { id: "system.memory", params: { mb, percent: Math.round(percent) } },
  };
}

export const systemChecks: readonly Check[] = [
  {
    id: "os.supported",
    standing: true,
    code: 101,
    section: "system",
    title: { id: "title.os.supported" },
    dependsOn: [],
    threshold: { warn: { id: "limit.os.supported.warn" }, fail: { id: "limit.os.supported.fail" } },
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
    title: { id: "title.node.version" },
    dependsOn: [],
    threshold: { warn: { id: "limit.node.version.warn" }, fail: { id: "limit.node.version.fail" } },
    remedy: checkRemedy("node.version"),
    async run({ clock }) {
      return judgeNode(process.versions.node, clock.wall());
    },
  },
  {
    id: "pkg.integrity",
    code: 103,
    section: "system",
    title: { id: "title.pkg.integrity" },
    dependsOn: [],
    threshold: { warn: { id: "limit.pkg.integrity.warn" }, fail: { id: "limit.pkg.integrity.fail" } },
    remedy: checkRemedy("pkg.integrity"),
    timeoutMs: VERIFY_MS,
    async run(_context, signal) {
      const known = await runProgram("dpkg-query", ["--show", `--showformat=\${db:Status-Status}`, PACKAGE], {
        signal,
      });
      if (known.kind !== "ended" || known.stdout !== "installed") {
        return { status: "skip", detail: { id: "system.not_a_package" } };
      }
      const verified = await runProgram("dpkg", ["--verify", PACKAGE], { signal });
      if (verified.kind !== "ended") {
        return { status: "skip", detail: { id: "system.dpkg_silent" } };
      }
      return judgePackage(verified.stdout);
    },
  },
  {
    id: "mem.free",
    code: 108,
    section: "system",
    title: { id: "title.mem.free" },
    dependsOn: [],
    threshold: { warn: { id: "limit.mem.free.warn" }, fail: { id: "limit.mem.free.fail" } },
    remedy: checkRemedy("mem.free"),
    async run() {
      const { default: si } = await import("systeminformation");
      const { available, total } = await si.mem();
      return judgeMemory(available, total);
    },
  },
];
