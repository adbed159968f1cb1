import type { FailureRecord } from "../common/errors.ts";
import type { FileMessages } from "../common/files/file-messages.ts";
import type { Bilingual } from "../common/language.ts";
import type { configFilesEn } from "./config/files-en.ts";
import type { gatewayConfigEn } from "./config/gateway-en.ts";
import type { gatewayKeysEn } from "./config/gateway-keys-en.ts";
import type { configKeysEn } from "./config/keys-en.ts";
import type { configRulesEn } from "./config/rules-en.ts";
import type { configValuesEn } from "./config/values-en.ts";
import type { ParamsOf } from "./same-texts.ts";

/** All tables of texts.ts. */
export type Params = FileMessages &
  ParamsOf<
    typeof configFilesEn &
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

/** What there is to say: the id of a text of agent/messages/ and the values that it takes. */
export type AnyMessage = {
  [Id in MessageId]: Params[Id] extends undefined
    ? { readonly id: Id; readonly params?: undefined }
    : { readonly id: Id; readonly params: Nestable<Params[Id]> };
}[MessageId];

/** What can be rendered in either language: a message, a failure, or a remedy out of its table. */
export type Text = AnyMessage | FailureRecord | Bilingual;
