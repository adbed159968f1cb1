import { once } from "node:events";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { SerialPort } from "serialport";
import { type Clock, withDeadline } from "../../agent/common/clock.ts";
import { AgentError } from "../../agent/common/errors.ts";
import type { DriverConfig } from "../../agent/config/config.ts";
import {
  type NotOpened,
  OPEN_DEADLINE_MS,
  type OpenedStream,
  type OpenStream,
  openFailure,
  openTooLate,
} from "./open-stream.ts";
import { findSerialPort } from "./serial-lookup.ts";

/** The kernel may hold up the close of a tty while it waits for octets to leave it. */
const CLOSE_DEADLINE_MS = 2_000;

/**
 * Opens a serial device. Each call looks the device up anew and makes a new SerialPort: one that has lost its device
 * cannot always be opened again.
 */
export function serialStream(config: DriverConfig, clock: Clock): OpenStream {
  return async (signal) => {
    const path = config.path ?? (config.match && (await findSerialPort(config.match)));
    if (path === undefined) throw new AgentError("CONFIG_INVALID.driver", {});
    const device = await findDevice(path);
    const { SerialPort } = await import("serialport");
    signal.throwIfAborted();
    const port = new SerialPort({
      path,
      baudRate: config.baudRate,
      dataBits: config.dataBits,
      parity: config.parity,
      stopBits: config.stopBits,
      rtscts: config.rtscts,
      autoOpen: false,
      // An flock: keeps out other programs that use the same library, nothing else.
      lock: true,
      // DTR may be wired to the reset of the board: leave it alone when closing.
      hupcl: false,
    });
    await openPort(port, path, clock, signal);
    return new SerialLine(port, path, device, clock);
  };
}

class SerialLine implements OpenedStream {
  readonly stream: SerialPort;
  readonly path: string;
  readonly #device: number;
  readonly #clock: Clock;
  #closing: Promise<void> | undefined;

  constructor(port: SerialPort, path: string, device: number, clock: Clock) {
    this.stream = port;
    this.path = path;
    this.#device = device;
    this.#clock = clock;
    // A hung-up tty keeps the binding reading nothing at full speed (bindings-cpp#162), and a stream that has
    // destroyed itself leaves the device open: whatever ended the line, the device is given back at once.
    const giveBack = () => void this.close();
    port.once("close", giveBack);
    port.once("error", giveBack);
  }

  async alive(): Promise<void> {
    const gone = (cause?: unknown) => new AgentError("BRIDGE_LOST.path", { path: this.path }, { cause });
    const device = await findDevice(this.path).catch((error: unknown) => {
      throw gone(error);
    });
    // The same name may by now lead to another device.
    if (device !== this.#device || !this.stream.port?.isOpen) throw gone();
    // Fails on a hung-up tty, also on one that has reported nothing.
    await this.stream.port.getBaudRate().catch((error: unknown) => {
      throw gone(error);
    });
  }

  close(): Promise<void> {
    this.#closing ??= closePort(this.stream, this.#clock);
    return this.#closing;
  }
}

/** The device number behind a path. Rejects where it is missing, is no character device, or may not be used. */
async function findDevice(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (!found.isCharacterDevice()) {
      throw notSerial(path);
    }
    await access(path, constants.R_OK | constants.W_OK);
    return found.rdev;
  } catch (error) {
    throw openFailure(path, error);
  }
}

async function openPort(port: SerialPort, path: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const opening = Promise.withResolvers<void>();
  port.open((error) => (error ? opening.reject(error) : opening.resolve()));
  try {
    await withDeadline(opening.promise, OPEN_DEADLINE_MS, clock, () => openTooLate(path), signal);
  } catch (error) {
    // It may still open after we have turned away, and would then keep everyone out.
    opening.promise.then(
      () => closePort(port, clock),
      () => port.destroy(),
    );
    if (signal.aborted) throw signal.reason;
    if (isNoTty(error)) throw notSerial(path, error);
    throw openFailure(path, error, codeFromText(error));
  }
}

/**
 * What the binding's message says. Only here a text decides, because the binding reports `strerror()` and no code;
 * most cases are found before by `findDevice`, what remains is the lock and devices that vanish meanwhile.
 */
function codeFromText(error: unknown): NotOpened | undefined {
  const text = error instanceof Error ? error.message : "";
  if (/cannot lock port|resource busy/i.test(text)) return "BRIDGE_BUSY";
  if (/permission denied|operation not permitted/i.test(text)) return "BRIDGE_PERMISSION";
  if (/no such (file|device)/i.test(text)) return "BRIDGE_NOT_FOUND";
  return undefined;
}

/** A camera, a HID device, /dev/null: ENOTTY, in the words of `strerror()`. */
function isNoTty(error: unknown): boolean {
  return error instanceof Error && /inappropriate ioctl/i.test(error.message);
}

function notSerial(path: string, cause?: unknown): AgentError {
  return new AgentError("BRIDGE_OPEN_FAILED.not_serial", { path }, { cause });
}

async function closePort(port: SerialPort, clock: Clock): Promise<void> {
  const { port: binding } = port;
  const late = () => new AgentError("BRIDGE_LOST.not_released", {});
  const giveBack = async () => {
    // Begun by the stream itself; the lock is free only when it has ended.
    if (port.closing) await once(port, "close");
    if (!binding?.isOpen) return;
    // What has not left yet would make the kernel wait for it. Fails on a hung-up tty, where nothing waits.
    await binding.flush().catch(() => undefined);
    if (binding.isOpen) await binding.close();
  };
  try {
    await withDeadline(giveBack(), CLOSE_DEADLINE_MS, clock, late);
  } catch {
    // The close goes on in the background. A device still held is reported as busy by the next opening.
  }
  // Not before the device has been given back: destroy() alone would leave it open.
  if (!port.destroyed) port.destroy();
}
