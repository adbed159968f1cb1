import type { DiagnoseContext } from "./check.ts";
import { payProbes } from "./pay-probe.ts";

export interface MeasuredDate {
  /** WeChat Pay's clock minus this machine's: positive when this machine is behind. */
  readonly offsetMs: number;
}

/**
 * How far this machine's clock is from WeChat Pay's, by the `Date` of an answer, be it a refusal; or by what the running agent has
 * learnt. Undefined when nobody has told. To be asked for by `context.once("wechatpay.date", ...)`.
 */
export async function measureDate(context: DiagnoseContext, signal: AbortSignal): Promise<MeasuredDate | undefined> {
  signal.throwIfAborted();
  const probes = context.outcome("net.link")?.status === "fail" ? [] : await payProbes(context);
  const measured = probes.find(({ skewMs }) => skewMs !== undefined)?.skewMs ?? learntByAgent(context);
  return measured === undefined ? undefined : { offsetMs: measured };
}

/** The agent counts it by the boot clock: it stays true however old the answer is. */
function learntByAgent({ agent }: DiagnoseContext): number | undefined {
  if (agent.kind !== "running") return undefined;
  const { clock } = agent.status;
  const skewS = typeof clock === "object" && clock !== null && "skew_s" in clock ? clock.skew_s : undefined;
  return typeof skewS === "number" ? skewS * 1_000 : undefined;
}
