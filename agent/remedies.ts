import { type AgentError, factsOf } from "./errors.ts";
import { failureRules } from "./failures.ts";
import type { Bilingual } from "./language.ts";
import { isTencentName } from "./wechatpay/own-names.ts";
import { bridgeRemedies } from "./words/bridge-remedies.ts";
import { configurationRemedies } from "./words/configuration-remedies.ts";
import { gatewayRules } from "./words/gateway-rules.ts";
import { lineRules } from "./words/line-rules.ts";
import { localRemedies, localRules } from "./words/local-remedies.ts";
import { networkRemedies } from "./words/network-remedies.ts";
import { withPorts } from "./words/ports.ts";
import { refusalRules } from "./words/refusal-rules.ts";
import type { Failure, RemedyRule } from "./words/remedy-rule.ts";
import { sdkRemedy, sdkWordsIn } from "./words/sdk-remedies.ts";
import { terminalRemedies } from "./words/terminal-remedies.ts";
import { wayRules } from "./words/way-rules.ts";

/** What the technician does about a failure, by the id of the check that looks for it (reference 7.3). */
const remedies = {
  ...terminalRemedies,
  ...configurationRemedies,
  ...bridgeRemedies,
  ...networkRemedies,
  ...localRemedies,
} as const satisfies Readonly<Record<string, Bilingual>>;

/** Where more than the code is known. A gateway of ours says precisely what it minds. */
const rules: readonly RemedyRule[] = [...gatewayRules, ...wayRules, ...refusalRules, ...lineRules, ...localRules];

/** The remedy that a check carries. */
export function checkRemedy(id: keyof typeof remedies): Bilingual {
  return remedies[id];
}

/**
 * What to do about a failure, for whoever shows it: status, refresh and diagnose. The first rule that fits, else the remedy of the check
 * that looks for such failures; undefined for a code of another version.
 */
export function remedyOf(failure: Failure): Bilingual | undefined {
  const { code, message, baseUrls = [] } = failure;
  if (code === "STORE_LOCKED") return endTheOther(undefined);
  const known: Readonly<Record<string, { readonly remedy: string }>> = failureRules;
  const rule = known[code];
  if (rule === undefined) return undefined;
  const told = message === undefined ? failure : { ...failure, message: withoutEcho(message) };
  const byId: Readonly<Record<string, Bilingual>> = remedies;
  const bySdk = code.startsWith("SDK_") ? sdkRemedy(sdkWordsIn(failure.detail ?? "")) : undefined;
  const remedy = bySdk ?? rules.find((each) => fits(each, told))?.remedy ?? byId[rule.remedy];
  return remedy && withPorts(filled(remedy, baseUrls), baseUrls);
}

/** Where nothing but the code is known. */
export function remedyFor(code: string): Bilingual | undefined {
  return remedyOf({ code });
}

/** A failure's error as the table sees it. */
export function failureOf(error: AgentError, place: Pick<Failure, "mode" | "baseUrls"> = {}): Failure {
  const { answerMessage } = error.context;
  const message = typeof answerMessage === "string" ? { message: answerMessage } : {};
  return { code: error.code, detail: error.message, ...factsOf(error), ...message, ...place };
}

/** A failure as a status tells of it. */
export interface ToldFailure {
  readonly code: string;
  readonly detail?: string | undefined;
  readonly http_status?: number;
  readonly reason?: string;
}

/** Of a status, as far as a remedy wants it. An older agent names no mode. */
export interface ToldPlace {
  readonly mode?: Failure["mode"];
  readonly base_urls: readonly { readonly base_url: string }[];
}

/** The same as the table sees it. */
export function failureIn(told: ToldFailure, place: ToldPlace | null | undefined): Failure {
  const { code, detail = "", http_status: httpStatus, reason } = told;
  // As agent/wechatpay/failure-classes.ts words it: "HTTP 403 NO_AUTH: ...", or "HTTP 403 ..." without a code.
  const lead = reason === undefined ? `HTTP ${httpStatus} ` : `HTTP ${httpStatus} ${reason}: `;
  return {
    code,
    detail,
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(reason === undefined ? {} : { reason }),
    ...(detail.startsWith(lead) ? { message: detail.slice(lead.length) } : {}),
    mode: place?.mode,
    baseUrls: place?.base_urls.map(({ base_url }) => base_url),
  };
}

/** What to do about an error that ends a program, with what the error itself knows. */
export function remedyOfError(error: AgentError): Bilingual | undefined {
  return error.code === "STORE_LOCKED" ? endTheOther(error.context.pid) : remedyOf(failureOf(error));
}

function fits(rule: RemedyRule, failure: Failure): boolean {
  const { code, httpStatus = "none", mode, reason = "", message = "", detail = "", baseUrls } = failure;
  return (
    (rule.code === undefined || rule.code.test(code)) &&
    (rule.status === undefined || rule.status === httpStatus) &&
    (rule.mode === undefined || rule.mode === mode) &&
    (rule.reason === undefined || rule.reason.test(reason)) &&
    (rule.message === undefined || rule.message.test(message)) &&
    (rule.detail === undefined || rule.detail.test(detail)) &&
    (rule.hosts === undefined || rule.hosts === hostsOf(baseUrls))
  );
}

function hostsOf(baseUrls: readonly string[] | undefined): RemedyRule["hosts"] {
  const hosts = namesIn(baseUrls ?? []);
  if (hosts.length === 0) return undefined;
  return hosts.every(isTencentName) ? "wechat" : "own";
}

function namesIn(baseUrls: readonly string[]): string[] {
  return [...new Set(baseUrls.filter((url) => URL.canParse(url)).map((url) => new URL(url).hostname))];
}

/** A server that complains of a request may repeat it: the names in it are the request's, no complaint. */
function withoutEcho(message: string): string {
  return message.replace(/[{[].*$/s, "").replace(/"[^"]*"?/g, "");
}

function filled({ zh, en }: Bilingual, baseUrls: readonly string[]): Bilingual {
  const hosts = namesIn(baseUrls);
  const put = (text: string, comma: string, and: string) =>
    text
      .replaceAll("{urls}", baseUrls.join(comma) || "base_urls")
      .replaceAll("{hosts}", hosts.join(and) || "base_urls");
  return { zh: put(zh, "、", "、"), en: put(en, ", ", ", ") };
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
