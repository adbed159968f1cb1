import { statfs } from "node:fs/promises";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { stateDirectoryOf } from "../facts.ts";
import { findMount, nearest } from "../host/mounts.ts";
import { p95, probeWriting, type WriteProbe } from "../host/write-probe.ts";

const MB = 1_048_576;
/**
 * By what the agent needs, however large the disk is: its state with all copies and what was put aside takes less than 1 MB in a dozen
 * files, and a write needs room for one more of each. Ten times as much is a reason to look.
 */
const TOO_LITTLE_MB = 2;
const LITTLE_MB = 20;
const TOO_FEW_FILES = 20;
const FEW_FILES = 200;
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
  const inodes = files > 0 ? ffree : Number.POSITIVE_INFINITY;
  const value = { free_mb: mb, free_percent: Math.round(percent), free_inodes: files > 0 ? ffree : null };
  if (inodes < FEW_FILES) {
    return {
      status: inodes < TOO_FEW_FILES ? "fail" : "warn",
      value,
      detail: { id: "disk.few_inodes", params: { directory, inodes } },
      remedy: checkRemedy("disk.inodes"),
    };
  }
  return {
    status: mb < TOO_LITTLE_MB ? "fail" : mb < LITTLE_MB ? "warn" : "pass",
    value,
    detail: { id: "disk.free", params: { directory, mb, percent: Math.round(percent) } },
  };
}

export function judgeLatency(fsyncMs: readonly number[]): Outcome {
  const ms = Math.round(p95(fsyncMs) * 10) / 10;
  return {
    status: ms < SLOW_MS ? "pass" : ms < TOO_SLOW_MS ? "warn" : "fail",
    value: { p95_ms: ms, writes: fsyncMs.length },
    detail: { id: "disk.latency", params: { ms, count: fsyncMs.length } },
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
    title: { id: "title.disk.free" },
    // Nothing can be cleared away on a disk that takes no writes.
    dependsOn: ["disk.readonly"],
    threshold: { warn: { id: "limit.disk.free.warn" }, fail: { id: "limit.disk.free.fail" } },
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
    title: { id: "title.disk.write_latency" },
    dependsOn: ["store.write"],
    threshold: { warn: { id: "limit.disk.write_latency.warn" }, fail: { id: "limit.disk.write_latency.fail" } },
    remedy: checkRemedy("disk.write_latency"),
    async run(context) {
      const probe = await writeProbeOf(context);
      if (probe.kind === "written") return judgeLatency(probe.fsyncMs);
      return { status: "skip", because: "store.write", detail: { id: "disk.not_tried" } };
    },
  },
  {
    id: "disk.readonly",
    code: 111,
    section: "system",
    title: { id: "title.disk.readonly" },
    dependsOn: [],
    threshold: { fail: { id: "limit.disk.readonly.fail" } },
    remedy: checkRemedy("disk.readonly"),
    async run(context) {
      const mount = await findMount(stateDirectoryOf(context));
      if (mount === undefined) return { status: "skip", detail: { id: "disk.mount_unknown" } };
      const { point, type, readOnly } = mount;
      return {
        status: readOnly ? "fail" : "pass",
        value: { mount: point, type, read_only: readOnly },
        detail: readOnly
          ? { id: "disk.read_only", params: { point, type } }
          : { id: "disk.writable", params: { point, type } },
      };
    },
  },
];
