import type { UsbDevice } from "../../drivers/line/serial-lookup.ts";
import type { SdkDriver } from "../../drivers/sdk/driver.ts";
import type { Clock } from "../common/clock.ts";
import type { Random } from "../common/random.ts";
import type { DriverConfig } from "../config/config.ts";

export interface LineParts {
  readonly initPasswd?: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** The driver's side of the bridge checks: the composition root gives it, for diagnose knows no driver. */
export interface BridgeLine {
  /** Every serial device on USB. */
  devices(): Promise<readonly UsbDevice[]>;
  /** A driver for this configuration, not started. */
  open(config: DriverConfig, parts: LineParts): Promise<SdkDriver>;
}
