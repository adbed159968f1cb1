import { shellWord } from "../common/shell-word.ts";
import type { AnyMessage } from "./message.ts";

/** How the agent that is looked at is started: by systemd where its unit is installed, else by hand with its configuration. */
export interface Starting {
  readonly installed: boolean;
  readonly configFile: string;
}

/** As it can be typed. */
export function startCommand({ installed, configFile }: Starting): string {
  return installed ? "systemctl start facepay-agent" : `facepay-agent run --config ${shellWord(configFile)}`;
}

export function startRemedy(starting: Starting): AnyMessage {
  return { id: "setup.start", params: { command: startCommand(starting) } };
}

/** How a running agent is made to load its configuration again. `pid`: of one that somebody has started by hand, where it is known. */
export function reloadCommand({ installed }: Pick<Starting, "installed">, pid?: number): string {
  return installed ? "systemctl reload facepay-agent" : `kill -HUP ${pid ?? "PID"}`;
}

/** How the configuration is checked. */
export function checkCommand({ installed, configFile }: Starting): string {
  return installed ? "sudo facepay-agent config check" : `facepay-agent config check --config ${shellWord(configFile)}`;
}

export function provisionCommand({ installed, configFile }: Starting): string {
  return installed ? "sudo facepay-agent provision" : `facepay-agent provision --config ${shellWord(configFile)}`;
}

/**
 * What a terminal without a configuration wants.
 * @param present there is one, but the agent was started before it was
 * @param pid of the agent, where it is known
 */
export function setUpRemedy(starting: Starting, present: boolean, pid?: number): AnyMessage {
  return present
    ? { id: "setup.reload", params: { command: reloadCommand(starting, pid) } }
    : { id: "setup.provision", params: { command: provisionCommand(starting) } };
}
