import { realpath } from "node:fs/promises";
import path from "node:path";
import { AgentUnreachable, askAgent } from "../api/admin-client.ts";
import type { Clock } from "../common/clock.ts";
import { lookupGroup } from "../common/files/group.ts";
import type { Random } from "../common/random.ts";
import type { ApiConfig } from "../config/config.ts";
import type { Setting } from "../config/effective.ts";
import { readLastKnownGood } from "../config/files/last-known-good.ts";
import { readSources } from "../config/files/sources.ts";
import { isTable } from "../config/keys/fields.ts";
import { packagedSockets } from "../config/keys/schema.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Environment } from "../config/settings.ts";
import type { AgentReading, DiagnoseContext, LineHolder, ServiceUser, Trial } from "./check.ts";
import type { Turn } from "./engine.ts";
import {
  agentPid,
  configurationOf,
  hasNoConfiguration,
  pidOf,
  stateDirectoryOf,
  unitsOf,
  unitsReadingOf,
} from "./facts.ts";
import { accessOf } from "./host/rights.ts";
import { environmentOf, environmentOfProcess, withServiceEnvironment } from "./host/service-environment.ts";
import { ownUser, userOfOwner, userOfProcess, userOfUnit } from "./host/service-user.ts";
import { isUnitThere, type Units, type UnitsReading, wordsOf } from "./host/units.ts";

export interface ContextParts {
  readonly configFile: string;
  readonly trial?: Trial | undefined;
  /** The unit is about the packaged configuration; another one belongs to an agent that somebody runs by hand. */
  readonly packagedConfigFile: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: Random;
  /** Filled by the runner, check by check. */
  readonly turns: ReadonlyMap<string, Turn>;
}

/** A status document is made from memory; an agent that needs longer is in trouble. */
const STATUS_MS = 3_000;

/** Looks around once: which configuration is in force, whether the agent answers, as whom it runs, whether it is installed. */
export async function createContext(parts: ContextParts): Promise<DiagnoseContext> {
  const { configFile, trial, clock, random, turns } = parts;
  const memory = new Map<string, Promise<unknown>>();
  const once = <T>(name: string, read: () => Promise<T>): Promise<T> => {
    const known = memory.get(name) as Promise<T> | undefined;
    const fact = known ?? read();
    memory.set(name, fact);
    return fact;
  };
  if (configFile !== parts.packagedConfigFile) memory.set("units", Promise.resolve(noUnit));
  const reading = await unitsReadingOf({ once });
  const units = await unitsOf({ once });
  const look = async (env: Environment) => ({ env, loaded: await inForce({ once, configFile, env, trial }) });

  let { env, loaded } = await look(parts.env);
  const pid = await agentPid({ once, loaded, clock });
  const service = await serviceEnvironment(pid, units);
  if (service !== undefined) {
    memory.delete("configuration");
    ({ env, loaded } = await look(withServiceEnvironment(parts.env, service)));
  }
  const api = loaded?.config.api ?? (await withoutFile({ once, configFile, env, trial }));
  // An agent at work serves where the configuration says that it has, not the one on trial.
  const present = trial && (await inForce({ once: (_name, read) => read(), configFile, env }));
  const serving: Partial<ApiConfig> = present?.config.api ?? api ?? {};
  const { adminSocket = packagedSockets.admin, socket: apiSocket = packagedSockets.api } = serving;
  const [answer, { user, privileged }] = await Promise.all([
    isAsleep(units) ? absent : readAgent(adminSocket),
    whoServes(pid, units, loaded),
  ]);
  // It holds no lock where its directory was read-only at the start or has been removed since: then it says itself who it is.
  const ours = trial === undefined || isAbout(answer, configFile);
  if (pid === undefined && ours) memory.set("agent pid", Promise.resolve(pidOf(answer)));
  const blind = !privileged && readSources(configFile).problems.length > 0;
  const agent = answer.kind === "absent" ? unheard(pid, blind) : answer;
  const untried = lineChanges(present?.effective ?? [], loaded?.effective ?? []);
  const holder = trial && (ours ? await holderOfLine(agent, loaded, { adminSocket, apiSocket, untried }) : nobody);
  return {
    ...{ configFile, env, loaded, adminSocket, apiSocket, user, privileged, clock, random, once },
    ...(trial && holder && { trial: { ...trial, holder } }),
    agent: trial ? absent : agent,
    installed: reading.kind === "late" ? isUnitThere() : units !== undefined,
    outcome: (id) => turns.get(id),
  };
}

const absent: AgentReading = { kind: "absent" };
const noUnit: UnitsReading = { kind: "not_installed" };
const nobody: LineHolder = { kind: "nobody" };

