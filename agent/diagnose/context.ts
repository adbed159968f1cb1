import type { Clock } from "../clock.ts";
import { AgentUnreachable, askAgent } from "../commands/admin-client.ts";
import type { LoadedConfig } from "../config/load.ts";
import { readRemembered } from "../config/remembered.ts";
import { packagedSockets } from "../config/schema.ts";
import type { Environment } from "../config/settings.ts";
import type { Entropy } from "../entropy.ts";
import { lookupGroup } from "../group.ts";
import type { AgentReading, DiagnoseContext, ServiceUser } from "./check.ts";
import type { Turn } from "./engine.ts";
import { agentPid, configurationOf, stateDirectoryOf, unitsOf } from "./facts.ts";
import { environmentOf, environmentOfProcess, withServiceEnvironment } from "./service-environment.ts";
import { ownUser, userOfOwner, userOfProcess, userOfUnit } from "./service-user.ts";
import { type Units, wordsOf } from "./units.ts";

export interface ContextParts {
  readonly configFile: string;
  /** The unit is about the packaged configuration; another one belongs to an agent that somebody runs by hand. */
  readonly packagedConfigFile: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Filled by the runner, check by check. */
  readonly turns: ReadonlyMap<string, Turn>;
}

/** A status document is made from memory; an agent that needs longer is in trouble. */
const STATUS_MS = 3_000;

/** Looks around once: which configuration is in force, whether the agent answers, as whom it runs, whether it is installed. */
export async function createContext(parts: ContextParts): Promise<DiagnoseContext> {
  const { configFile, clock, entropy, turns } = parts;
  const memory = new Map<string, Promise<unknown>>();
  const once = <T>(name: string, read: () => Promise<T>): Promise<T> => {
    const known = memory.get(name) as Promise<T> | undefined;
    const fact = known ?? read();
    memory.set(name, fact);
    return fact;
  };
  if (configFile !== parts.packagedConfigFile) memory.set("units", Promise.resolve(undefined));
  const units = await unitsOf({ once });
  const look = async (env: Environment) => ({ env, loaded: await inForce({ once, configFile, env }) });

  let { env, loaded } = await look(parts.env);
  const pid = await agentPid({ once, loaded, clock });
  const service = await serviceEnvironment(pid, units);
  if (service !== undefined) {
    memory.delete("configuration");
    ({ env, loaded } = await look(withServiceEnvironment(parts.env, service)));
  }
  const adminSocket = loaded?.config.api.adminSocket ?? packagedSockets.admin;
  const [agent, user] = await Promise.all([
    readAgent(adminSocket),
    serviceUser(pid, units, stateDirectoryOf({ loaded })),
  ]);
  return {
    ...{ configFile, env, loaded, agent, adminSocket, user, clock, entropy, once },
    apiSocket: loaded?.config.api.socket ?? packagedSockets.api,
    installed: units !== undefined,
    outcome: (id) => turns.get(id),
  };
}

/** The file's configuration, else the remembered one. */
async function inForce(
  context: Pick<DiagnoseContext, "once" | "configFile" | "env">,
): Promise<LoadedConfig | undefined> {
  const present = await configurationOf(context);
  if (present.kind === "ok") return present;
  if (present.kind === "absent") return undefined;
  const remembered = await readRemembered(present.storeDirectory, context.env);
  return remembered?.kind === "ok" ? remembered : undefined;
}

async function serviceEnvironment(pid: number | undefined, units: Units | undefined): Promise<Environment | undefined> {
  const running = pid === undefined ? undefined : await environmentOfProcess(pid);
  return running ?? (units && environmentOf(wordsOf(units.service.Environment)));
}

/** Of a running agent the kernel knows; else what the unit says; else whose state it is. */
async function serviceUser(
  pid: number | undefined,
  units: Units | undefined,
  stateDirectory: string,
): Promise<ServiceUser> {
  const running = pid === undefined ? undefined : await userOfProcess(pid);
  if (running !== undefined) return running;
  if (units !== undefined) {
    const { User: user = "", Group: group = "", SupplementaryGroups: more } = units.service;
    const unit = await userOfUnit({ user, group, supplementaryGroups: wordsOf(more) }, lookupGroup);
    if (unit !== undefined) return unit;
  }
  return (await userOfOwner(stateDirectory)) ?? (await ownUser());
}

async function readAgent(socket: string): Promise<AgentReading> {
  try {
    const { status, body } = await askAgent(socket, "GET", "/v1/status", STATUS_MS);
    return status === 200 ? { kind: "running", status: body } : { kind: "silent" };
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    return { kind: error.reason };
  }
}
