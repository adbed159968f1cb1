import { type AgentError, factsOf } from "../../common/errors.ts";
import { failureRules } from "../../common/failures.ts";
import { isTencentName } from "../../common/tencent-hosts.ts";
import type { DescribedFailure } from "../failure-text.ts";
import { bridgeRemedies } from "./bridge-remedies.ts";
import { configurationRemedies } from "./configuration-remedies.ts";
import { wayRules } from "./endpoint-rules.ts";
import { gatewayRules } from "./gateway-rules.ts";
import { keyFileRemedy } from "./key-file-remedies.ts";
import { lineRules } from "./line-rules.ts";
import { localRemedies, localRules } from "./local-remedies.ts";
import { networkRemedies } from "./network-remedies.ts";
import { portHolderRemedy } from "./port-holder-remedy.ts";
import { refusalRules } from "./refusal-rules.ts";
import type { Remedy } from "./remedy.ts";
import type { Failure, RemedyRule } from "./remedy-rule.ts";
import { sdkRemedy } from "./sdk-remedies.ts";
import { terminalRemedies } from "./terminal-remedies.ts";

/** What the technician does about a failure, by the id of the check that looks for it (docs/operations/diagnose.md). */
const remedies = {
  ...terminalRemedies,
  ...configurationRemedies,
  ...bridgeRemedies,
  ...networkRemedies,
  ...localRemedies,
} as const satisfies Readonly<Record<string, Remedy>>;

/** Where more than the code is known. A gateway of ours says precisely what it minds. */
export const remedyRules: readonly RemedyRule[] = [
  ...gatewayRules,
  ...wayRules,
  ...refusalRules,
  ...lineRules,
  ...localRules,
];

/** Where the state is when nobody says otherwise. */
const DIRECTORY = "/var/lib/facepay-agent";

/** The remedy that a check carries. */
export function checkRemedy(id: keyof typeof remedies): Remedy {
  return filled(remedies[id], DIRECTORY, []);
}

/**
 * What to do about a failure, for whoever shows it: status, refresh, diagnose, provision and the log. The first rule that fits, else the
 * remedy of the check that looks for such failures; undefined for a code of another version.
 */
export function remedyOf(failure: Failure): Remedy | undefined {
  const { code, params = {}, baseUrls = [] } = failure;
  if (code === "STORE_LOCKED") return stopTheOther(params.pid);
  const known: Readonly<Record<string, { readonly remedy: string }>> = failureRules;
  const rule = known[code];
  if (rule === undefined) return undefined;
  const byId: Readonly<Record<string, Remedy>> = remedies;
  const special = specialRemedy(code, params);
  const remedy = special ?? remedyRules.find((each) => fits(each, failure))?.remedy ?? byId[rule.remedy];
  const { directory = DIRECTORY } = params;
  return remedy && filled(remedy, String(directory), baseUrls);
}

/** Where the parameters tell more than a table of rules could hold. */
function specialRemedy(code: string, params: Readonly<Record<string, unknown>>): Remedy | undefined {
  if (code === "KEY_FILE") return keyFileRemedy(params);
  return code === "BRIDGE_BUSY" ? portHolderRemedy(params) : sdkRemedy(code, params);
}

/** Where nothing but the code is known. */
export function remedyFor(code: string): Remedy | undefined {
  return remedyOf({ code });
}

/** A failure's error as the table sees it. */
export function failureOf(error: AgentError, place: Pick<Failure, "mode" | "baseUrls"> = {}): Failure {
  return { code: error.code, params: error.params, ...factsOf(error), ...place };
}

/** A failure as a status tells of it. */
export interface ToldFailure extends DescribedFailure {
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
  const { code, params, http_status: httpStatus, reason } = told;
  return {
    code,
    params,
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(reason === undefined ? {} : { reason }),
    mode: place?.mode,
    baseUrls: place?.base_urls.map(({ base_url }) => base_url),
  };
}

/** What to do about an error that ends a program, with what the error itself knows. */
export function remedyOfError(error: AgentError): Remedy | undefined {
  return remedyOf(failureOf(error));
}

function fits(rule: RemedyRule, failure: Failure): boolean {
  const { code, params = {}, httpStatus = "none", mode, reason = "", baseUrls } = failure;
  const { answerMessage } = params;
  return (
    (rule.code === undefined || rule.code.test(code)) &&
    (rule.status === undefined || rule.status === httpStatus) &&
    (rule.mode === undefined || rule.mode === mode) &&
    (rule.reason === undefined || rule.reason.test(reason)) &&
    (rule.message === undefined ||
      (typeof answerMessage === "string" && rule.message.test(withoutEcho(answerMessage)))) &&
    (rule.param === undefined || params[rule.param[0]] === rule.param[1]) &&
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

function filled(remedy: Remedy, directory: string, baseUrls: readonly string[]): Remedy {
  const hosts = namesIn(baseUrls);
  const known = baseUrls.filter((url) => URL.canParse(url)).map((url) => new URL(url).port || "443");
  const ports = known.length === 0 ? ["443"] : [...new Set(known)];
  const put = (text: string, comma: string, and: string) =>
    text
      .replaceAll("{directory}", directory)
      .replaceAll("{urls}", baseUrls.join(comma) || "base_urls")
      .replaceAll("{hosts}", hosts.join(comma) || "base_urls")
      .replaceAll("{ports}", ports.join(and));
  return { ...remedy, zh: put(remedy.zh, "、", "、"), en: put(remedy.en, ", ", " and ") };
}

/** A restart of what has just been started would meet the same other one again. */
function stopTheOther(pid: unknown): Remedy {
  const known = typeof pid === "number" && Number.isSafeInteger(pid);
  const who = known ? { zh: `（进程 ${pid}）`, en: ` (process ${pid})` } : { zh: "", en: "" };
  const kill = known ? `kill ${pid}` : "kill PID";
  return {
    zh: `已有一个服务${who.zh}在用此目录，通常无需再启动。要换成新的，请先停止它，由系统启动的用前一条命令，手动启动的用后一条：\n  systemctl stop facepay-agent\n  ${kill}`,
    en: `An agent${who.en} is at work with this directory already, so none need be started. To replace it, end it first, with the first command if systemd has started it, else with the second:\n  systemctl stop facepay-agent\n  ${kill}`,
  };
}
