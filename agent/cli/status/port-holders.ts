import { realpath } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { StatusDocument } from "../../api/status-document.ts";
import type { PortHolder } from "../../common/failure-params.ts";
import { readHolders } from "../../diagnostics/host/port-holders.ts";
import type { DescribedFailure } from "../../messages/failure-text.ts";

/**
 * A status with whoever holds the port where the agent was told that it is busy: the agent's user cannot see whose files are open, and a
 * technician as root can. Where nothing can be seen, the status as it is.
 */
export async function withPortHolders(document: StatusDocument): Promise<StatusDocument> {
  const { last_error: last, bridge, pid } = document;
  const busy = [last, bridge?.problem].find((failure) => failure?.code === "BRIDGE_BUSY");
  const holders = busy && (await holdersOf(busy, pid));
  if (holders === undefined) return document;
  const told = <T extends DescribedFailure>(failure: T): T =>
    failure.code === "BRIDGE_BUSY" ? { ...failure, params: { ...failure.params, holders } } : failure;
  return {
    ...document,
    last_error: last && told(last),
    ...(bridge && { bridge: { ...bridge, problem: bridge.problem && told(bridge.problem) } }),
  };
}

async function holdersOf(
  { params }: DescribedFailure,
  agentPid: number | undefined,
): Promise<readonly PortHolder[] | undefined> {
  const { path } = params ?? {};
  if (typeof path !== "string") return undefined;
  try {
    const { others } = await readHolders(await realpath(path), { agentPid }, sleep);
    return others.length === 0 ? undefined : others;
  } catch {
    // The device has gone meanwhile: the status says what the agent has met.
    return undefined;
  }
}
