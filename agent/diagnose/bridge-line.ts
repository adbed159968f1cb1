import type { SdkDriver } from "../../drivers/driver.ts";
import type { Clock } from "../clock.ts";
import type { DriverConfig } from "../config/config.ts";
import type { Entropy } from "../entropy.ts";

/** A serial device on USB, as this machine sees it. */
export interface UsbDevice {
  /** /dev/tty*. */
  readonly tty: string;
  readonly vendorId: string;
  readonly productId: string;
  readonly serialNumber?: string;
  /** "1-1.2": by this the kernel's log calls it. */
  readonly usbName: string;
  readonly byId?: string;
  readonly byPath?: string;
}

export interface LineParts {
  readonly initPasswd?: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** The driver's side of the bridge checks: the composition root gives it, for diagnose knows no driver. */
export interface BridgeLine {
  /** Every serial device on USB. */
  devices(): Promise<readonly UsbDevice[]>;
  /** A driver for this configuration, not started. */
  open(config: DriverConfig, parts: LineParts): Promise<SdkDriver>;
}
