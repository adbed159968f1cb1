import type { StatusDocument } from "../../api/status-document.ts";
import { localTime } from "../../common/local-time.ts";
import type { AuthinfoState } from "../../credential/credential-types.ts";
import type { Host } from "../../diagnostics/host/host.ts";
import { durationText, offsetText, roughDuration } from "../../messages/duration-text.ts";
import type { Text } from "../../messages/message.ts";
import { failureIn, remedyOf } from "../../messages/remedies/remedies.ts";
import { codedText, textById } from "../../messages/text-of.ts";
import { hostRows } from "./host-rows.ts";
import type { Row, Tone } from "./status-row.ts";

const tones: Readonly<Record<AuthinfoState, Tone>> = {
  ...{ fresh: "good", due: "good", rejected: "warn", stale: "warn" },
  ...{ expired: "bad", absent: "bad", unprovisioned: "bad" },
};

const bridgeTones: Readonly<Partial<Record<string, Tone>>> = {
  ready: "good",
  handshake: "warn",
  opening: "bad",
  closed: "bad",
};

const stateText = (state: string): Text => textById(`state.${state}`, state);

/**
 * What the technician looks at first stands first, for a small screen shows the beginning only.
 * @param setUp what a terminal without a configuration wants
 * @param configDrift what is to be said of a configuration that has not been loaded yet
 */
export function statusRows(
  document: StatusDocument,
  host: Host | undefined,
  nowMs: number,
  setUp: Text | undefined,
  configDrift?: Text,
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
    ...supportRows(document),
  ];
}

function authinfoRows({ authinfo, bridge }: StatusDocument): Row[] {
  const { state, generation = 0, remaining_s: left = 0, persisted } = authinfo;
  const tone = tones[state as AuthinfoState] ?? "warn";
  const rows: Row[] = [{ label: { id: "status.authinfo" }, value: heldText(state, generation, persisted), tone }];
  if (generation > 0) {
    const value: Text = { id: "status.left", params: { time: durationText(left) } };
    rows.push({ value, bar: shareLeft(authinfo), tone });
  }
  const deviceId = authinfo.device_id ?? bridge?.device_id;
  const value: Text = deviceId ? plain(deviceId) : { id: "status.device_unknown" };
  return [...rows, { label: { id: "status.device" }, value }];
}

function heldText(word: string, generation: number, persisted: boolean | undefined): Text {
  const state = stateText(word);
  if (generation === 0) return state;
  return { id: persisted === false ? "status.held_unsaved" : "status.held", params: { state, generation } };
}

function shareLeft({ obtained_at, expires_at, remaining_s: left = 0 }: StatusDocument["authinfo"]): number {
  const whole = (Date.parse(expires_at ?? "") - Date.parse(obtained_at ?? "")) / 1_000;
  return whole > 0 ? Math.min(1, Math.max(0, left / whole)) : 0;
}

function errorRows(document: StatusDocument, setUp: Text | undefined): Row[] {
  const { last_error: last } = document;
  const label: Text = { id: "status.last_error" };
  if (last === null) return [{ label, value: { id: "status.no_error" }, tone: "good" }, ...remedyRows(setUp)];
  return [
    { label, value: codedText(last), tone: "bad" },
    { value: { id: "status.since", params: { at: localTime(last.since) } } },
    ...remedyRows(remedyOf(failureIn(last, document.wechatpay))),
  ];
}

function configRows(configDrift: Text | undefined): Row[] {
  return configDrift === undefined ? [] : [{ label: { id: "status.configuration" }, value: configDrift, tone: "warn" }];
}

/** To be read out on the telephone. An agent of an earlier version has none. */
function supportRows({ support_code: code }: StatusDocument): Row[] {
  return code === undefined ? [] : [{ label: { id: "support.code" }, value: plain(code) }];
}

function remedyRows(remedy: Text | undefined): Row[] {
  return remedy === undefined ? [] : [{ label: { id: "status.what_to_do" }, value: remedy, tone: "warn" }];
}

function nextRow({ next_attempt: next, authinfo }: StatusDocument, nowMs: number): Row {
  const label: Text = { id: "status.next_refresh" };
  if (authinfo.refreshing) return { label, value: { id: "status.refreshing" } };
  if (next === null) return { label, value: { id: "status.refresh_unprovisioned" } };
  const wait = durationText(Math.round((Date.parse(next.at) - nowMs) / 1_000));
  return { label, value: { id: "status.next_at", params: { at: localTime(next.at), wait } } };
}

