import { readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { UsbDevice } from "../../../drivers/line/serial-lookup.ts";
import { isNotPermitted } from "../../common/errors.ts";
import type { DriverConfig } from "../../config/config.ts";
import { wrongDevice } from "../../messages/remedies/line-rules.ts";
import type { BridgeLine } from "../bridge-line.ts";
import type { Outcome } from "../check.ts";
import { found, needsSudo } from "../outcomes.ts";

/** What the configuration leads to at this moment. */
export interface Port {
  readonly driver: DriverConfig;
  /** The configured path, or that of the one device that matches; undefined when nothing is there. */
  readonly path?: string;
  /** Of the path, with every link followed. */
  readonly device?: string;
  readonly kind?: "tty" | "socket" | "other";
  /** The calling user may not look where the path leads. */
  readonly hidden?: boolean;
  /** The USB device of the tty. */
  readonly usb?: UsbDevice;
  /** All that would do. */
  readonly candidates: readonly UsbDevice[];
  /** All that are plugged in. */
  readonly plugged: readonly UsbDevice[];
}

/** One that is there. */
export type PresentPort = Port & { readonly device: string; readonly path: string };

/** Where the configuration leads. */
export async function readPort(driver: DriverConfig, line: BridgeLine): Promise<Port> {
  const plugged = driver.type === "serial" ? await line.devices() : [];
  const { match } = driver;
  const candidates = match === undefined ? [] : plugged.filter((device) => fits(device, match));
  const [first] = candidates;
  const place = driver.path ?? first?.byId ?? first?.tty;
  const common = { driver, candidates, plugged };
  if (place === undefined) return common;
  let hidden = false;
  const device = await realpath(place).catch((error: unknown) => {
    hidden = isNotPermitted(error);
    return undefined;
  });
  if (hidden) return { ...common, path: place, hidden };
  if (device === undefined) return driver.path === undefined ? common : { ...common, path: place };
  const stats = await stat(device).catch(() => undefined);
  const isTty = stats?.isCharacterDevice() === true && (await ttyMajors())?.has(majorOf(stats.rdev)) !== false;
  const kind = isTty ? "tty" : stats?.isSocket() ? "socket" : "other";
  const usb = plugged.find(({ tty }) => tty === device);
  return { ...common, path: place, device, kind, ...(usb === undefined ? {} : { usb }) };
}

/**
 * Majors of the terminals that the kernel knows (proc(5)): a camera or a HID device is a character device, too, and a process that has
 * it open does not get in the way. Undefined where the kernel does not tell.
 */
async function ttyMajors(): Promise<ReadonlySet<number> | undefined> {
  const text = await readFile("/proc/tty/drivers", "utf8").catch(() => "");
  const majors = text.split("\n").map((line) => /^.+\s+\/dev\/\S+\s+(\d+)\s/.exec(line)?.[1]);
  const known = new Set(majors.flatMap((major) => (major === undefined ? [] : [Number(major)])));
  return known.size === 0 ? undefined : known;
}

/** As glibc's `major()` (makedev(3)), for the twelve bits that Linux uses. */
function majorOf(device: number): number {
  return (device >>> 8) & 0xfff;
}

function fits(device: UsbDevice, { vendorId, productId, serialNumber }: NonNullable<DriverConfig["match"]>): boolean {
  const ids = device.vendorId === vendorId && device.productId === productId;
  return ids && (serialNumber === undefined || device.serialNumber === serialNumber);
}

export function judgePresence({ driver, path: place, device, kind, usb, plugged, hidden }: Port): Outcome {
  if (hidden) return needsSudo;
  const list = plugged.map(({ byId, tty, vendorId, productId }) => `${byId ?? tty} (${vendorId}:${productId})`);
  const value = { path: place, device, plugged: list };
  if (device === undefined) return absent(driver, place, list, value);
  if (kind !== (driver.type === "socket" ? "socket" : "tty")) {
    const id = driver.type === "socket" ? "line.not_socket" : "line.not_serial";
    return found("fail", { id, params: { path: `${place}` } }, { value, remedy: wrongDevice });
  }
  // A USB device is given the next free number each time it is plugged in: the plain name may lead elsewhere tomorrow.
  if (usb !== undefined && driver.path === usb.tty) {
    const better = usb.byId ?? usb.byPath;
    return found(
      "warn",
      { id: "line.name_may_change", params: { path: `${place}` } },
      {
        value,
        remedy: better === undefined ? undefined : { id: "line.write_path", params: { path: better } },
      },
    );
  }
  return found("pass", { id: "plain", params: { text: place ?? device } }, { value });
}

function absent(driver: DriverConfig, place: string | undefined, list: readonly string[], value: unknown): Outcome {
  const { match } = driver;
  const wanted =
    place ??
    `USB ${match?.vendorId}:${match?.productId}${match?.serialNumber === undefined ? "" : ` ${match.serialNumber}`}`;
  if (driver.type === "socket") {
    return found(
      "fail",
      { id: "line.absent_socket", params: { wanted } },
      {
        value,
        remedy: { id: "line.start_bridge" },
      },
    );
  }
  if (list.length === 0)
    return found(
      "fail",
      { id: "line.absent_no_usb", params: { wanted } },
      {
        value,
      },
    );
  return found(
    "fail",
    { id: "line.absent_others", params: { wanted, others: list } },
    {
      value,
      remedy: { id: "line.other_device" },
    },
  );
}

export function judgeUnique({ candidates, usb, driver, plugged }: Port): Outcome {
  if (candidates.length > 1) return several(candidates);
  // Without a serial number all devices of one make have the same by-id name, and the last one plugged in gets it.
  const twins = plugged.filter((each) => each.vendorId === usb?.vendorId && each.productId === usb.productId);
  const byId = path.dirname(driver.path ?? "").endsWith("/by-id");
  if (byId && usb?.serialNumber === undefined && twins.length > 1) return several(twins);
  return found("pass", { id: "line.only_one" }, { value: { candidates: 1 } });
}

function several(devices: readonly UsbDevice[]): Outcome {
  const names = devices.map(({ byId, byPath, tty, serialNumber }) =>
    serialNumber === undefined ? (byPath ?? tty) : (byId ?? tty),
  );
  return found(
    "fail",
    { id: "line.several", params: { count: devices.length, names } },
    {
      value: { candidates: names },
      remedy: { id: "line.name_one", params: { name: `${names[0]}` } },
    },
  );
}
