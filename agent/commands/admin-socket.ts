import { packagedSockets } from "../config/keys/schema.ts";
import { loadConfig } from "../config/load.ts";
import { readRemembered } from "../config/remembered.ts";
import type { Bilingual } from "../language.ts";
import type { AgentUnreachable } from "./admin-client.ts";

/** The admin socket of the agent that runs with this configuration; the packaged one when nothing says otherwise. */
export async function whereIsAdminSocket(file: string): Promise<string> {
  const { env } = process;
  const loaded = await loadConfig({ file, env });
  if (loaded.kind === "absent") return loaded.api?.adminSocket ?? packagedSockets.admin;
  // With an invalid file the agent runs on the configuration it remembers (contract 1).
  const inForce = loaded.kind === "ok" ? loaded : await readRemembered(loaded.storeDirectory, env);
  return (inForce?.kind === "ok" ? inForce.config.api.adminSocket : undefined) ?? packagedSockets.admin;
}

export function unreachableText(reason: AgentUnreachable["reason"]): Bilingual {
  switch (reason) {
    case "absent":
      return {
        zh: "服务没有运行：请执行 systemctl restart facepay-agent",
        en: "the agent is not running: systemctl restart facepay-agent",
      };
    case "forbidden":
      return {
        zh: "没有权限：请用 sudo，或将用户加入 facepay-tech 组",
        en: "no permission: use sudo, or add this user to the group facepay-tech",
      };
    case "silent":
      return {
        zh: "服务没有应答：请执行 systemctl restart facepay-agent",
        en: "the agent does not answer: systemctl restart facepay-agent",
      };
  }
}
