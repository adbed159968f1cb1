import type { Host } from "../../diagnostics/host/host.ts";
import type { Row } from "./status-row.ts";

const NEARLY_FULL_PERCENT = 90;

/** Of the machine below the agent. `directory`: whose disk is meant. */
export function hostRows(host: Host | undefined, directory = "/"): Row[] {
  if (host === undefined) return [];
  const { memory, disk, os } = host;
  const megabytes = (bytes: number) => `${Math.round(bytes / 1_048_576)} MB`;
  const rows: Row[] = [];
  if (disk !== undefined) {
    rows.push({
      label: { zh: "磁盘", en: "disk" },
      value: {
        zh: `可用 ${megabytes(disk.availableBytes)}，已用 ${disk.usedPercent}%（${directory}）`,
        en: `${megabytes(disk.availableBytes)} free, ${disk.usedPercent}% used (${directory})`,
      },
      tone: disk.usedPercent > NEARLY_FULL_PERCENT ? "bad" : "good",
    });
  }
  const [free, all] = [megabytes(memory.availableBytes), megabytes(memory.totalBytes)];
  rows.push({
    label: { zh: "内存", en: "memory" },
    value: { zh: `可用 ${free}，共 ${all}`, en: `${free} of ${all} available` },
  });
  rows.push({ label: { zh: "系统", en: "system" }, value: { zh: os, en: os } });
  return rows;
}
