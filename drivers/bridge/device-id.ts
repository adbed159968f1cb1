import { readFileSync } from "node:fs";
import path from "node:path";

/** Specification 3. */
const DEVICE_ID = /^[\x20-\x7e]{1,32}$/;

/** Where a Linux board keeps its serial number, the likeliest first. The first one is readable by root alone. */
const PLACES = [
  "sys/class/dmi/id/product_serial",
  "sys/class/dmi/id/board_serial",
  "proc/device-tree/serial-number",
  "sys/firmware/devicetree/base/serial-number",
  "sys/devices/soc0/serial_number",
];

/** What board makers leave in place of a number. Two terminals with the same device id would be worse than none. */
const PLACEHOLDER =
  /^(?:[0\s.-]+|[xX]+|0?1234567890?|none|n\/?a|not ?(?:applicable|specified|available)|unknown|default string|to be filled.*|system serial.*|serial.?number|oem)$/i;

export function isDeviceId(text: string): boolean {
  return DEVICE_ID.test(text);
}

/** The serial number of this board, undefined when it has none that this user may read. `root` is "/" but for tests. */
export function systemSerialNumber(root = "/"): string | undefined {
  for (const place of PLACES) {
    const found = readIdFile(path.join(root, place));
    if (found !== undefined && isDeviceId(found) && !PLACEHOLDER.test(found)) return found;
  }
  return undefined;
}

/** What a file holds, without the white space and NULs around it (/proc/device-tree ends in NUL). */
export function readIdFile(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1").replace(/^[\s\0]+|[\s\0]+$/g, "");
  } catch {
    // Missing on this kind of board, or not for this user.
    return undefined;
  }
}
