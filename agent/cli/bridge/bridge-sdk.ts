import { hostSdk } from "../../../drivers/bridge/sdk-host.ts";

/** `facepay-agent bridge-sdk LIBRARY PID`: what `bridge` starts for the vendor's library; of no use to people. */
export async function bridgeSdk([library = "", parentPid = ""]: readonly string[]): Promise<number> {
  return await hostSdk(library, Number(parentPid));
}
