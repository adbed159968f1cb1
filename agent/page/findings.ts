import { isUsable, type StatusDocument } from "../api/status-document.ts";
import { localTime } from "../common/local-time.ts";
import type { ReportedCheck } from "../diagnostics/report/report.ts";
import { durationText } from "../messages/duration-text.ts";
import type { AnyMessage, Text } from "../messages/message.ts";
import { failureIn, remedyOf } from "../messages/remedies/remedies.ts";
import { codedText, textById } from "../messages/text-of.ts";
import type { Finding, PageView, Tone } from "./page-view.ts";

/** Of how the terminal is made, not of what has happened: no reason to alarm. */
const STANDING: ReadonlySet<string> = new Set(["DIRECT_MODE", "CONFIG_WARNING"]);
/** What the last error or the bridge's own problem says already. */
const SAID_BY_ERROR: ReadonlySet<string> = new Set(["REFRESH_FAILING", "BRIDGE_DOWN", "SECRETS_UNUSABLE"]);

/** The page in a sentence, and everything that is wrong, what comes first being what is to be mended first. Pure. */
export function judgePage({ look, report }: PageView): { tone: Tone; verdict: Text; findings: readonly Finding[] } {
  if (look.kind === "unreachable") {
    const down: Finding = { tone: "bad", what: { id: "page.agent_down" }, remedy: look.words };
    return { tone: "bad", verdict: { id: "page.agent_down" }, findings: [down] };
  }
  const { status, setUp } = look;
  const findings = [...findingsOf(status, setUp), ...foundByDiagnose(report?.checks ?? [], report?.first ?? null)];
  const usable = isUsable(status);
  const tone = !usable ? "bad" : findings.some(({ remedy }) => remedy !== undefined) ? "warn" : "good";
  return { tone, verdict: verdictOf(status, tone), findings };
}

function verdictOf({ authinfo }: StatusDocument, tone: Tone): AnyMessage {
  if (authinfo.state === "unprovisioned") return { id: "page.not_set_up" };
  const state = textById(`state.${authinfo.state}`, authinfo.state);
  if (tone === "bad") return { id: "page.cannot_pay", params: { state } };
  const left = durationText(authinfo.remaining_s ?? 0);
  return tone === "warn" ? { id: "page.can_still_pay", params: { left } } : { id: "page.all_well", params: { left } };
}

function findingsOf(status: StatusDocument, setUp: Text | undefined): Finding[] {
  const { authinfo, last_error: last, bridge, store, warnings, wechatpay } = status;
  const tone = isUsable(status) ? "warn" : "bad";
  const found: Finding[] = [];
  if (authinfo.state === "unprovisioned") found.push({ tone, what: { id: "page.unprovisioned" }, remedy: setUp });
  if (last !== null) {
    // A configuration that was refused is worth more than the advice to set up: it says what is wrong.
    const finding = {
      tone,
      what: codedText(last),
      since: last.since,
      remedy: remedyOf(failureIn(last, wechatpay)),
    } as const;
    if (authinfo.state === "unprovisioned") found.unshift(finding);
    else found.push(finding);
  }
  const line = bridge?.problem;
  if (line && line.code !== last?.code) {
    found.push({ tone, what: codedText(line), remedy: remedyOf(failureIn(line, wechatpay)) });
  }
  if (store?.problem) found.push({ tone: "warn", what: codedText(store.problem), remedy: remedyOf(store.problem) });
  for (const { code, since, detail = "" } of warnings) {
    if (STANDING.has(code) || (SAID_BY_ERROR.has(code) && found.length > 0)) continue;
    const text = textById(`warning.${code}`, detail);
    found.push({ tone: "warn", what: { id: "page.warning", params: { code } }, since, remedy: text });
  }
  if (found.length === 0 && !isUsable(status))
    found.push({ tone, what: { id: "page.first_attempt" }, remedy: undefined });
  return found;
}

/** What diagnose has found and the agent does not tell: its failures come after those that stop the payments. */
function foundByDiagnose(checks: readonly ReportedCheck[], first: string | null): Finding[] {
  const check = checks.find(({ id, status }) => id === first && status === "fail");
  if (check === undefined || check.remedy === null) return [];
  const { code, id, detail, remedy } = check;
  return [{ tone: "warn", what: { id: "page.found", params: { code, id, detail } }, remedy }];
}

/** To be told to head office: the agent's, else the one that diagnose has found. An older agent has none. */
export function supportCodeOf({ look, report }: PageView): string | undefined {
  return (look.kind === "running" ? look.status.support_code : undefined) ?? report?.support_code;
}

/** A time as the shop's clock shows it. */
export function shopTime(rfc3339: string): string {
  return Number.isNaN(Date.parse(rfc3339)) ? rfc3339 : localTime(rfc3339);
}
