import type { SdkDriver, UsbDevice } from "../../drivers/driver.ts";
import type { Clock } from "../clock.ts";
import type { DriverConfig } from "../config/config.ts";
import type { Entropy } from "../entropy.ts";

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
