import { type Clock, orLate } from "../common/clock.ts";
import type { Random } from "../common/random.ts";
import type { DriverConfig } from "../config/config.ts";
import type { BridgeLine } from "../diagnostics/bridge-line.ts";
import type { AskBridge } from "./bridges.ts";

/** A bridge answers `hello` at once; the SDK behind it may take its time, which is not waited for here. */
const HELLO_MS = 3_000;
/** Sooner, so that its failure says what came instead of an answer. */
const CALL_MS = 2_500;

/** Opens a line as the agent does, greets, and closes it again. */
export function bridgeAsker(line: BridgeLine, clock: Clock, random: Random): AskBridge {
  return async ({ type, path }) => {
    const config: DriverConfig = {
      ...{ baudRate: 115_200, dataBits: 8, parity: "none", stopBits: 1, rtscts: false, init: {} },
      ...{ type, path, callTimeoutMs: CALL_MS, initTimeoutMs: HELLO_MS },
    };
    const driver = await line.open(config, { clock, random });
    driver.start();
    try {
      const waiting = new AbortController();
      const ready = driver.whenReady(waiting.signal).catch(() => undefined);
      await orLate(ready, HELLO_MS, clock);
      waiting.abort();
      // Greeted but not initialised is a bridge all the same.
      const { identity, problem } = driver.status();
      if (identity === undefined) return { code: problem?.code ?? "BRIDGE_TIMEOUT" };
      return { bridge: identity.bridge, ...(identity.deviceId === undefined ? {} : { deviceId: identity.deviceId }) };
    } finally {
      await driver.close();
    }
  };
}
