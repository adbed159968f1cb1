import { type Bilingual, chooseLanguage, say } from "../language.ts";
import { AgentUnreachable, askAgent } from "./admin-client.ts";
import { unreachableText, whereIsAdminSocket } from "./admin-socket.ts";
import type { CommandOptions } from "./options.ts";

const PATIENCE_MS = 5_000;

const states: Readonly<Record<string, Bilingual>> = {
  fresh: { zh: "有效", en: "fresh" },
  due: { zh: "有效，正在更新", en: "due: still good, being renewed" },
  rejected: { zh: "被 SDK 拒绝，正在更新", en: "rejected by the SDK, being renewed" },
  stale: { zh: "已过期（推定）", en: "stale: past its assumed expiry" },
  expired: { zh: "已过期", en: "expired" },
  absent: { zh: "没有", en: "absent" },
  unprovisioned: { zh: "尚未配置", en: "unprovisioned" },
};

/** `facepay-agent status`: exit 0 while an authinfo is held that may be used, 1 otherwise. */
export async function status(options: CommandOptions): Promise<number> {
  const language = chooseLanguage(options.lang, process.env);
  try {
    const socket = await whereIsAdminSocket(options.config);
    const { body } = await askAgent(socket, "GET", "/v1/status", PATIENCE_MS);
    if (options.json) process.stdout.write(`${JSON.stringify(body, undefined, 2)}\n`);
    else
      process.stdout.write(
        `${lines(body as unknown as StatusBody)
          .map((line) => say(line, language))
          .join("\n")}\n`,
      );
    const { state } = (body as unknown as StatusBody).authinfo;
    return ["fresh", "due", "rejected"].includes(state) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    process.stderr.write(`${say(unreachableText(error.reason), language)}\n`);
    return 1;
  }
}

interface StatusBody {
  readonly authinfo: {
    state: string;
    generation?: number;
    remaining_s?: number;
    device_id?: string;
    persisted?: boolean;
  };
  readonly bridge: { state: string; path: string; bridge: string | null } | null;
  readonly wechatpay: { base_urls: { base_url: string; last_outcome: string | null }[] } | null;
  readonly last_error: { code: string; since: string; detail?: string; remedy: string | null } | null;
  readonly next_attempt: { at: string } | null;
  readonly warnings: { code: string; since: string; detail?: string }[];
}

function lines({ authinfo, bridge, wechatpay, last_error, next_attempt, warnings }: StatusBody): Bilingual[] {
  const state = states[authinfo.state] ?? { zh: authinfo.state, en: authinfo.state };
  const left = authinfo.remaining_s ?? 0;
  const shown: Bilingual[] = [
    {
      zh: `刷脸凭证 authinfo：${state.zh}，第 ${authinfo.generation ?? 0} 代，剩余 ${left} 秒`,
      en: `authinfo: ${state.en}, generation ${authinfo.generation ?? 0}, ${left} s left`,
    },
    same("设备SN device_id", "device_id", authinfo.device_id ?? "-"),
    same("硬件桥", "bridge", bridge ? `${bridge.state} ${bridge.path} ${bridge.bridge ?? ""}`.trim() : "-"),
  ];
  for (const { base_url, last_outcome } of wechatpay?.base_urls ?? []) {
    shown.push(same("微信支付", "WeChat Pay", `${base_url} ${last_outcome ?? "-"}`));
  }
  if (next_attempt) shown.push(same("下次更新", "next refresh", next_attempt.at));
  if (last_error) {
    const { code, since, detail, remedy } = last_error;
    shown.push(same("最近错误", "last error", `${code} (${since}) ${detail ?? ""} [${remedy ?? "-"}]`));
  }
  for (const { code, since, detail } of warnings) {
    shown.push(same("警告", "warning", `${code} (${since}) ${detail ?? ""}`.trim()));
  }
  return shown;
}

function same(zh: string, en: string, value: string): Bilingual {
  return { zh: `${zh}：${value}`, en: `${en}: ${value}` };
}
