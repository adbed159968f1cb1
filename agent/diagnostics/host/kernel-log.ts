import { closeSync, constants, openSync, readSync } from "node:fs";

/** One record of /dev/kmsg. */
export interface KernelRecord {
  /** Microseconds since the boot. */
  readonly us: number;
  readonly text: string;
}

/** The kernel gives no longer record than this (CONSOLE_EXT_LOG_MAX). */
const LONGEST_RECORD = 8192;
const MOST_RECORDS = 20_000;

/** The kernel's ring buffer, oldest first; undefined where it may not be read (dmesg_restrict). */
export function readKernelLog(file = "/dev/kmsg"): KernelRecord[] | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const records: KernelRecord[] = [];
    const buffer = Buffer.alloc(LONGEST_RECORD);
    for (let reads = 0; reads < MOST_RECORDS; reads++) {
      const record = readRecord(fd, buffer);
      if (record === "end") break;
      if (record !== undefined) records.push(record);
    }
    return records;
  } finally {
    closeSync(fd);
  }
}

function readRecord(fd: number, buffer: Buffer): KernelRecord | "end" | undefined {
  try {
    const length = readSync(fd, buffer, 0, buffer.length, null);
    return length === 0 ? "end" : parseRecord(buffer.toString("utf8", 0, length));
  } catch (error) {
    // EPIPE: records were overwritten while we read; the next one is there. Anything else, above all EAGAIN, is the end.
    return (error as { code?: unknown }).code === "EPIPE" ? undefined : "end";
  }
}

/** "6,1234,5678901,-;usb 1-1: USB disconnect, device number 5" (Documentation/ABI/testing/dev-kmsg). */
export function parseRecord(record: string): KernelRecord | undefined {
  const [, us, text] = /^\d+,\d+,(\d+),[^;]*;([^\n]*)/.exec(record) ?? [];
  return us === undefined || text === undefined ? undefined : { us: Number(us), text };
}

/** How often a USB device was lost or reset since an instant. `usbName` as "1-1.2". */
export function countUsbDrops(records: readonly KernelRecord[], usbName: string, sinceUs: number): number {
  const event = new RegExp(`^usb ${usbName.replaceAll(".", "\\.")}: (USB disconnect|reset \\S+ USB device)`);
  return records.filter(({ us, text }) => us >= sinceUs && event.test(text)).length;
}
