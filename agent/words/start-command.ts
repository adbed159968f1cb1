import type { Bilingual } from "../language.ts";

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

/** A path that a shell would take apart is quoted. */
function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
