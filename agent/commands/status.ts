import { type Host, readHost } from "../host.ts";
import { type Bilingual, chooseLanguage, say } from "../language.ts";
import { remedyFor, warningTexts } from "../remedies.ts";
import { stateWords } from "../state-words.ts";
import type { WarningCode } from "../warnings.ts";
import { AgentUnreachable, askAgent } from "./admin-client.ts";
import { unreachableText, whereIsAdminSocket } from "./admin-socket.ts";
import type { CommandOptions } from "./options.ts";

const PATIENCE_MS = 5_000;

/** `facepay-agent status`: exit 0 while an authinfo is held that may be used, 1 otherwise. */
export async function status(options: CommandOptions): Promise<number> {
  const language = chooseLanguage(options.lang, process.env);
  const socket = await whereIsAdminSocket(options.config);
  try {
    const { body } = await askAgent(socket, "GET", "/v1/status", PATIENCE_MS);
    const document = body as unknown as StatusBody;
    // What the machine says of itself is a help, not a condition.
    const directory = document.store?.directory ?? "/";
    const host = await readHost(directory, PATIENCE_MS).catch(() => undefined);
    const text = options.json
      ? JSON.stringify({ ...body, host: host ?? null }, undefined, 2)
      : [...lines(document), ...hostLines(host, directory)].map((line) => say(line, language)).join("\n");
    process.stdout.write(`${text}\n`);
    const { state } = document.authinfo;
    return ["fresh", "due", "rejected"].includes(state) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    process.stderr.write(`${say(unreachableText(error.reason), language)} (${socket})\n`);
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
  readonly bridge: {
    state: string;
    path: string;
    bridge: string | null;
    problem: { code: string } | null;
  } | null;
  readonly wechatpay: { base_urls: { base_url: string; last_outcome: string | null }[] } | null;
  readonly last_error: { code: string; since: string; detail?: string; remedy: string | null } | null;
  readonly next_attempt: { at: string } | null;
  readonly store: { directory: string } | null;
  readonly clock: { trusted: boolean; skew_s: number | null };
  readonly warnings: { code: string; since: string; detail?: string }[];
}

function lines({ authinfo, bridge, wechatpay, clock, last_error, next_attempt, warnings }: StatusBody): Bilingual[] {
  const words: Readonly<Record<string, Bilingual>> = stateWords;
  const state = words[authinfo.state] ?? { zh: authinfo.state, en: authinfo.state };
  const left = authinfo.remaining_s ?? 0;
  const shown: Bilingual[] = [
    {
      zh: `刷脸凭证 authinfo：${state.zh}，第 ${authinfo.generation ?? 0} 代，剩余 ${left} 秒`,
      en: `authinfo: ${state.en}, generation ${authinfo.generation ?? 0}, ${left} s left`,
    },
    same("设备SN device_id", "device_id", authinfo.device_id ?? "-"),
    same("硬件桥", "bridge", bridge ? bridgeLine(bridge) : "-"),
  ];
  for (const { base_url, last_outcome } of wechatpay?.base_urls ?? []) {
    shown.push(same("微信支付", "WeChat Pay", `${base_url} ${last_outcome ?? "-"}`));
  }
  if (next_attempt) shown.push(same("下次更新", "next refresh", localTime(next_attempt.at)));
  const skew = clock.skew_s === null ? "-" : `${clock.skew_s} s`;
  shown.push({
    zh: `时间：${clock.trusted ? "已确认" : "未确认"}，与微信支付相差 ${skew}`,
    en: `clock: ${clock.trusted ? "confirmed" : "not confirmed"}, off WeChat Pay's by ${skew}`,
  });
  if (last_error) {
    const { code, since, detail } = last_error;
    shown.push(same("最近错误", "last error", `${code} (${localTime(since)}) ${detail ?? ""}`.trim()));
    const remedy = remedyFor(code);
    if (remedy) shown.push({ zh: `处理办法：${remedy.zh}`, en: `what to do: ${remedy.en}` });
  }
  for (const { code, since, detail } of warnings) {
    const text = warningTexts[code as WarningCode] ?? { zh: detail ?? "", en: detail ?? "" };
    shown.push({
      zh: `警告：${text.zh}（${code}，自 ${localTime(since)}）`,
      en: `warning: ${text.en} (${code}, since ${localTime(since)})`,
    });
  }
  return shown;
}

function bridgeLine({ state, path, bridge, problem }: NonNullable<StatusBody["bridge"]>): string {
  return [state, path, bridge, problem?.code].filter((part) => part).join(" ");
}

/** The shop's own time: the technician compares it with a clock on the wall. */
function localTime(rfc3339: string): string {
  return new Date(rfc3339).toLocaleString("sv-SE");
}

function hostLines(host: Host | undefined, directory: string): Bilingual[] {
  if (host === undefined) return [];
  const { memory, disk, os } = host;
  const megabytes = (bytes: number) => `${Math.round(bytes / 1_048_576)} MB`;
  const shown = [
    same("系统", "system", os),
    {
      zh: `内存：可用 ${megabytes(memory.availableBytes)}，共 ${megabytes(memory.totalBytes)}`,
      en: `memory: ${megabytes(memory.availableBytes)} of ${megabytes(memory.totalBytes)} available`,
    },
  ];
  if (disk === undefined) return shown;
  return [
    ...shown,
    {
      zh: `磁盘 ${directory}：可用 ${megabytes(disk.availableBytes)}，已用 ${disk.usedPercent}%`,
      en: `disk ${directory}: ${megabytes(disk.availableBytes)} free, ${disk.usedPercent}% used`,
    },
  ];
}

function same(zh: string, en: string, value: string): Bilingual {
  return { zh: `${zh}：${value}`, en: `${en}: ${value}` };
}
