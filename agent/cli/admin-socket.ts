import { accessSync, constants, existsSync } from "node:fs";
import path from "node:path";
import type { AgentUnreachable } from "../api/admin-client.ts";
import type { StatusDocument } from "../api/status-document.ts";
import { systemClock } from "../common/clock.ts";
import { isNotPermitted } from "../common/errors.ts";
import { readLastKnownGood } from "../config/files/last-known-good.ts";
import { packagedSockets } from "../config/keys/schema.ts";
import { loadConfig } from "../config/load.ts";
import { loadAll } from "../config/secrets/secrets.ts";
import { isSystemdBooted, isUnitThere } from "../diagnostics/host/units.ts";
import type { AnyMessage } from "../messages/message.ts";
import { checkCommand, provisionCommand, type Starting, setUpRemedy, startCommand } from "../messages/start-command.ts";
import type { PackagedOptions } from "./options.ts";

/** The admin socket of the agent that runs with this configuration; the packaged one when nothing says otherwise. */
export async function whereIsAdminSocket(file: string): Promise<string> {
  const { env } = process;
  const loaded = await loadConfig({ file, env });
  if (loaded.kind === "absent") return loaded.api?.adminSocket ?? packagedSockets.admin;
  // With an invalid file the agent runs on the configuration it remembers (specification 1).
  const inForce = loaded.kind === "ok" ? loaded : await readLastKnownGood(loaded.storeDirectory, env);
  return (inForce?.kind === "ok" ? inForce.config.api.adminSocket : undefined) ?? packagedSockets.admin;
}

/** What is known of an agent that could not be asked. */
export interface Whereabouts extends Starting {
  /** Where its sockets are stands in a file that may not be read: perhaps it runs, and was looked for in the wrong place. */
  readonly hidden: boolean;
  /** There is no configuration: nothing to be started with. */
  readonly absent: boolean;
  /** Problems of its configuration, as far as whoever asks may read it: `run` would refuse them. */
  readonly problems: number;
}

/** How the agent of this configuration is started here. The unit is about the packaged configuration alone. */
export async function startingOf({ config: configFile, packagedConfig }: PackagedOptions): Promise<Starting> {
  return { installed: configFile === packagedConfig && isUnitThere() && (await isSystemdBooted()), configFile };
}

/** For `unreachableText`: reads the configuration, and perhaps its keys. */
export async function whereaboutsOf(options: PackagedOptions): Promise<Whereabouts> {
  const { installed, configFile } = await startingOf(options);
  const hidden = mayNotRead(configFile);
  const barred = hidden || mayNotRead(path.join(path.dirname(configFile), "config.d"));
  const absent = !hidden && !existsSync(configFile);
  const problems = barred || absent ? 0 : await problemsOf(configFile, installed);
  return { installed, configFile, hidden, absent, problems };
}

/** Key files are judged only where they would be read just so: a stopped unit's credentials are put away, and some are the service's alone. */
async function problemsOf(file: string, installed: boolean): Promise<number> {
  const { env } = process;
  const asRun = !installed && process.geteuid?.() === 0;
  const found = asRun ? await loadAll({ file, env, wallMs: systemClock().wall() }) : await loadConfig({ file, env });
  return found.kind === "invalid" ? found.problems.length : 0;
}

/** The next step of an agent that has no configuration; undefined for one that has. */
export async function setUpOf(
  { authinfo, pid }: Pick<StatusDocument, "authinfo" | "pid">,
  options: PackagedOptions,
): Promise<AnyMessage | undefined> {
  if (authinfo.state !== "unprovisioned") return undefined;
  return setUpRemedy(await startingOf(options), existsSync(options.config), pid);
}

/** Whether this user is kept from reading a file, rather than that there is none. */
function mayNotRead(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return false;
  } catch (error) {
    return isNotPermitted(error);
  }
}

export function unreachableText(reason: AgentUnreachable["reason"], starting: Whereabouts): AnyMessage {
  const { hidden, configFile, problems, absent, installed } = starting;
  if (reason === "forbidden") return { id: "unreachable.forbidden" };
  if (reason === "silent") {
    if (!installed) return { id: "unreachable.silent" };
    return { id: "unreachable.silent_service", params: { command: "systemctl restart facepay-agent" } };
  }
  if (hidden) return { id: "unreachable.hidden", params: { file: configFile } };
  if (absent) {
    return { id: "unreachable.no_configuration", params: { file: configFile, command: provisionCommand(starting) } };
  }
  const start = startCommand(starting);
  if (problems === 0) return { id: "unreachable.stopped", params: { command: start } };
  return { id: "unreachable.invalid", params: { problems, check: checkCommand(starting), start } };
}
