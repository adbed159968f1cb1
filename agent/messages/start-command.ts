import type { Bilingual } from "../common/language.ts";

/** How the agent that is looked at is started: by systemd where its unit is installed, else by hand with its configuration. */
export interface Starting {
  readonly installed: boolean;
  readonly configFile: string;
}

/** As it can be typed. */
export function startCommand({ installed, configFile }: Starting): string {
  return installed ? "systemctl start facepay-agent" : `facepay-agent run --config ${shellWord(configFile)}`;
}

export function startRemedy(starting: Starting): Bilingual {
  const command = startCommand(starting);
  return { zh: `请启动服务：${command}。`, en: `Start the agent: ${command}.` };
}

/** How a running agent is made to read its configuration again. `pid`: of one that somebody has started by hand, where it is known. */
export function reloadCommand({ installed }: Pick<Starting, "installed">, pid?: number): string {
  return installed ? "systemctl reload facepay-agent" : `kill -HUP ${pid ?? "PID"}`;
}

/** How the configuration is checked. */
export function checkCommand({ installed, configFile }: Starting): string {
  return installed ? "sudo facepay-agent config check" : `facepay-agent config check --config ${shellWord(configFile)}`;
}

/**
 * What a terminal without a configuration wants.
 * @param present there is one, but the agent was started before it was
 * @param pid of the agent, where it is known
 */
export function setUpRemedy(starting: Starting, present: boolean, pid?: number): Bilingual {
  const { installed, configFile } = starting;
  if (present) {
    const reload = reloadCommand(starting, pid);
    return {
      zh: `配置文件已放入，但服务还没有读取：请执行 ${reload}。`,
      en: `The configuration is there, but the agent has not read it yet: run ${reload}.`,
    };
  }
  const provision = installed
    ? "sudo facepay-agent provision"
    : `facepay-agent provision --config ${shellWord(configFile)}`;
  return { zh: `请设置本终端：${provision}。`, en: `Set this terminal up: ${provision}.` };
}

/** A path that a shell would take apart is quoted. */
function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
