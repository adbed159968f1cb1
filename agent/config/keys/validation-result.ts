import type { Bilingual } from "../../common/language.ts";
import type { Checked } from "../problem.ts";

// What is said of one value. Where it is text it is never shown: it might be a secret in the wrong place.

export function good<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function bad(what: Bilingual): { readonly ok: false; readonly what: Bilingual } {
  return { ok: false, what };
}

export function unfit(expects: Bilingual): Bilingual {
  return { zh: `格式不对，${must(expects)}`, en: `does not fit: it must be ${expects.en}` };
}

export function empty(expects: Bilingual): Bilingual {
  return { zh: `为空，${must(expects)}`, en: `is empty: it must be ${expects.en}` };
}

export function is(shown: string, expects: Bilingual): Bilingual {
  return { zh: `现为 ${shown}，${must(expects)}`, en: `is ${shown}: it must be ${expects.en}` };
}

/** A space stands between Chinese and anything else, and none between Chinese and Chinese. */
function spaced(words: string): string {
  return (/^[!-~]/.test(words) ? " " : "") + words;
}

function must(expects: Bilingual): string {
  return `应为${spaced(expects.zh)}`;
}

export function unquoted(value: number | bigint): Checked<never> {
  return {
    ok: false,
    what: { zh: "是没有引号的数字，应为文本", en: "is a bare number: it must be text" },
    instead: { zh: `请加引号："${value}"`, en: `put it in quotes: "${value}"` },
  };
}

export function wrongKind(value: unknown, expects: Bilingual): { readonly ok: false; readonly what: Bilingual } {
  const kind = kindOf(value);
  return bad({ zh: `是${spaced(kind.zh)}，${must(expects)}`, en: `is ${kind.en}: it must be ${expects.en}` });
}

function kindOf(value: unknown): Bilingual {
  if (typeof value === "string") return { zh: "文本", en: "text" };
  if (typeof value === "number" || typeof value === "bigint") return { zh: "数字", en: "a number" };
  if (typeof value === "boolean") return { zh: "true/false", en: "true or false" };
  if (Array.isArray(value)) return { zh: "列表", en: "a list" };
  if (value instanceof Date) return { zh: "日期", en: "a date" };
  return { zh: "表", en: "a table" };
}
