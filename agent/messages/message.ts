import type { FailureRecord } from "../common/errors.ts";
import type { FileMessages } from "../common/files/file-messages.ts";
import type { agentEn } from "./commands/agent-en.ts";
import type { durationsEn } from "./commands/durations-en.ts";
import type { helpEn } from "./commands/help-en.ts";
import type { pageEn } from "./commands/page-en.ts";
import type { requestsEn } from "./commands/requests-en.ts";
import type { statusEn } from "./commands/status-en.ts";
import type { supportEn } from "./commands/support-en.ts";
import type { warningsEn } from "./commands/warnings-en.ts";
import type { configFilesEn } from "./config/files-en.ts";
import type { gatewayConfigEn } from "./config/gateway-en.ts";
import type { gatewayKeysEn } from "./config/gateway-keys-en.ts";
import type { configKeysEn } from "./config/keys-en.ts";
import type { configRulesEn } from "./config/rules-en.ts";
import type { configValuesEn } from "./config/values-en.ts";
import type { diagnoseChecksEn } from "./diagnostics/checks-en.ts";
import type { diagnoseConfigurationEn } from "./diagnostics/configuration-en.ts";
import type { diagnoseNetworkEn } from "./diagnostics/network-en.ts";
import type { diagnoseReportEn } from "./diagnostics/report-en.ts";
import type { diagnoseTerminalEn } from "./diagnostics/terminal-en.ts";
import type { Remedy } from "./remedies/remedy.ts";
import type { ParamsOf } from "./same-texts.ts";
import type { statesEn } from "./states-en.ts";

/** All tables of texts.ts. */
export type Params = FileMessages &
  ParamsOf<
    typeof configFilesEn &
      typeof warningsEn &
      typeof helpEn &
      typeof pageEn &
      typeof requestsEn &
      typeof statusEn &
      typeof supportEn &
      typeof statesEn &
      typeof agentEn &
      typeof durationsEn &
      typeof diagnoseChecksEn &
      typeof diagnoseConfigurationEn &
      typeof diagnoseNetworkEn &
      typeof diagnoseReportEn &
      typeof diagnoseTerminalEn &
      typeof configKeysEn &
      typeof configRulesEn &
      typeof configValuesEn &
      typeof gatewayConfigEn &
      typeof gatewayKeysEn
  >;

/** Where a text takes words, it may be given another message, which is rendered in the same language. */
type Nestable<Values> = {
  readonly [Name in keyof Values]: Values[Name] extends string | undefined
    ? Values[Name] | Text
    : Values[Name] extends readonly string[]
      ? readonly (string | Text)[]
      : Values[Name];
};

export type MessageId = keyof Params;

/** Those without values count as one kind: the compiler compares each kind of message with each. */
export type PlainId = { [Id in MessageId]: Params[Id] extends undefined ? Id : never }[MessageId];

/** What there is to say: the id of a text of agent/messages/ and the values that it takes. */
export type AnyMessage =
  | { readonly id: PlainId; readonly params?: undefined }
  | {
      [Id in Exclude<MessageId, PlainId>]: { readonly id: Id; readonly params: Nestable<Params[Id]> };
    }[Exclude<MessageId, PlainId>];

/** What can be rendered in either language: a message, a failure, or a remedy out of its table. */
export type Text = AnyMessage | FailureRecord | Remedy;
