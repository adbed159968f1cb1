import { readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";

/** A device as the unit's list of devices sees it (systemd.resource-control(5), DeviceAllow=). */
export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
  /** As the driver has registered itself in /proc/devices. */
  readonly driver?: string;
  /** The kernel module of the driver; undefined for one that is part of the kernel. */
  readonly module?: string;
}

/** Linux gives these numbers to drivers that have none of their own, anew at each boot (admin-guide/devices.txt). */
const DYNAMIC: readonly (readonly [from: number, to: number])[] = [
  [234, 254],
  [384, 511],
];

export async function deviceNumber(device: string): Promise<DeviceNumber | undefined> {
  const found = await stat(device, { bigint: true }).catch(() => undefined);
  if (!found?.isCharacterDevice()) return undefined;
  // makedev(3): twelve bits of the major and twenty of the minor, interleaved.
  const major = Number((found.rdev >> 8n) & 0xfffn);
  const minor = Number((found.rdev & 0xffn) | ((found.rdev >> 12n) & 0xfff00n));
  const driver = driverIn(await readFile("/proc/devices", "utf8").catch(() => ""), major);
  const module = await realpath(`/sys/dev/char/${major}:${minor}/device/driver/module`).then(
    (directory) => path.basename(directory),
    () => undefined,
  );
  return { major, minor, ...(driver === undefined ? {} : { driver }), ...(module === undefined ? {} : { module }) };
}

/** Pure: the name of a character device's driver, by the text of /proc/devices. */
export function driverIn(devices: string, major: number): string | undefined {
  const [characters = ""] = devices.split("Block devices:");
  return new RegExp(`^ *${major} (\\S+)$`, "m").exec(characters)?.[1];
}

/** Pure: how a unit names it: by number where that is the same after the next boot. */
export function deviceGroup({ major, driver }: DeviceNumber): string {
  const isDynamic = DYNAMIC.some(([from, to]) => major >= from && major <= to);
  return `char-${isDynamic && driver !== undefined ? driver : major}`;
}
