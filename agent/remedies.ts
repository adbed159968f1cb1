import type { AgentError } from "./errors.ts";
import { failureRules } from "./failures.ts";
import type { Bilingual } from "./language.ts";
import { bridgeRemedies } from "./words/bridge-remedies.ts";
import { configurationRemedies } from "./words/configuration-remedies.ts";
import { localRemedies } from "./words/local-remedies.ts";
import { networkRemedies } from "./words/network-remedies.ts";
import { withPorts } from "./words/ports.ts";
import { terminalRemedies } from "./words/terminal-remedies.ts";

/** What the technician does about a failure, by the id of the check that looks for it (reference 7.3). */
const remedies = {
  ...terminalRemedies,
  ...configurationRemedies,
  ...bridgeRemedies,
  ...networkRemedies,
  ...localRemedies,
} as const satisfies Readonly<Record<string, Bilingual>>;

/** The remedy that a check carries. */
export function checkRemedy(id: keyof typeof remedies): Bilingual {
  return remedies[id];
}

/** What to do about a failure code; undefined for a code of another version. */
export function remedyFor(code: string): Bilingual | undefined {
  if (code === "STORE_LOCKED") return endTheOther(undefined);
  const rules: Readonly<Record<string, { readonly remedy: string }>> = failureRules;
  const id = rules[code]?.remedy;
  const byId: Readonly<Record<string, Bilingual>> = remedies;
  return id === undefined ? undefined : byId[id];
}

/** The same as an agent's status shows it, where it may speak of the ports through which that agent reaches WeChat Pay. */
export function remedyAt(code: string, wechatpay: StatusUrls | null | undefined): Bilingual | undefined {
  const remedy = remedyFor(code);
  return remedy && withPorts(remedy, wechatpay?.base_urls.map(({ base_url }) => base_url) ?? []);
}

/** Of a status, as far as a remedy wants it. */
export interface StatusUrls {
  readonly base_urls: readonly { readonly base_url: string }[];
}

/** The same, with what the error itself knows. */
export function remedyOf({ code, context }: Pick<AgentError, "code" | "context">): Bilingual | undefined {
  return code === "STORE_LOCKED" ? endTheOther(context.pid) : remedyFor(code);
}

/** A restart of what has just been started would meet the same other one again. */
function endTheOther(pid: unknown): Bilingual {
  const known = typeof pid === "number" && Number.isSafeInteger(pid);
  const who = known ? { zh: `（进程 ${pid}）`, en: ` (process ${pid})` } : { zh: "", en: "" };
  const kill = known ? `kill ${pid}` : "kill PID";
  return {
    zh: `已有一个服务${who.zh}在用此目录，通常无需再启动。要换成新的，请先停止它：systemctl stop facepay-agent；手动启动的用 ${kill}。`,
    en: `An agent${who.en} is at work with this directory already, so none need be started. To replace it, end it first: systemctl stop facepay-agent, or ${kill} for one started by hand.`,
  };
}
