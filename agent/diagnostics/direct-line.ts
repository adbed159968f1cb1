import { silentLog } from "../common/log/log.ts";
import { version } from "../common/version.ts";
import type { BridgeLine } from "./bridge-line.ts";

/** The composition root of the bridge checks: the agent's own drivers. Nothing of them is loaded before it is needed. */
export const ownLine: BridgeLine = {
  async devices() {
    const { listUsbSerial } = await import("../../drivers/line/serial-lookup.ts");
    return await listUsbSerial();
  },
  async open(config, parts) {
    const { openDriver } = await import("../../drivers/sdk/open-driver.ts");
    return openDriver(config, { ...parts, version, log: silentLog });
  },
};
