import path from "node:path";
import { isDeviceId } from "../../../drivers/bridge/device-id.ts";
import type { Bilingual } from "../../common/language.ts";
import type { DriverConfig } from "../../config/config.ts";

/** What the command line of `bridge` said, checked for nothing yet. */
export interface BridgeOptions {
  readonly lang?: string;
  readonly library?: string;
  readonly port?: string;
  readonly socket?: string;
  readonly socketMode?: string;
  readonly socketGroup?: string;
  readonly deviceId?: string;
  readonly deviceIdFile?: string;
  readonly netId?: string;
  readonly callTimeout?: string;
  readonly initTimeout?: string;
  readonly sdkOutput?: boolean;
  readonly baudRate?: string;
  readonly dataBits?: string;
  readonly parity?: string;
  readonly stopBits?: string;
  readonly rtscts?: boolean;
  /** The conformance kit instead of a bridge. */
  readonly check?: string;
  readonly json?: boolean;
  readonly calls?: string;
  readonly silence?: string;
  readonly restart?: string;
  readonly only?: string;
  readonly list?: boolean;
}

/** The kit's own exit code for a wrong command line, as diagnose has it (specification 8). */
export const CHECK_USAGE = 3;

export function asksForCheck(argv: readonly string[]): boolean {
  return argv[0] === "bridge" && argv.some((word) => word === "--check" || word.startsWith("--check="));
}

/** A mistake on the command line, or in what it names. */
export class BridgeUsage extends Error {
  override readonly name = "BridgeUsage";
  readonly words: Bilingual;
  readonly exitCode: number;

  constructor(words: Bilingual, exitCode = 64) {
    super(words.en);
    this.words = words;
    this.exitCode = exitCode;
  }
}

export interface BridgeSettings {
  readonly library: string;
  readonly place:
    | { readonly port: DriverConfig }
    | { readonly socket: { readonly path: string; readonly mode: number; readonly group?: string } };
  readonly callTimeoutMs: number;
  readonly initTimeoutMs: number;
}

/** A second before the agent's own deadlines (specification 2), so that the agent hears that the SDK hangs instead of nothing. */
const CALL_TIMEOUT_MS = 9_000;
const INIT_TIMEOUT_MS = 14_000;
const MOST_TIMEOUT_MS = 600_000;
const SOCKET_MODE = "0660";

export function settingsOf(options: BridgeOptions): BridgeSettings {
  const { library, port, socket, socketMode = SOCKET_MODE, socketGroup, deviceId, deviceIdFile } = options;
  if (library === undefined) {
    throw new BridgeUsage({
      zh: "请用 --library 指定厂商 SDK 的库文件（.so）",
      en: "name the vendor's library (.so) with --library",
    });
  }
  if ((port === undefined) === (socket === undefined)) {
    throw new BridgeUsage({
      zh: "请用 --port 指定串口，或用 --socket 指定 unix socket，二者选一",
      en: "name either a serial device with --port or a unix socket with --socket",
    });
  }
  if (!/^0?[0-7]{3}$/.test(socketMode)) {
    throw new BridgeUsage({ zh: "--socket-mode 应为八进制权限，如 0660", en: "--socket-mode is octal, such as 0660" });
  }
  if (deviceId !== undefined && deviceIdFile !== undefined) {
    throw new BridgeUsage({
      zh: "--device-id 与 --device-id-file 只能给出一个",
      en: "give either --device-id or --device-id-file",
    });
  }
  if (deviceId !== undefined && !isDeviceId(deviceId)) {
    throw new BridgeUsage({
      zh: "--device-id 应为 1 至 32 个可打印的 ASCII 字符",
      en: "--device-id is 1 to 32 printable ASCII characters",
    });
  }
  const place =
    port !== undefined
      ? { port: lineConfig(path.resolve(port), options) }
      : {
          socket: {
            path: path.resolve(socket ?? ""),
            mode: Number.parseInt(socketMode, 8),
            ...(socketGroup !== undefined && { group: socketGroup }),
          },
        };
  return {
    library: path.resolve(library),
    place,
    callTimeoutMs: wholeNumber("--call-timeout", options.callTimeout, CALL_TIMEOUT_MS, 10, MOST_TIMEOUT_MS),
    initTimeoutMs: wholeNumber("--init-timeout", options.initTimeout, INIT_TIMEOUT_MS, 10, MOST_TIMEOUT_MS),
  };
}

/** The serial line, with the agent's own defaults (specification 2). */
export function lineConfig(port: string, options: BridgeOptions, exitCode?: number): DriverConfig {
  const choice = <T extends string>(name: string, value: string | undefined, known: readonly [T, ...T[]]): T => {
    const found = known.find((one) => one === (value ?? known[0]));
    if (found !== undefined) return found;
    const words = { zh: `${name} 应为 ${known.join("、")} 之一`, en: `${name} is one of ${known.join(", ")}` };
    throw new BridgeUsage(words, exitCode);
  };
  return {
    type: "serial",
    path: port,
    baudRate: wholeNumber("--baud-rate", options.baudRate, 115_200, 50, 4_000_000, exitCode),
    dataBits: choice("--data-bits", options.dataBits, ["8", "7"]) === "8" ? 8 : 7,
    parity: choice("--parity", options.parity, ["none", "even", "odd"]),
    stopBits: choice("--stop-bits", options.stopBits, ["1", "2"]) === "1" ? 1 : 2,
    rtscts: options.rtscts ?? false,
    callTimeoutMs: CALL_TIMEOUT_MS,
    initTimeoutMs: INIT_TIMEOUT_MS,
    init: {},
  };
}

export function wholeNumber(
  name: string,
  value: string | undefined,
  otherwise: number,
  least: number,
  most: number,
  exitCode?: number,
): number {
  if (value === undefined) return otherwise;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  const words = {
    zh: `${name} 应为 ${least} 至 ${most} 的整数`,
    en: `${name} is a whole number from ${least} to ${most}`,
  };
  throw new BridgeUsage(words, exitCode);
}
