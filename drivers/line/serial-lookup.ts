import { readdir, readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { AgentError, systemCode } from "../../agent/common/errors.ts";
import type { DriverConfig } from "../../agent/config/config.ts";

/** A serial device on USB, as this machine sees it. */
export interface UsbDevice {
  /** /dev/tty*. */
  readonly tty: string;
  /** Lower-case hexadecimal, as in /sys. */
  readonly vendorId: string;
  readonly productId: string;
  readonly serialNumber?: string;
  /** "1-1.2": by this the kernel's log calls it. */
  readonly usbName: string;
  /** Names that stay the same over replugging. */
  readonly byId?: string;
  readonly byPath?: string;
}

type Match = NonNullable<DriverConfig["match"]>;

/** From a tty up to its USB device there are at most three directories: port, interface, device. */
const MOST_LEVELS = 5;

/**
 * Every USB serial device, by its tty. Reads sysfs itself: `SerialPort.list()` starts `udevadm` and brings the process down where there
 * is none. `root` is "/" but for tests.
 */
export async function listUsbSerial(root = "/"): Promise<UsbDevice[]> {
  const classDirectory = path.join(root, "sys/class/tty");
  const names = (await entries(classDirectory)).sort();
  const found = await Promise.all(names.map((name) => describe(path.join(classDirectory, name), name, root)));
  return found.filter((device) => device !== undefined);
}

/**
 * The path of the one tty that belongs to a USB device: its name in /dev/serial/by-id if it has one, else /dev/tty*.
 * Rejects with BRIDGE_NOT_FOUND or BRIDGE_AMBIGUOUS.
 */
export async function findSerialPort(match: Match, root = "/"): Promise<string> {
  const found = (await listUsbSerial(root)).filter((device) => fits(device, match));
  const wanted = `${match.vendorId}:${match.productId}${match.serialNumber ? ` serial ${match.serialNumber}` : ""}`;
  const [only] = found;
  if (only === undefined) {
    throw new AgentError("BRIDGE_NOT_FOUND.usb", { usb: wanted });
  }
  if (found.length > 1) {
    const candidates = found.map(({ byId, tty }) => byId ?? tty);
    throw new AgentError("BRIDGE_AMBIGUOUS", { usb: wanted, candidates });
  }
  return only.byId ?? only.tty;
}

function fits({ vendorId, productId, serialNumber }: UsbDevice, match: Match): boolean {
  return (
    vendorId === match.vendorId.toLowerCase() &&
    productId === match.productId.toLowerCase() &&
    (match.serialNumber === undefined || serialNumber === match.serialNumber)
  );
}

async function describe(entry: string, name: string, root: string): Promise<UsbDevice | undefined> {
  const device = await usbDeviceOf(entry);
  if (device === undefined) return undefined;
  const tty = path.join(root, "dev", name);
  const [vendorId = "", productId = "", serialNumber, byId, byPath] = await Promise.all([
    attribute(device, "idVendor"),
    attribute(device, "idProduct"),
    attribute(device, "serial"),
    linkTo(tty, path.join(root, "dev/serial/by-id")),
    linkTo(tty, path.join(root, "dev/serial/by-path")),
  ]);
  return {
    tty,
    vendorId: vendorId.toLowerCase(),
    productId: productId.toLowerCase(),
    usbName: path.basename(device),
    ...(serialNumber === undefined ? {} : { serialNumber }),
    ...(byId === undefined ? {} : { byId }),
    ...(byPath === undefined ? {} : { byPath }),
  };
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

/** By-id names of devices without a serial number collide, so the link must lead to this very tty. */
async function linkTo(tty: string, directory: string): Promise<string | undefined> {
  for (const name of (await entries(directory)).sort()) {
    const link = path.join(directory, name);
    if ((await realpath(link).catch((error: unknown) => absent(error, undefined))) === tty) return link;
  }
  return undefined;
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
