import { askAgent } from "../api/admin-client.ts";
import { AgentError, asAgentError } from "../common/errors.ts";
import { silentLog } from "../common/log/log.ts";
import { userAgent } from "../common/version.ts";
import type { BridgeLine } from "./bridge-line.ts";
import { probeBridge } from "./bridge-probe.ts";
import type { DiagnoseContext } from "./check.ts";
import { secretsOf } from "./facts.ts";

/** What the request came to: the authinfo itself is thrown away, for the agent gets its own. */
export type Tried =
  | { readonly kind: "obtained" }
  | { readonly kind: "failed"; readonly error: AgentError }
  /** There was no raw_data, or no device to name, or no key. */
  | { readonly kind: "untried" };

const RAW_DATA_MS = 12_000;
export const REQUEST_MS = 20_000;

/**
 * The very request the terminal lives on, made in this process with the configuration on trial: what the agent at work has been answered
 * was an answer to another configuration. Only the raw_data may come through it, where it holds the line.
 */
export function tryRequest(context: DiagnoseContext, line: BridgeLine): Promise<Tried> {
  return context.once("trial.request", async () => {
    const { loaded, clock, random, trial } = context;
    // A line that another program has is left alone, and an SDK without data has none for this either.
    const data = context.outcome("ser.device_data")?.status;
    if (data !== "pass" && data !== "warn") return untried;
    const { secrets } = await secretsOf(context);
    const talk = await probeBridge(context, line);
    if (trial === undefined || loaded === undefined || secrets === undefined || talk.kind !== "spoken") return untried;
    const { identity, wechatpay: config } = loaded.config;
    const deviceId = talk.hello?.deviceId ?? identity.deviceId;
    const { holder } = trial;
    const rawData = holder.kind === "agent" ? await throughAgent(holder.apiSocket, clock.wall()) : talk.rawData;
    if (rawData === undefined || deviceId === undefined) return untried;
    const { createWechatPay } = await import("../wechatpay/client.ts");
    const client = createWechatPay({ config, identity, secrets, clock, random, userAgent, log: silentLog });
    const signal = AbortSignal.timeout(REQUEST_MS);
    try {
      await client.requestAuthinfo({ deviceId, rawData }, { planned: true, newestSignedAtS: 0, signal });
      return { kind: "obtained" };
    } catch (error) {
      const late = signal.aborted && new AgentError("PAY_TIMEOUT.attempt", { ms: REQUEST_MS });
      return { kind: "failed", error: late || asAgentError(error) };
    } finally {
      await client.close();
    }
  });
}

const untried: Tried = { kind: "untried" };

/** As a cashier app asks for it (specification 5); undefined when there is none, which ser.device_data tells of. */
async function throughAgent(apiSocket: string, wallMs: number): Promise<string | undefined> {
  const request = { cmd: "getWxpayfaceRawdata", version: "1", now: Math.floor(wallMs / 1_000) };
  const { body } = await askAgent(apiSocket, "POST", "/v1/sdk/call", RAW_DATA_MS, request).catch(() => ({ body: {} }));
  const { rawdata } = body as { rawdata?: unknown };
  return typeof rawdata === "string" && rawdata !== "" ? rawdata : undefined;
}
