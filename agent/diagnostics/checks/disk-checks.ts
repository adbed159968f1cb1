import { statfs } from "node:fs/promises";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { stateDirectoryOf } from "../facts.ts";
import { findMount, nearest } from "../host/mounts.ts";
import { p95, probeWriting, type WriteProbe } from "../host/write-probe.ts";

const MB = 1_048_576;
const PLENTY_MB = 200;
const TOO_LITTLE_MB = 20;
const WARN_PERCENT = 10;
const TOO_FEW_INODES_PERCENT = 1;
const SLOW_MS = 100;
const TOO_SLOW_MS = 1_000;

interface Room {
  readonly blocks: number;
  readonly bavail: number;
  readonly bsize: number;
  readonly files: number;
  readonly ffree: number;
}

/** What is free for others than root: the agent is not. */
export function judgeRoom({ blocks, bavail, bsize, files, ffree }: Room, directory: string): Outcome {
  const mb = Math.floor((bavail * bsize) / MB);
  const percent = blocks > 0 ? (bavail / blocks) * 100 : 0;
  // Some file systems make inodes as they go and tell none.
  const inodes = files > 0 ? (ffree / files) * 100 : 100;
  const value = { free_mb: mb, free_percent: Math.round(percent), free_inodes_percent: Math.round(inodes) };
  if (inodes < TOO_FEW_INODES_PERCENT) {
    return {
      status: "fail",
      value,
      detail: {
        zh: `${directory}：文件数已达上限（inode 用尽）`,
        en: `${directory}: no more files can be made (inodes)`,
      },
    };
  }
  return {
    status: mb < TOO_LITTLE_MB ? "fail" : mb < PLENTY_MB || percent < WARN_PERCENT ? "warn" : "pass",
    value,
    detail: {
      zh: `${directory}：剩余 ${mb} MB（${Math.round(percent)}%）`,
      en: `${directory}: ${mb} MB free (${Math.round(percent)} %)`,
    },
  };
}

export function judgeLatency(fsyncMs: readonly number[]): Outcome {
  const ms = Math.round(p95(fsyncMs) * 10) / 10;
  return {
    status: ms < SLOW_MS ? "pass" : ms < TOO_SLOW_MS ? "warn" : "fail",
    value: { p95_ms: ms, writes: fsyncMs.length },
    detail: {
      zh: `写入并落盘 95% 在 ${ms} 毫秒内（${fsyncMs.length} 次）`,
      en: `write and flush within ${ms} ms (p95 of ${fsyncMs.length})`,
    },
  };
}

/** One probe serves disk.write_latency and store.write. */
export function writeProbeOf(context: DiagnoseContext): Promise<WriteProbe> {
  const { clock, random } = context;
  return context.once("write probe", () => probeWriting(stateDirectoryOf(context), clock, random));
}

export const diskChecks: readonly Check[] = [
  {
    id: "disk.free",
    code: 109,
    section: "system",
    title: { zh: "磁盘空间", en: "Disk space" },
    // Nothing can be cleared away on a disk that takes no writes.
    dependsOn: ["disk.readonly"],
    threshold: { warn: "< 10 % or < 200 MB", fail: "< 20 MB or inodes < 1 %" },
    remedy: checkRemedy("disk.free"),
    async run(context) {
      const directory = await nearest(stateDirectoryOf(context));
      return judgeRoom(await statfs(directory), directory);
    },
  },
  {
    id: "disk.write_latency",
    code: 110,
    section: "system",
    title: { zh: "磁盘速度", en: "Disk latency" },
    dependsOn: ["store.write"],
    threshold: { warn: "fsync p95 >= 100 ms", fail: ">= 1 s" },
    remedy: checkRemedy("disk.write_latency"),
    async run(context) {
      const probe = await writeProbeOf(context);
      if (probe.kind === "written") return judgeLatency(probe.fsyncMs);
      return { status: "skip", because: "store.write", detail: { zh: "无法试写", en: "no trial write was possible" } };
    },
  },
  {
    id: "disk.readonly",
    code: 111,
    section: "system",
    title: { zh: "磁盘可写", en: "Disk writable" },
    dependsOn: [],
    threshold: { fail: "the mount of the state directory is read-only" },
    remedy: checkRemedy("disk.readonly"),
    async run(context) {
      const mount = await findMount(stateDirectoryOf(context));
      if (mount === undefined)
        return { status: "skip", detail: { zh: "无法得知挂载点", en: "the mount is not known" } };
      const { point, type, readOnly } = mount;
      return {
        status: readOnly ? "fail" : "pass",
        value: { mount: point, type, read_only: readOnly },
        detail: readOnly
          ? { zh: `${point}（${type}）是只读的`, en: `${point} (${type}) is mounted read-only` }
          : { zh: `${point}（${type}）可写`, en: `${point} (${type}) is writable` },
      };
    },
  },
];
