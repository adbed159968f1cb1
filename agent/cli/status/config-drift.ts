import path from "node:path";
import type { StatusDocument } from "../../api/status-document.ts";
import { loadConfig } from "../../config/load.ts";
import { environmentOfProcess, withServiceEnvironment } from "../../diagnostics/host/service-environment.ts";
import type { AnyMessage } from "../../messages/message.ts";
import { checkCommand, reloadCommand } from "../../messages/start-command.ts";
import { startingOf } from "../admin-socket.ts";
import type { PackagedOptions } from "../options.ts";

/** The agent says by itself that a file is not taken, once it has looked. */
const SAID = new Set(["CONFIG_RELOAD_REFUSED", "CONFIG_REMEMBERED"]);

/**
 * Whether somebody has changed the configuration and the agent has not loaded it yet: whoever has just corrected it wonders why
 * nothing changes. Undefined, too, when that cannot be told: the agent's environment counts, and not everybody may read it.
 */
export async function configDrift(
  { config, pid, warnings }: StatusDocument,
  options: PackagedOptions,
): Promise<AnyMessage | undefined> {
  if (!config || pid === undefined || warnings.some(({ code }) => SAID.has(code))) return undefined;
  const file = path.resolve(options.config);
  if (config.file !== file) return undefined;
  const own = await environmentOfProcess(pid);
  if (own === undefined) return undefined;
  const found = await loadConfig({ file, env: withServiceEnvironment(process.env, own) });
  if (found.kind === "absent" || (found.kind === "ok" && found.hash === config.hash)) return undefined;
  const starting = await startingOf(options);
  return found.kind === "ok"
    ? { id: "status.drift_reload", params: { command: reloadCommand(starting, pid) } }
    : { id: "status.drift_invalid", params: { command: checkCommand(starting) } };
}
