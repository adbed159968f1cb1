import { type Bilingual, type Language, say } from "../common/language.ts";
import { type DescribedFailure, failureText } from "./failure-text.ts";
import type { AnyMessage, MessageId, Text } from "./message.ts";
import { texts } from "./texts.ts";

type One = keyof Bilingual;

/** In both languages. */
export function textOf(text: Text): Bilingual {
  return "zh" in text ? text : { zh: textIn(text, "zh"), en: textIn(text, "en") };
}

/** In the chosen language; in both, Chinese first. */
export function sayText(text: Text, language: Language): string {
  return say(textOf(text), language);
}

export function textIn(text: Text, language: One): string {
  if ("zh" in text) return text[language];
  if ("code" in text) return failureText(text)[language];
  const table: Readonly<Record<string, unknown>> = texts[language];
  // A string: there are too many ids for the compiler to join their type with another.
  const id: string = text.id;
  const found = table[id];
  if (typeof found !== "function") return String(found ?? id);
  const values = Object.entries(text.params ?? {}).map(([name, value]) => [name, rendered(value, language)]);
  return found(Object.fromEntries(values));
}

/** A text without parameters that is chosen by somebody's word. Another version may use one that is not known here: it is shown as it came. */
export function textById(id: string, word: string): Text {
  const isKnown = (name: string): name is MessageId => Object.hasOwn(texts.en, name);
  return isKnown(id) ? ({ id } as AnyMessage) : { id: "plain", params: { text: word } };
}

/** A failure behind its code, as people read it out. */
export function codedText(failure: DescribedFailure): Text {
  return { id: "failure.coded", params: { code: failure.code, failure } };
}

/** A value of a message, which may be a message itself. */
function rendered(value: unknown, language: One): unknown {
  if (Array.isArray(value)) return value.map((each) => rendered(each, language));
  return isText(value) ? textIn(value, language) : value;
}

function isText(value: unknown): value is Text {
  return typeof value === "object" && value !== null && ("id" in value || "code" in value || "zh" in value);
}
