import type { StatusDocument } from "../../api/status-document.ts";
import type { Bilingual } from "../../common/language.ts";
import { localTime } from "../../common/local-time.ts";
import type { WarningCode } from "../../common/warnings.ts";
import type { AuthinfoState } from "../../credential/credential-types.ts";
import type { Host } from "../../diagnostics/host/host.ts";
import { durationText, offsetText } from "../../messages/duration-text.ts";
import { codeAndText, failureText } from "../../messages/failure-text.ts";
import { failureIn, remedyOf } from "../../messages/remedies/remedies.ts";
import { stateTexts } from "../../messages/state-words.ts";
import { warningTexts } from "../../messages/warning-texts.ts";
import { hostRows } from "./host-rows.ts";
import type { Row, Tone } from "./status-row.ts";

const tones: Readonly<Record<AuthinfoState, Tone>> = {
  ...{ fresh: "good", due: "good", rejected: "warn", stale: "warn" },
  ...{ expired: "bad", absent: "bad", unprovisioned: "bad" },
};

/** A newer agent may be in a state that this command does not know. */
const isKnown = (state: string): state is AuthinfoState => Object.hasOwn(stateTexts, state);
const wordsOf = (state: string): Bilingual => (isKnown(state) ? stateTexts[state] : same(state));

const whatToDo: Bilingual = { zh: "处理办法", en: "what to do" };
const notConfigured: Bilingual = { zh: "尚未配置", en: "not configured yet" };

const bridgeStates: Readonly<Record<string, Bilingual & { readonly tone: Tone }>> = {
  ready: { zh: "就绪", en: "ready", tone: "good" },
  handshake: { zh: "正在握手", en: "handshake", tone: "warn" },
  opening: { zh: "未连接", en: "not open", tone: "bad" },
  closed: { zh: "已关闭", en: "closed", tone: "bad" },
};

/**
 * What the technician looks at first stands first, for a small screen shows the beginning only.
 * @param setUp what a terminal without a configuration wants
 * @param notInForce what is to be said of a configuration that has not been read yet
 */
export function statusRows(
  document: StatusDocument,
  host: Host | undefined,
  nowMs: number,
  setUp: Bilingual | undefined,
  configDrift?: Bilingual,
): Row[] {
  return [
    ...authinfoRows(document),
    ...errorRows(document, setUp),
    ...configRows(configDrift),
    nextRow(document, nowMs),
    ...bridgeRows(document),
    ...payRows(document),
    ...storeRows(document),
    clockRow(document),
    ...warningRows(document),
    ...hostRows(host, document.store?.directory),
  ];
}

function authinfoRows({ authinfo, bridge }: StatusDocument): Row[] {
  const { state, generation = 0, remaining_s: left = 0, persisted } = authinfo;
  const words = wordsOf(state);
  const tone = isKnown(state) ? tones[state] : "warn";
  const unsaved = generation > 0 && persisted === false;
  const of = generation > 0 ? { zh: `，第 ${generation} 份`, en: `, generation ${generation}` } : { zh: "", en: "" };
  const more = unsaved ? { zh: "，尚未写入磁盘", en: ", not on disk yet" } : { zh: "", en: "" };
  const rows: Row[] = [
    {
      label: { zh: "刷脸凭证 authinfo", en: "authinfo" },
      value: { zh: words.zh + of.zh + more.zh, en: words.en + of.en + more.en },
      tone,
    },
  ];
  if (generation > 0) {
    const time = durationText(left);
    rows.push({ value: { zh: `剩余 ${time.zh}`, en: `${time.en} left` }, bar: shareLeft(authinfo), tone });
  }
  const deviceId = authinfo.device_id ?? bridge?.device_id;
  const value = deviceId ? same(deviceId) : { zh: "尚未得知", en: "not known yet" };
  return [...rows, { label: { zh: "设备SN device_id", en: "device_id" }, value }];
}

function shareLeft({ obtained_at, expires_at, remaining_s: left = 0 }: StatusDocument["authinfo"]): number {
  const whole = (Date.parse(expires_at ?? "") - Date.parse(obtained_at ?? "")) / 1_000;
  return whole > 0 ? Math.min(1, Math.max(0, left / whole)) : 0;
}

function errorRows(document: StatusDocument, setUp: Bilingual | undefined): Row[] {
  const { last_error: last } = document;
  const label = { zh: "最近错误", en: "last error" };
  if (last === null) return [{ label, value: { zh: "无", en: "none" }, tone: "good" }, ...remedyRows(setUp)];
  const { since } = last;
  return [
    { label, value: codeAndText(last), tone: "bad" },
    { value: { zh: `自 ${localTime(since)}`, en: `since ${localTime(since)}` } },
    ...remedyRows(remedyOf(failureIn(last, document.wechatpay))),
  ];
}

function configRows(configDrift: Bilingual | undefined): Row[] {
  return configDrift === undefined
    ? []
    : [{ label: { zh: "配置", en: "configuration" }, value: configDrift, tone: "warn" }];
}

function remedyRows(remedy: Bilingual | undefined): Row[] {
  return remedy === undefined ? [] : [{ label: whatToDo, value: remedy, tone: "warn" }];
}

