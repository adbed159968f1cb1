import type { DriverStatus } from "../../drivers/sdk/driver.ts";
import { type AdminAnswer, AgentUnreachable, askAgent } from "../api/admin-client.ts";
import { asAgentError } from "../common/errors.ts";
import type { DriverConfig } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { DescribedFailure } from "../messages/failure-text.ts";
import type { BridgeLine } from "./bridge-line.ts";
import type { DiagnoseContext } from "./check.ts";
import { hasNoConfiguration, secretsOf } from "./facts.ts";

/** What a talk with the bridge came to, through the running agent or, when there is none, by ourselves. */
export type BridgeProbe = ProbedBridge | { readonly kind: "unasked"; readonly why: "forbidden" | "silent" };

export interface ProbedBridge {
  readonly kind: "spoken";
  readonly by: "agent" | "self";
  /** The device or socket. */
  readonly path: string;
  /** From the last `hello` that was understood; undefined while there was none. */
  readonly hello?: { readonly bridge: string; readonly protocol: string; readonly deviceId?: string };
  readonly helloMs?: number;
  readonly rawDataMs?: number;
  readonly rawDataLength?: number;
  /** For the request of a trial, once. A secret: never shown. */
  readonly rawData?: string;
  /** The decoder's counters of this talk, and of the agent's life before it. */
  readonly frames: Readonly<Record<string, number>>;
  readonly earlier?: Readonly<Record<string, number>>;
  /** BRIDGE_*, SDK_*, DEVICE_ID_*. */
  readonly failure?: DescribedFailure;
}

/** The agent's driver waits as long as the configuration says; a technician less. */
const CALL_MS = 5_000;
const INIT_MS = 8_000;
const OWN_TALK_MS = 14_000;
const POLL_MS = 25;
/** Enough for the agent's own deadlines of hello, init and rawdata at their usual length. */
const AGENT_TALK_MS = 15_000;
const STATUS_MS = 3_000;

/** Longer than either way of talking takes. */
export const TALK_MS = 17_000;

/** Once in a run. Polite: while an agent runs, or may be running, the port is its own; without a configuration it has none. */
export function probeBridge(context: DiagnoseContext, line: BridgeLine): Promise<BridgeProbe> {
  return context.once("bridge.talk", async () => {
    const { agent, loaded, trial } = context;
    if (trial?.holder.kind === "unasked") return trial.holder;
    if (trial?.holder.kind === "agent") return await throughAgent(context, trial.holder.adminSocket);
    if (agent.kind === "forbidden" || agent.kind === "silent") return { kind: "unasked", why: agent.kind };
    if (agent.kind === "running" && !hasNoConfiguration(agent)) return await throughAgent(context, context.adminSocket);
    if (loaded === undefined) throw new RangeError("a talk without a configuration");
    return await byOurselves(context, loaded, line);
  });
}

async function throughAgent({ loaded }: DiagnoseContext, adminSocket: string): Promise<BridgeProbe> {
  try {
    const { body: before } = await askAgent(adminSocket, "GET", "/v1/status", STATUS_MS);
    const probed = await askAgent(adminSocket, "POST", "/v1/bridge/probe", AGENT_TALK_MS);
    const { body: status } = await askAgent(adminSocket, "GET", "/v1/status", STATUS_MS);
    const heard = heardFromAgent(probed, status, loaded?.config.driver.path ?? "");
    return { ...heard, ...apart(framesIn(before), heard.frames) };
  } catch (error) {
    if (error instanceof AgentUnreachable) return { kind: "unasked", why: "silent" };
    throw error;
  }
}

/** What of the agent's two answers is of use. Pure. */
export function heardFromAgent(
  { status, body }: AdminAnswer,
  document: Readonly<Record<string, unknown>>,
  path: string,
): ProbedBridge {
  const bridge = (document.bridge ?? {}) as Readonly<Record<string, unknown>>;
  const {
    bridge: name = bridge.bridge,
    protocol = bridge.protocol,
    device_id: deviceId = bridge.device_id,
  } = status === 200 ? body : {};
  const greeted = typeof name === "string" && typeof protocol === "string" && bridge.state !== "opening";
  const common = {
    kind: "spoken",
    by: "agent",
    path: typeof bridge.path === "string" ? bridge.path : path,
    frames: framesIn(document),
    ...(greeted ? { hello: { bridge: name, protocol, ...(typeof deviceId === "string" ? { deviceId } : {}) } } : {}),
  } as const;
  if (status === 200) {
    const { hello_ms, rawdata_ms, rawdata_length } = body;
    return {
      ...common,
      helloMs: Number(hello_ms),
      rawDataMs: Number(rawdata_ms),
      rawDataLength: Number(rawdata_length),
    };
  }
  const cause = body.cause as DescribedFailure | undefined;
  return { ...common, failure: cause ?? { code: String(body.code), detail: String(body.title ?? "") } };
}

function framesIn({ bridge }: Readonly<Record<string, unknown>>): ProbedBridge["frames"] {
  return ((bridge ?? {}) as { frames?: ProbedBridge["frames"] }).frames ?? {};
}

/** Pure: what was counted before the talk, and in it. */
function apart(earlier: ProbedBridge["frames"], all: ProbedBridge["frames"]): Pick<ProbedBridge, "frames" | "earlier"> {
  const frames = Object.entries(all).map(([outcome, count]) => [outcome, count - (earlier[outcome] ?? 0)] as const);
  return { earlier, frames: Object.fromEntries(frames) };
}

async function byOurselves(context: DiagnoseContext, loaded: LoadedConfig, line: BridgeLine): Promise<ProbedBridge> {
  const { clock, random } = context;
  const { driver: configured } = loaded.config;
  const { secrets } = await secretsOf(context);
  const initPasswd = secrets?.initPasswd;
  const driver = await line.open(shortened(configured), {
    clock,
    random,
    ...(initPasswd === undefined ? {} : { initPasswd }),
  });
  const deadline = AbortSignal.timeout(OWN_TALK_MS);
  const read = async () => {
    driver.start();
    // The first word of trouble is what counts; the driver itself would try for ever.
    while (driver.status().state !== "ready" && driver.status().problem === undefined && !deadline.aborted) {
      await clock.sleep(POLL_MS, deadline).catch(() => undefined);
    }
    try {
      const { helloMs, rawDataMs, rawDataLength } = await driver.probe(deadline);
      const rawData = context.trial && (await driver.getRawData(deadline)).rawData;
      return { helloMs, rawDataMs, rawDataLength, ...(rawData && { rawData }) };
    } catch (error) {
      return { failure: failureOf(error, driver.status()) };
    }
  };
  const settled = await read().finally(() => driver.close());
  // Only now is everything counted that has come in.
  return { ...greeting(driver.status()), ...settled };
}

function shortened(driver: DriverConfig): DriverConfig {
  return {
    ...driver,
    callTimeoutMs: Math.min(driver.callTimeoutMs, CALL_MS),
    initTimeoutMs: Math.min(driver.initTimeoutMs, INIT_MS),
  };
}

function greeting({ path, frames, identity }: DriverStatus): ProbedBridge {
  const { bridge, protocol, deviceId } = identity ?? {};
  const hello =
    bridge === undefined || protocol === undefined
      ? {}
      : { hello: { bridge, protocol, ...(deviceId === undefined ? {} : { deviceId }) } };
  return { kind: "spoken", by: "self", path, frames, ...hello };
}

function failureOf(error: unknown, { problem }: DriverStatus): DescribedFailure {
  const { code, params } = problem ?? asAgentError(error);
  return { code, ...(params === undefined ? {} : { params }) };
}
