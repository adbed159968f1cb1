import { existsSync } from "node:fs";
import { packagedSockets } from "../config/keys/schema.ts";
import { loadConfig } from "../config/load.ts";
import { readRemembered } from "../config/remembered.ts";
import { isSystemdBooted } from "../diagnose/units.ts";
import type { Bilingual } from "../language.ts";
import { type Starting, startCommand } from "../words/start-command.ts";
import type { AgentUnreachable } from "./admin-client.ts";
import type { PackagedOptions } from "./options.ts";

/** The admin socket of the agent that runs with this configuration; the packaged one when nothing says otherwise. */
export async function whereIsAdminSocket(file: string): Promise<string> {
  const { env } = process;
  const loaded = await loadConfig({ file, env });
  if (loaded.kind === "absent") return loaded.api?.adminSocket ?? packagedSockets.admin;
  // With an invalid file the agent runs on the configuration it remembers (contract 1).
  const inForce = loaded.kind === "ok" ? loaded : await readRemembered(loaded.storeDirectory, env);
  return (inForce?.kind === "ok" ? inForce.config.api.adminSocket : undefined) ?? packagedSockets.admin;
}

/** Where systemd looks for units (systemd.unit(5)). */
const UNIT_DIRECTORIES = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
];

/** How the agent of this configuration is started here. The unit is about the packaged configuration alone. */
export async function startingOf({ config: configFile, packagedConfig }: PackagedOptions): Promise<Starting> {
  const unit = UNIT_DIRECTORIES.some((directory) => existsSync(`${directory}/facepay-agent.service`));
  return { installed: configFile === packagedConfig && unit && (await isSystemdBooted()), configFile };
}

export function unreachableText(reason: AgentUnreachable["reason"], starting: Starting): Bilingual {
  switch (reason) {
    case "absent": {
      const command = startCommand(starting);
      return { zh: `服务没有运行：请执行 ${command}`, en: `the agent is not running: ${command}` };
    }
    case "forbidden":
      return {
        zh: "没有权限：请用 sudo，或将用户加入 facepay-tech 组",
        en: "no permission: use sudo, or add this user to the group facepay-tech",
      };
    case "silent":
      return starting.installed
        ? {
            zh: "服务没有应答：请执行 systemctl restart facepay-agent",
            en: "the agent does not answer: systemctl restart facepay-agent",
          }
        : { zh: "服务没有应答：请结束它，再重新启动", en: "the agent does not answer: end it and start it again" };
  }
}
