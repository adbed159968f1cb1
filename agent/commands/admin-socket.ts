import { loadConfig } from "../config/load.ts";
import { packagedSockets } from "../config/schema.ts";
import type { Bilingual } from "../language.ts";
import type { AgentUnreachable } from "./admin-client.ts";

/** The admin socket of the agent that runs with this configuration; the packaged one when the file says nothing or cannot be read. */
export async function whereIsAdminSocket(file: string): Promise<string> {
  const loaded = await loadConfig({ file, env: process.env });
  return (loaded.kind === "ok" ? loaded.config.api.adminSocket : undefined) ?? packagedSockets.admin;
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
