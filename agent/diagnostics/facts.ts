import type { LoadResult } from "../config/load.ts";
import { loadConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { type Secrets, withSecrets } from "../config/secrets/secrets.ts";
import { holderOf } from "../store/lock.ts";
import type { AgentReading, DiagnoseContext, Trial } from "./check.ts";
import { type OperatingSystem, readOperatingSystem } from "./host/host.ts";
import { CREDENTIALS, readUnits, type Units, type UnitsReading } from "./host/units.ts";

type Once = Pick<DiagnoseContext, "once">;

/** The state directory of a terminal that says nothing else (specification 2). */
const DEFAULT_STATE = "/var/lib/facepay-agent";

/** What stands in the configuration file, in force or not. */
export function configurationOf(
  context: Once & Pick<DiagnoseContext, "configFile" | "env"> & { readonly trial?: Trial | undefined },
): Promise<LoadResult> {
  const { configFile: file, env, trial } = context;
  return context.once("configuration", () => loadConfig({ file, text: trial?.text, env }));
}

export interface SecretFiles {
  /** All of them, when none has a problem. */
  readonly secrets: Secrets | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** The files that the configuration in force names, read with the rights of the calling user, judged for the service's user. */
export function secretsOf(
  context: Pick<DiagnoseContext, "once" | "env" | "loaded" | "user" | "clock" | "trial">,
): Promise<SecretFiles> {
  return context.once("secrets", async () => {
    const { loaded, env, user, clock, trial } = context;
    if (loaded === undefined) return { secrets: undefined, problems: [], warnings: [] };
    const checkup = await withSecrets(loaded, { env, wallMs: clock.wall(), uid: user.uid, given: trial?.files });
    if (checkup.kind === "ok") return { secrets: checkup.secrets, problems: [], warnings: checkup.warnings };
    return checkup.kind === "invalid"
      ? { secrets: undefined, problems: checkup.problems, warnings: checkup.warnings }
      : { secrets: undefined, problems: [], warnings: [] };
  });
}

/** It runs, but was started before there was a configuration, and holds neither bridge nor state. */
export function hasNoConfiguration(agent: AgentReading): boolean {
  if (agent.kind !== "running") return false;
  const { authinfo } = agent.status;
  return authinfo?.state === "unprovisioned";
}

/** By its own word, which an agent without a configuration gives as well. */
export function pidOf(agent: AgentReading): number | undefined {
  if (agent.kind !== "running") return undefined;
  const { pid } = agent.status;
  return typeof pid === "number" ? pid : undefined;
}

/** What systemd says of the service, read once. */
export function unitsReadingOf(context: Once): Promise<UnitsReading> {
  return context.once("units", readUnits);
}

/** Undefined without systemd, when the service is not installed, and when systemd could not be asked in time. */
export async function unitsOf(context: Once): Promise<Units | undefined> {
  const reading = await unitsReadingOf(context);
  return reading.kind === "installed" ? reading.units : undefined;
}

/** A credential of systemd's is there only while its service runs: a stopped service has lost none. */
export function isPutAway(file: string, { agent }: Pick<DiagnoseContext, "agent">): boolean {
  return file.startsWith(CREDENTIALS) && agent.kind === "absent";
}

export function stateDirectoryOf({ loaded }: Pick<DiagnoseContext, "loaded">): string {
  return loaded?.config.store.directory ?? DEFAULT_STATE;
}

/** The process that holds the state directory: the agent itself, whether its sockets can be found or not. */
export function agentPid(context: Once & Pick<DiagnoseContext, "loaded" | "clock">): Promise<number | undefined> {
  return context.once("agent pid", async () => {
    const units = await unitsOf(context);
    const main = Number(units?.service.MainPID ?? 0);
    if (main > 0) return main;
    // Not ours to read, or not there: then it is not known.
    return await holderOf(stateDirectoryOf(context), context.clock).catch(() => undefined);
  });
}

export function operatingSystemOf(context: Once): Promise<OperatingSystem> {
  return context.once("os", readOperatingSystem);
}
