import type { BridgeIdentity, SdkDriver } from "../../drivers/sdk/driver.ts";
import { type Clock, orLate, unlessAborted } from "../common/clock.ts";
import { AgentError } from "../common/errors.ts";
import type { Config } from "../config/config.ts";
import type { AuthinfoAnswer, WechatPay } from "../wechatpay/wechatpay.ts";

/** The two ends an attempt goes through. */
export interface CredentialSources {
  readonly driver: Pick<SdkDriver, "whenReady" | "getRawData" | "status" | "subscribe">;
  readonly wechatpay: Pick<WechatPay, "requestAuthinfo">;
  /** Why nothing may be asked of either end, if so. */
  readonly barred?: AgentError;
}

export interface AttemptTimes {
  /** How long a bridge that is not ready is waited for, ms. */
  readonly bridgeWaitMs: number;
  /** All steps together, the wait for the bridge and for the line included, ms. */
  readonly attemptMs: number;
}

/**
 * Time for every step of its own deadline that may be slow each time: a bridge that comes back or one call of the cashier app before it, an init
 * or a slow rawdata, and both base URLs.
 */
export function attemptTimes({ driver, wechatpay }: Pick<Config, "driver" | "wechatpay">): AttemptTimes {
  const { callTimeoutMs, initTimeoutMs } = driver;
  return {
    bridgeWaitMs: callTimeoutMs,
    attemptMs: callTimeoutMs + Math.max(callTimeoutMs, initTimeoutMs) + 2 * wechatpay.attemptTimeoutMs,
  };
}

export interface AttemptOptions {
  readonly configuredDeviceId?: string;
  readonly times: AttemptTimes;
  readonly planned: boolean;
  readonly newestSignedAtS: number;
  /** The authinfo that is to be renewed. */
  readonly held?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface FetchedCredential {
  readonly answer: AuthinfoAnswer;
  readonly deviceId: string;
  readonly netId?: string;
}

/**
 * One attempt: a fresh raw_data from the SDK, then one signed request with it. Rejects with the AgentError of the link at fault, and with
 * ATTEMPT_TIMEOUT when all of it together takes too long, whatever its steps do.
 */
export async function fetchCredential(sources: CredentialSources, options: AttemptOptions): Promise<FetchedCredential> {
  if (sources.barred) throw sources.barred;
  const { clock, times, signal } = options;
  let at: "line" | "wechatpay" = "line";
  const over = new AbortController();
  const giveUp = () => over.abort(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  const { attemptMs: ms } = times;
  const callOff = clock.timer(ms, () => over.abort(new AgentError(`ATTEMPT_TIMEOUT.${at}`, { ms })));
  const steps = async (): Promise<FetchedCredential> => {
    await waitForBridge(sources, options, over.signal);
    const { rawData, identity } = await sources.driver.getRawData(over.signal);
    at = "wechatpay";
    const deviceId = resolveDeviceId(identity, options.configuredDeviceId);
    const answer = await sources.wechatpay.requestAuthinfo(
      { deviceId, rawData, ...(options.held === undefined ? {} : { held: options.held }) },
      { planned: options.planned, newestSignedAtS: options.newestSignedAtS, signal: over.signal },
    );
    return identity.netId === undefined ? { answer, deviceId } : { answer, deviceId, netId: identity.netId };
  };
  try {
    return await unlessAborted(steps(), over.signal);
  } finally {
    signal.removeEventListener("abort", giveUp);
    callOff();
  }
}

/** A bridge that stays away is no error here: `getRawData` then rejects with the line's own problem. */
async function waitForBridge(
  { driver }: CredentialSources,
  { clock, times }: AttemptOptions,
  signal: AbortSignal,
): Promise<void> {
  const waiting = new AbortController();
  const ready = driver.whenReady(AbortSignal.any([signal, waiting.signal])).catch(() => undefined);
  await orLate(ready, times.bridgeWaitMs, clock);
  waiting.abort();
  signal.throwIfAborted();
}

/** Specification 2: the bridge's device id; the configured one where it reports none; a difference is an error. */
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
