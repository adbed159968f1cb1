import type { Host } from "../../diagnostics/host/host.ts";
import type { Row } from "./status-row.ts";

/** Where diagnose warns, too (disk.free). */
const LITTLE_BYTES = 20 * 1_048_576;

/** Of the machine below the agent. `directory`: whose disk is meant. */
export function hostRows(host: Host | undefined, directory = "/"): Row[] {
  if (host === undefined) return [];
  const { memory, disk, os } = host;
  const megabytes = (bytes: number) => `${Math.round(bytes / 1_048_576)} MB`;
  const rows: Row[] = [];
  if (disk !== undefined) {
    const { usedPercent: used } = disk;
    rows.push({
      label: { id: "status.disk" },
      value: { id: "status.disk_free", params: { free: megabytes(disk.availableBytes), used, directory } },
      tone: disk.availableBytes < LITTLE_BYTES ? "bad" : "good",
    });
  }
  const [free, all] = [megabytes(memory.availableBytes), megabytes(memory.totalBytes)];
  rows.push({ label: { id: "status.memory" }, value: { id: "status.memory_free", params: { free, all } } });
  rows.push({ label: { id: "status.system" }, value: { id: "plain", params: { text: os } } });
  return rows;
}