/** Pure: what of the line the configuration on trial sets otherwise. The path is judged by where it leads. */
export function lineChanges(present: readonly Setting[], trial: readonly Setting[]): string[] {
  const before = new Map(present.map(({ key, value }) => [key, JSON.stringify(value)]));
  const after = new Map(trial.map(({ key, value }) => [key, JSON.stringify(value)]));
  const keys = [...new Set([...before.keys(), ...after.keys()])].filter((key) => /^driver\.(?!path$)/.test(key));
  return keys.filter((key) => before.get(key) !== after.get(key));
}

/** Whether the agent that answers works with this file, or with none: at the usual sockets it may be another. */
function isAbout(answer: AgentReading, configFile: string): boolean {
  if (answer.kind !== "running") return true;
  const { config } = answer.status;
  return typeof config?.file !== "string" || config.file === path.resolve(configFile);
}

async function holderOfLine(
  agent: AgentReading,
  loaded: LoadedConfig | undefined,
  ofAgent: Omit<LineHolder & { readonly kind: "agent" }, "kind">,
): Promise<LineHolder> {
  if (agent.kind === "forbidden" || agent.kind === "silent") return { kind: "unasked", why: agent.kind };
  if (agent.kind !== "running" || hasNoConfiguration(agent)) return nobody;
  const { bridge } = agent.status;
  const { path: wanted, type, match } = loaded?.config.driver ?? {};
  if (type === "simulator") return nobody;
  // Found by its USB numbers: on which of the lines it will be is not known before it is opened.
  const same = match !== undefined || (await isSamePlace(wanted, bridge?.path));
  return same ? { kind: "agent", ...ofAgent } : nobody;
}

async function isSamePlace(one: unknown, other: unknown): Promise<boolean> {
  if (typeof one !== "string" || typeof other !== "string") return false;
  const real = async (place: string) => await realpath(place).catch(() => place);
  return (await real(one)) === (await real(other));
}

/** A connection to the socket of a stopped service starts it, and diagnose must not change anything. */
function isAsleep(units: Units | undefined): boolean {
  const { ActiveState = "" } = units?.service ?? {};
  return units !== undefined && !["active", "activating", "reloading", "refreshing"].includes(ActiveState);
}

/** No process listens where the socket should be. */
function unheard(pid: number | undefined, blind: boolean): AgentReading {
  // Its socket is gone, but it is alive and holds the serial port: do not compete for it.
  if (pid !== undefined) return { kind: "silent" };
  // Where the socket should be stands in a file that may not be read.
  return { kind: blind ? "forbidden" : "absent" };
}

/** The file's configuration, else the remembered one. */
async function inForce(
  context: Pick<DiagnoseContext, "once" | "configFile" | "env"> & { readonly trial?: Trial | undefined },
): Promise<LoadedConfig | undefined> {
  const present = await configurationOf(context);
  if (present.kind === "ok") return present;
  if (present.kind === "absent" || context.trial) return undefined;
  const remembered = await readLastKnownGood(present.storeDirectory, context.env);
  return remembered?.kind === "ok" ? remembered : undefined;
}

/** Where an agent without a configuration serves: the environment may say. */
async function withoutFile(
  context: Pick<DiagnoseContext, "once" | "configFile" | "env"> & { readonly trial?: Trial | undefined },
): Promise<ApiConfig | undefined> {
  const present = await configurationOf(context);
  return present.kind === "absent" ? present.api : undefined;
}

async function serviceEnvironment(pid: number | undefined, units: Units | undefined): Promise<Environment | undefined> {
  const running = pid === undefined ? undefined : await environmentOfProcess(pid);
  return running ?? (units && environmentOf(wordsOf(units.service.Environment)));
}

/** Of a running agent the kernel knows; else what the unit says; else whose state it is; else it is who asks. */
async function whoServes(
  pid: number | undefined,
  units: Units | undefined,
  loaded: LoadedConfig | undefined,
): Promise<{ readonly user: ServiceUser; readonly privileged: boolean }> {
  const own = await ownUser();
  const stateDirectory = stateDirectoryOf({ loaded });
  const known =
    (pid === undefined ? undefined : await userOfProcess(pid)) ??
    (units === undefined ? undefined : await userOfUnit(unitUser(units), lookupGroup)) ??
    (await userOfOwner(stateDirectory));
  // A missing state is made at the agent's start; one that may not be read belongs to another user.
  const nobodys =
    known === undefined && loaded !== undefined && (await accessOf(own, stateDirectory, "x")).kind === "missing";
  return { user: known ?? own, privileged: own.uid === 0 || own.uid === known?.uid || nobodys };
}

function unitUser({ service }: Units) {
  const { User: user = "", Group: group = "", SupplementaryGroups: more } = service;
  return { user, group, supplementaryGroups: wordsOf(more) };
}

async function readAgent(socket: string): Promise<AgentReading> {
  try {
    const { status, body } = await askAgent(socket, "GET", "/v1/status", STATUS_MS);
    // The process that listens there may answer anything.
    return status === 200 && isTable(body.authinfo) ? { kind: "running", status: body } : { kind: "silent" };
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    return { kind: error.reason };
  }
}
