import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { FileMark } from "../../agent/common/files/file-watch.ts";
import { chanceFor, MARK, pick } from "./chance.ts";
import { keys, PLATFORM_KEY_ID } from "./pay.ts";

const HOUR_MS = 3_600_000;

/** What is true of one terminal for its whole simulated life. */
export interface Device {
  readonly mode: "direct" | "gateway";
  readonly baseUrls: readonly string[];
  readonly identity: {
    readonly sp_mchid: string;
    readonly sp_appid: string;
    readonly sub_mchid: string;
    readonly organization_id: string;
  };
  /** Which the board says first, and WeChat Pay knows. */
  deviceId: string;
  readonly merchantSerial: string;
  /** A secret. */
  readonly token: string;
  readonly lifetimeS: number;
  /** Of WeChat Pay's answers, seconds; undefined: it tells none, as documented. */
  readonly expiresIn: number | undefined;
  readonly staleS: number;
  /** Keeps the time while it is off. */
  readonly hasClockBattery: boolean;
  /** Of the day, ms; then the terminal sleeps, or is off. */
  readonly opensAtMs: number;
  readonly closesAtMs: number;
  readonly atNight: "sleeps" | "is_off";
  /** Of the week, 0 to 6; 7: none. */
  readonly closedOn: number;
}

export function drawDevice(seed: number): Device {
  const chance = chanceFor(seed, "device");
  const mode = chance.unit() < 0.7 ? "gateway" : "direct";
  const hosts = mode === "gateway" ? ["one.shop.example", "two.shop.example"] : ["api.pay.example", "api2.pay.example"];
  const urls = hosts.map((host) => `https://${host}${mode === "gateway" ? "/facepay" : ""}`);
  const allNight = chance.unit() < 0.05;
  const opens = 9 + chance.below(3);
  return {
    mode,
    baseUrls: chance.unit() < 0.75 ? urls : urls.slice(0, 1),
    identity: {
      sp_mchid: "1900000100",
      sp_appid: "wx2421b1c4370ec43b",
      sub_mchid: "1900000109",
      organization_id: "O004ABC8FZ2023031514461460894a",
    },
    deviceId: "SIMULATED-1",
    merchantSerial: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
    token: `${MARK}tk`.repeat(8),
    lifetimeS: 3_600,
    expiresIn: pick(chance, [undefined, undefined, 3_600, 7_200, 7_200]),
    staleS: pick(chance, [0, 3_600, 82_800]),
    hasClockBattery: chance.unit() < 0.5,
    opensAtMs: allNight ? 0 : opens * HOUR_MS,
    closesAtMs: allNight ? 24 * HOUR_MS : (opens + 5 + chance.below(4)) * HOUR_MS,
    atNight: chance.unit() < 0.5 ? "sleeps" : "is_off",
    closedOn: allNight ? 7 : chance.below(8),
  };
}

/** The configuration as a technician has put it there: real files, read when the agent reads its configuration. */
export class ConfigFiles {
  readonly directory: string;
  readonly #device: Device;
  /** How often each file has been written. */
  readonly #written = new Map<string, number>();

  constructor(directory: string, device: Device) {
    this.directory = directory;
    this.#device = device;
    for (const place of [directory, this.store]) mkdirSync(place, { recursive: true, mode: 0o700 });
    this.write("token", `${device.token}\n`);
    this.write("pub_key.pem", keys.platform.publicKey);
    this.write("apiclient_key.pem", keys.merchant.privateKey);
    this.use("good");
  }

  get file(): string {
    return path.join(this.directory, "config.toml");
  }

  get store(): string {
    return path.join(this.directory, "state");
  }

  use(content: "good" | "broken" | "unknown_key" | "more_log"): void {
    const logs = { good: 'level = "info"', more_log: 'level = "debug"', unknown_key: "colour = 1" };
    // Broken where the state directory is still to be read: without it nothing tells where the last good one is kept.
    const whole = content === "broken" ? `${this.#sections()}[log\n` : `${this.#sections()}[log]\n${logs[content]}\n`;
    this.write("config.toml", whole);
  }

  /** What a look at a file shows: kept here, so that looking costs no call of the system. */
  markOf(file: string): FileMark {
    const size = this.#written.get(file) ?? 0;
    return { ino: size, size, mtimeMs: size, ctimeMs: size };
  }

  write(name: string, content: string): void {
    const file = path.join(this.directory, name);
    this.#written.set(file, (this.#written.get(file) ?? 0) + 1);
    writeFileSync(file, content);
    chmodSync(file, 0o600);
  }

  #sections(): string {
    const { identity, mode, baseUrls, merchantSerial, staleS } = this.#device;
    const text = (pairs: Readonly<Record<string, unknown>>) =>
      Object.entries(pairs)
        .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
        .join("");
    const direct = {
      accept_key_on_device: true,
      merchant_serial_no: merchantSerial,
      merchant_private_key_file: "apiclient_key.pem",
    };
    return [
      `[identity]\n${text(identity)}`,
      `[driver]\n${text({ type: "socket", path: "/run/simulated-bridge.sock" })}`,
      `[wechatpay]\n${text({
        mode,
        base_urls: baseUrls,
        public_key_id: PLATFORM_KEY_ID,
        public_key_file: "pub_key.pem",
        ...(mode === "direct" ? direct : { bearer_token_file: "token" }),
      })}`,
      `[refresh]\n${text({ stale_s: staleS })}`,
      `[store]\n${text({ directory: this.store })}`,
    ].join("");
  }
}
