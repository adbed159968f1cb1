import type { BridgeIdentity, SdkDriver } from "../../drivers/driver.ts";
import type { Clock } from "../clock.ts";
import { AgentError } from "../errors.ts";
import type { AuthinfoAnswer, WechatPay } from "../wechatpay/wechatpay.ts";

/** The two ends an attempt goes through. */
export interface Line {
  readonly driver: Pick<SdkDriver, "whenReady" | "getRawData" | "status" | "subscribe">;
  readonly wechatpay: Pick<WechatPay, "requestAuthinfo">;
}

export interface AttemptOptions {
  readonly configuredDeviceId?: string;
  /** How long a bridge that is not ready is waited for. */
  readonly bridgeWaitMs: number;
  readonly planned: boolean;
  readonly newestSignedAtS: number;
  /** The authinfo that is to be renewed. */
  readonly held?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Obtained {
  readonly answer: AuthinfoAnswer;
  readonly deviceId: string;
  readonly netId?: string;
}

/** One attempt: a fresh raw_data from the SDK, then one signed request with it. Rejects with the AgentError of the link at fault. */
export async function obtain(line: Line, options: AttemptOptions): Promise<Obtained> {
  await waitForBridge(line, options);
  const { rawData, identity } = await line.driver.getRawData(options.signal);
  const deviceId = resolveDeviceId(identity, options.configuredDeviceId);
  const answer = await line.wechatpay.requestAuthinfo(
    { deviceId, rawData, ...(options.held === undefined ? {} : { held: options.held }) },
    { planned: options.planned, newestSignedAtS: options.newestSignedAtS, signal: options.signal },
  );
  return identity.netId === undefined ? { answer, deviceId } : { answer, deviceId, netId: identity.netId };
}

/** A bridge that stays away is no error here: `getRawData` then rejects with the line's own problem. */
async function waitForBridge({ driver }: Line, { clock, bridgeWaitMs, signal }: AttemptOptions): Promise<void> {
  const enough = new AbortController();
  const both = AbortSignal.any([signal, enough.signal]);
  const ready = driver.whenReady(both).then(
    () => undefined,
    () => undefined,
  );
  const timer = clock.sleep(bridgeWaitMs, both).catch(() => undefined);
  await Promise.race([ready, timer]);
  enough.abort();
  signal.throwIfAborted();
}

/** Contract 2: the bridge's device id; the configured one where it reports none; a difference is an error. */
function resolveDeviceId(identity: Pick<BridgeIdentity, "deviceId">, configured: string | undefined): string {
  const { deviceId } = identity;
  if (deviceId === undefined && configured === undefined) {
    throw new AgentError("DEVICE_ID_MISSING", {});
  }
  if (deviceId !== undefined && configured !== undefined && deviceId !== configured) {
    throw new AgentError("DEVICE_ID_MISMATCH", { bridge: deviceId, configured });
  }
  return deviceId ?? (configured as string);
}
