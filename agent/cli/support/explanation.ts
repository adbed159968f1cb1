import { type FailureRecord, failureIdOf } from "../../common/errors.ts";
import { failureRules } from "../../common/failures.ts";
import type { Bilingual } from "../../common/language.ts";
import { failureOfNumber, NO_CAUSE, UNLISTED_CAUSE } from "../../common/support/cause-numbers.ts";
import type { SupportReading } from "../../common/support/support-code.ts";
import { allChecks } from "../../diagnostics/checks.ts";
import type { AnyMessage, Text } from "../../messages/message.ts";
import { failureOutline } from "../../messages/placeholders.ts";
import { remedyOf } from "../../messages/remedies/remedies.ts";
import { textById, textIn, textOf } from "../../messages/text-of.ts";
import type { Row } from "../status/status-row.ts";

/** A cause as far as its number tells of it. */
interface Cause {
  /** "PAY_DNS.timeout" or "ser.present"; undefined where this version does not know the number. */
  readonly id?: string;
  readonly text: Text;
  /** More than one where they differ between terminals with and without a gateway. */
  readonly remedies: readonly Text[];
}

/** Of a code, as rows of a screen: the cause and its remedy stand first. */
export function explanationRows(reading: SupportReading): Row[] {
  const { text, remedies, id } = causeOf(reading.cause);
  const tone = reading.cause === NO_CAUSE ? "good" : "bad";
  const hints: Text[] = hasPlaceholder(text) ? [{ id: "support.placeholders" }] : [];
  return [
    { label: { id: "support.cause" }, value: id === undefined ? text : coded(id, text), tone },
    ...remedies.map(
      (value, index): Row => ({
        ...(index === 0 ? { label: { id: "support.what_to_do" } as const } : {}),
        ...{ value, tone: "warn" },
      }),
    ),
    ...hints.map((value): Row => ({ value })),
    { label: { id: "support.lasted" }, value: lastedText(reading) },
    { label: { id: "support.state" }, value: stateText(reading) },
    { label: { id: "support.device" }, value: deviceText(reading) },
    { label: { id: "support.version" }, value: versionText(reading) },
  ];
}

/** The same for programs. */
export function explained(reading: SupportReading) {
  const { cause: number, format, version, deviceEnd, state, lasted } = reading;
  const { id, text, remedies } = causeOf(number);
  const cause = { number, id: id ?? null, detail: textOf(text), remedies: remedies.map(textOf) };
  return {
    schema: "facepay-agent.support/1",
    format,
    agent_version: version.text,
    agent_version_or_later: version.orLater,
    state: state ?? null,
    device_id_end: deviceEnd,
    cause: number === NO_CAUSE ? null : cause,
    lasted_s: lasted === undefined ? null : { least: lasted.leastS, below: lasted.belowS ?? null },
  };
}

function causeOf(number: number): Cause {
  if (number === NO_CAUSE) return { text: { id: "support.no_cause" }, remedies: [] };
  if (number === UNLISTED_CAUSE) return { text: { id: "support.cause_unlisted" }, remedies: [] };
  const failure = failureOfNumber(number);
  if (failure !== undefined) return ofFailure(failure);
  const check = allChecks.find(({ code }) => code === number);
  if (check === undefined) return { text: { id: "support.cause_unknown", params: { number } }, remedies: [] };
  const { id, title, remedy } = check;
  return { id, text: { id: "support.check", params: { number, id, title } }, remedies: [remedy] };
}

function ofFailure(told: FailureRecord): Cause {
  const { code, params = {} } = told;
  const rules: Readonly<Record<string, { readonly remedy: string }>> = failureRules;
  const { remedy: checkId = "" } = rules[code] ?? {};
  const httpStatus = STATUSES[code];
  const failure = { code, params: { ...params, ...(httpStatus === undefined ? {} : { httpStatus }) } };
  const text = failureOutline(failure) ?? textById(`title.${checkId}`, code);
  return { id: failureIdOf(told), text, remedies: remediesOf(failure) };
}

function remediesOf(failure: FailureRecord): Text[] {
  const { httpStatus } = failure.params ?? {};
  const facts = { ...failure, ...(typeof httpStatus === "number" ? { httpStatus } : {}) };
  const [gateway, direct] = [remedyOf({ ...facts, mode: "gateway" }), remedyOf({ ...facts, mode: "direct" })];
  if (gateway === undefined || direct === undefined) return [];
  if (isSame(gateway, direct)) return [gateway];
  return [
    { id: "support.with_gateway", params: { remedy: gateway } },
    { id: "support.without_gateway", params: { remedy: direct } },
  ];
}

/** Codes that stand for one status. */
const STATUSES: Readonly<Record<string, number>> = {
  PAY_BAD_REQUEST: 400,
  PAY_UNAUTHORIZED: 401,
  PAY_FORBIDDEN: 403,
  PAY_NOT_FOUND: 404,
  PAY_RATE_LIMITED: 429,
};

function isSame(one: Bilingual, other: Bilingual): boolean {
  return one.zh === other.zh && one.en === other.en;
}

const coded = (code: string, failure: Text): Text => ({ id: "failure.coded", params: { code, failure } });

function hasPlaceholder(text: Text): boolean {
  return /<\w+>/.test(textIn(text, "en"));
}

function lastedText({ format, state, lasted }: SupportReading): AnyMessage {
  if (state === undefined) return { id: "support.format_unknown", params: { format } };
  if (lasted === undefined) return { id: "support.lasted_unknown" };
  const { leastS, belowS } = lasted;
  if (belowS === undefined) return { id: "support.lasted_from", params: { amount: amountText(leastS) } };
  if (leastS === 0) return { id: "support.lasted_below", params: { amount: amountText(belowS) } };
  return { id: "support.lasted_between", params: { from: amountText(leastS), to: amountText(belowS) } };
}

function amountText(seconds: number): AnyMessage {
  if (seconds < 3_600) return { id: "support.min", params: { n: seconds / 60 } };
  if (seconds < 86_400) return { id: "support.h", params: { n: seconds / 3_600 } };
  return { id: "support.days", params: { n: seconds / 86_400 } };
}

function stateText({ format, state }: SupportReading): Text {
  if (state === undefined) return { id: "support.format_unknown", params: { format } };
  if (state === "unknown") return { id: "support.state_unknown" };
  if (state === "not_running") return { id: "support.state_not_running" };
  return textById(`state.${state}`, state);
}

function deviceText({ deviceEnd: end }: SupportReading): AnyMessage {
  return end === "" ? { id: "support.device_unknown" } : { id: "support.device_ends", params: { end } };
}

function versionText({ version: { text, orLater } }: SupportReading): AnyMessage {
  return orLater ? { id: "support.version_or_later", params: { version: text } } : { id: "plain", params: { text } };
}