function nextRow({ next_attempt: next, authinfo }: StatusDocument, nowMs: number): Row {
  const label = { zh: "下次更新", en: "next refresh" };
  if (authinfo.refreshing) return { label, value: { zh: "正在更新", en: "under way" } };
  if (next === null) return { label, value: { zh: "配置之后", en: "once there is a configuration" } };
  const wait = durationText(Math.round((Date.parse(next.at) - nowMs) / 1_000));
  const at = localTime(next.at);
  return { label, value: { zh: `${at}（${wait.zh}后）`, en: `${at} (in ${wait.en})` } };
}

/** What the last error says already is not said twice. */
function bridgeRows(document: StatusDocument): Row[] {
  const { bridge, last_error: last } = document;
  const label = { zh: "刷脸模组 bridge", en: "bridge" };
  if (bridge === null) return [{ label, value: notConfigured }];
  const { problem } = bridge;
  const { tone = "warn", ...words } = bridgeStates[bridge.state] ?? { zh: bridge.state, en: bridge.state };
  const known = problem === null || problem.code === last?.code;
  const rest = [bridge.path, bridge.bridge, known ? undefined : problem.code].filter((part) => part).join(" ");
  const row = { label, value: { zh: `${words.zh} ${rest}`, en: `${words.en} ${rest}` }, tone };
  if (known) return [row];
  return [row, { value: failureText(problem), tone }, ...remedyRows(remedyOf(failureIn(problem, document.wechatpay)))];
}

function payRows({ wechatpay }: StatusDocument): Row[] {
  const urls = wechatpay?.base_urls ?? [];
  return urls.map(({ base_url, last_outcome, last_ms, in_use }, index) => {
    const outcome = last_outcome === null ? { zh: "尚未请求", en: "not asked yet" } : outcomeWords(last_outcome);
    const ms = last_ms === null || last_ms === undefined ? "" : ` ${last_ms} ms`;
    const mark = in_use && urls.length > 1 ? { zh: "（使用中）", en: " (in use)" } : { zh: "", en: "" };
    return {
      ...(index === 0 ? { label: { zh: "微信支付", en: "WeChat Pay" } } : {}),
      value: {
        zh: `${base_url} ${outcome.zh}${ms}${mark.zh}`,
        en: `${base_url} ${outcome.en}${ms}${mark.en}`,
      },
      ...(last_outcome === null ? {} : { tone: last_outcome === "ok" ? ("good" as const) : ("bad" as const) }),
    };
  });
}

/** Everything else is the code of a failure. */
function outcomeWords(outcome: string): Bilingual {
  return outcome === "ok" ? { zh: "正常", en: "ok" } : same(outcome);
}

/** Only when there is something to do: everything else is well when nothing is said. */
function storeRows({ store }: StatusDocument): Row[] {
  const { problem } = store ?? {};
  if (!problem) return [];
  const label = { zh: "本地数据", en: "kept state" };
  return [{ label, value: codeAndText(problem), tone: "bad" }, ...remedyRows(remedyOf(problem))];
}

const WRONG_CLOCK_S = 10;

function clockRow({ clock }: StatusDocument): Row {
  const off =
    clock.skew_s === null
      ? { zh: "尚未与微信支付比较", en: "not compared with WeChat Pay's clock yet" }
      : offsetText(clock.skew_s);
  const { behind_s: behind } = clock;
  if (typeof behind === "number") {
    return {
      label: { zh: "时间", en: "clock" },
      value: {
        zh: `有误：比已确认过的时间早 ${behind} 秒`,
        en: `wrong: ${behind} s before a time that has passed`,
      },
      tone: "bad",
    };
  }
  const wrong = Math.abs(clock.skew_s ?? 0) > WRONG_CLOCK_S;
  return {
    label: { zh: "时间", en: "clock" },
    value: {
      zh: `${clock.trusted ? "已确认" : "未确认"}，${off.zh}`,
      en: `${clock.trusted ? "confirmed" : "not confirmed"}, ${off.en}`,
    },
    tone: wrong ? "bad" : clock.trusted ? "good" : "warn",
  };
}

function warningRows({ warnings }: StatusDocument): Row[] {
  return warnings.map(({ code, since, detail = "" }) => {
    const text = warningTexts[code as WarningCode] ?? same(detail);
    return {
      label: { zh: "警告", en: "warning" },
      value: {
        zh: `${text.zh}（${code}，自 ${localTime(since)}）`,
        en: `${text.en} (${code}, since ${localTime(since)})`,
      },
      tone: "warn",
    };
  });
}

/** What has changed when this differs: not the seconds that run down. */
export function changeLine(document: StatusDocument): Bilingual {
  const { authinfo, bridge, wechatpay, last_error: last, warnings } = document;
  const { zh, en } = wordsOf(authinfo.state);
  const pay = wechatpay?.base_urls.find(({ in_use }) => in_use) ?? wechatpay?.base_urls[0];
  const facts = [
    `generation=${authinfo.generation ?? 0}`,
    `bridge=${[bridge?.state ?? "-", bridge?.problem?.code].filter((part) => part).join("/")}`,
    `wechatpay=${pay?.last_outcome ?? "-"}`,
    `error=${last?.code ?? "-"}`,
    `warnings=${warnings.map(({ code }) => code).join(",") || "-"}`,
  ].join(" ");
  return { zh: `${zh} ${facts}`, en: `${en} ${facts}` };
}

function same(text: string): Bilingual {
  return { zh: text, en: text };
}