/** What the last error says already is not said twice. */
function bridgeRows(document: StatusDocument): Row[] {
  const { bridge, last_error: last } = document;
  const label: Text = { id: "status.bridge" };
  if (bridge === null) return [{ label, value: { id: "status.not_configured" } }];
  const { problem } = bridge;
  const tone = bridgeTones[bridge.state] ?? "warn";
  const known = problem === null || problem.code === last?.code;
  const facts = [bridge.path, bridge.bridge, known ? undefined : problem.code].filter((part) => part).join(" ");
  const state = textById(`status.bridge_${bridge.state}`, bridge.state);
  const row: Row = { label, value: { id: "status.bridge_is", params: { state, facts } }, tone };
  if (known) return [row];
  return [row, { value: problem, tone }, ...remedyRows(remedyOf(failureIn(problem, document.wechatpay)))];
}

function payRows({ wechatpay }: StatusDocument): Row[] {
  const urls = wechatpay?.base_urls ?? [];
  return urls.map(({ base_url: url, last_outcome: last, last_ms: ms, in_use: inUse }, index) => {
    const outcome = outcomeText(last);
    const told: Text =
      ms === null || ms === undefined
        ? { id: "status.url", params: { url, outcome } }
        : { id: "status.url_timed", params: { url, outcome, ms } };
    return {
      ...(index === 0 ? { label: { id: "status.wechatpay" } as const } : {}),
      value: inUse && urls.length > 1 ? { id: "status.in_use", params: { url: told } } : told,
      ...(last === null ? {} : { tone: last === "ok" ? ("good" as const) : ("bad" as const) }),
    };
  });
}

/** Everything but "ok" is the code of a failure in lower case. */
function outcomeText(outcome: string | null): Text {
  if (outcome === null) return { id: "status.url_unasked" };
  if (outcome === "ok") return { id: "status.url_ok" };
  return textById(`request.${outcome}`, outcome);
}

/** Only when there is something to do: everything else is well when nothing is said. */
function storeRows({ store }: StatusDocument): Row[] {
  const { problem } = store ?? {};
  if (!problem) return [];
  return [{ label: { id: "status.store" }, value: codedText(problem), tone: "bad" }, ...remedyRows(remedyOf(problem))];
}

const WRONG_CLOCK_S = 10;

function clockRow({ clock }: StatusDocument): Row {
  const label: Text = { id: "status.clock" };
  const { behind_s: behind, skew_s: skew, trusted } = clock;
  if (typeof behind === "number") {
    return { label, value: { id: "status.clock_behind", params: { behind: roughDuration(behind) } }, tone: "bad" };
  }
  const offset: Text = skew === null ? { id: "status.clock_uncompared" } : offsetText(skew);
  const wrong = Math.abs(skew ?? 0) > WRONG_CLOCK_S;
  return {
    label,
    value: { id: trusted ? "status.clock_confirmed" : "status.clock_unconfirmed", params: { offset } },
    tone: wrong ? "bad" : trusted ? "good" : "warn",
  };
}

function warningRows({ warnings }: StatusDocument): Row[] {
  return warnings.map(({ code, since, detail = "" }) => {
    const text = textById(`warning.${code}`, detail);
    return {
      label: { id: "status.warning" },
      value: { id: "status.warning_since", params: { code, at: localTime(since), text } },
      tone: "warn",
    };
  });
}

/** What has changed when this differs: not the seconds that run down. */
export function changeLine(document: StatusDocument): Text {
  const { authinfo, bridge, wechatpay, last_error: last, warnings } = document;
  const pay = wechatpay?.base_urls.find(({ in_use }) => in_use) ?? wechatpay?.base_urls[0];
  const facts = [
    `generation=${authinfo.generation ?? 0}`,
    `bridge=${[bridge?.state ?? "-", bridge?.problem?.code].filter((part) => part).join("/")}`,
    `wechatpay=${pay?.last_outcome ?? "-"}`,
    `error=${last?.code ?? "-"}`,
    `warnings=${warnings.map(({ code }) => code).join(",") || "-"}`,
  ].join(" ");
  return { id: "status.change", params: { state: stateText(authinfo.state), facts } };
}

function plain(text: string): Text {
  return { id: "plain", params: { text } };
}
