import type { Clock } from "../../agent/common/clock.ts";
import { AgentError } from "../../agent/common/errors.ts";
import type { Log } from "../../agent/common/log/log.ts";
import type { Random } from "../../agent/common/random.ts";
import type { DriverConfig } from "../../agent/config/config.ts";
import type { OpenStream } from "../line/open-stream.ts";
import type { SdkDriver } from "./driver.ts";
import { createSdkDriver } from "./sdk-driver.ts";

export interface DriverParts {
  /** The password of initWxpayface, from its file. A secret. */
  readonly initPasswd?: string;
  /** Further secrets that the bridge may know: nothing it says may repeat them. */
  readonly secrets?: () => readonly string[];
  /** The agent's version, for `hello`. */
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What opens the configured kind of line, unless the system is to. */
  readonly openLine?: (config: DriverConfig) => OpenStream;
}

/** The driver for the configured kind of line; `start()` it. Nothing heavy is loaded before the first opening. */
export function openDriver(config: DriverConfig, parts: DriverParts): SdkDriver {
  const open = parts.openLine?.(config) ?? streamFor(config, parts.clock);
  return createSdkDriver({ ...parts, config, open });
}

function streamFor(config: DriverConfig, clock: Clock): OpenStream {
  switch (config.type) {
    case "serial":
      return async (signal) => {
        const { serialStream } = await import("../line/serial-port.ts");
        return await serialStream(config, clock)(signal);
      };
    case "socket":
      return async (signal) => {
        if (config.path === undefined) throw new AgentError("CONFIG_INVALID.driver_path", {});
        const { unixSocketStream } = await import("../line/unix-socket.ts");
        return await unixSocketStream(config.path, clock)(signal);
      };
    case "simulator":
      return async () => {
        const { openSimulatedStream } = await import("../simulator/in-memory.ts");
        return openSimulatedStream();
      };
  }
}
