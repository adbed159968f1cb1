import type { BridgeLine } from "../bridge-line.ts";
import type { Check } from "../check.ts";
import { talkChecks } from "./handshake-checks.ts";
import { portChecks } from "./port-checks.ts";

/**
 * Section 4 of reference 7.3: the device, then who answers on it. With the agent running the port stays its own, and it is asked;
 * with the agent dead we open it as it would.
 */
export function bridgeChecks(line: BridgeLine): readonly Check[] {
  return [...portChecks(line), ...talkChecks(line)];
}
