import { readdir, readFile, realpath } from "node:fs/promises";
import path from "node:path";
import type { DriverConfig } from "../agent/config/config.ts";
import { AgentError, systemCode } from "../agent/errors.ts";

type Match = NonNullable<DriverConfig["match"]>;

/** From a tty up to its USB device there are at most three directories: port, interface, device. */
const MOST_LEVELS = 5;

/**
 * The path of the one tty that belongs to a USB device: its name in /dev/serial/by-id if it has one, else /dev/tty*.
 * Reads sysfs itself: `SerialPort.list()` starts `udevadm` and brings the process down where there is none.
 * Rejects with BRIDGE_NOT_FOUND or BRIDGE_AMBIGUOUS. `root` is "/" but for tests.
 */
export async function findSerialPort(match: Match, root = "/"): Promise<string> {
  const classDirectory = path.join(root, "sys/class/tty");
  const found: string[] = [];
  for (const name of await entries(classDirectory)) {
    const device = await usbDeviceOf(path.join(classDirectory, name));
    if (device && (await fits(device, match))) found.push(path.join(root, "dev", name));
  }
  const wanted = `${match.vendorId}:${match.productId}${match.serialNumber ? ` serial ${match.serialNumber}` : ""}`;
  const [only] = found;
  if (only === undefined) {
    throw new AgentError("BRIDGE_NOT_FOUND", `no serial device of USB ${wanted} is plugged in`, {
      context: { wanted },
    });
  }
  if (found.length > 1) {
    const candidates = await Promise.all(found.sort().map((tty) => stableName(tty, root)));
    const message = `${candidates.length} serial devices are USB ${wanted}: ${candidates.join(", ")}; set driver.path to one of them`;
    throw new AgentError("BRIDGE_AMBIGUOUS", message, { context: { wanted, candidates } });
  }
  return await stableName(only, root);
}

/** The directory of the USB device above a tty, undefined for other ttys. */
async function usbDeviceOf(tty: string): Promise<string | undefined> {
  let directory: string;
  try {
    directory = await realpath(path.join(tty, "device"));
  } catch (error) {
    return absent(error, undefined);
  }
  for (let level = 0; level < MOST_LEVELS; level++) {
    if ((await attribute(directory, "idVendor")) !== undefined) return directory;
    directory = path.dirname(directory);
  }
  return undefined;
}

async function fits(device: string, match: Match): Promise<boolean> {
  if ((await attribute(device, "idVendor"))?.toLowerCase() !== match.vendorId.toLowerCase()) return false;
  if ((await attribute(device, "idProduct"))?.toLowerCase() !== match.productId.toLowerCase()) return false;
  return match.serialNumber === undefined || (await attribute(device, "serial")) === match.serialNumber;
}

/** A name that stays the same over replugging. By-id names of devices without a serial number collide, so it must lead to this very tty. */
async function stableName(tty: string, root: string): Promise<string> {
  const byId = path.join(root, "dev/serial/by-id");
  for (const name of (await entries(byId)).sort()) {
    const link = path.join(byId, name);
    if ((await realpath(link).catch((error: unknown) => absent(error, undefined))) === tty) return link;
  }
  return tty;
}

async function entries(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: unknown) => absent(error, []));
}

async function attribute(directory: string, name: string): Promise<string | undefined> {
  const text = await readFile(path.join(directory, name), "utf8").catch((error: unknown) => absent(error, undefined));
  return text?.trim();
}

/** Devices come and go while we look: what is not there any more is simply not a candidate. */
function absent<T>(error: unknown, instead: T): T {
  const code = systemCode(error);
  if (code === "ENOENT" || code === "ENODEV" || code === "ENOTDIR" || code === "EACCES" || code === "EISDIR")
    return instead;
  throw error;
}
