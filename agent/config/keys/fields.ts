import {
  any,
  array,
  boolean,
  is as fits,
  type GenericSchema,
  gtValue,
  ltValue,
  maxLength,
  maxValue,
  minLength,
  minValue,
  number,
  picklist,
  pipe,
  regex,
  string,
  integer as wholeNumber,
} from "valibot";
import type { Bilingual } from "../../common/language.ts";
import { checkBaseUrl } from "../addresses.ts";
import type { Checked } from "../problem.ts";
import { bad, empty, good, is, unfit, unquoted, wrongKind } from "./validation-result.ts";

/** One key of the configuration file. `Always`: required or with a default, so that a checked configuration has it. */
export interface Field<T = unknown, Always extends boolean = boolean> {
  readonly about: Bilingual;
  /** A value as it would stand in the file. */
  readonly example: string;
  /** What may stand there, after "must be". */
  readonly expects: Bilingual;
  /** What may stand there, for the check and for `config schema`. */
  readonly schema: GenericSchema;
  readonly required: boolean;
  readonly always: Always;
  readonly fallback?: T;
  /** The default as it would stand in the file, where that differs from `fallback`. */
  readonly fallbackText?: string | number | boolean;
  /** A path: absolute, or relative to the file it stands in. */
  readonly isPath: boolean;
  /** An environment variable's text as the value a file would hold. Absent: a list or table, not for the environment. */
  readonly fromText?: (text: string) => unknown;
  readonly check: (value: unknown) => Checked<T>;
}

/** What `check` says in words, for editors: without flags, which a JSON Schema cannot have. */
const PATH = /^(?!~)(?!\s*$)(?!.*-----BEGIN)[ -~\u00a0-\uffff]+$/;
const HTTPS_URL = /^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/;

/** What a value must look like, for the check and in words. */
export interface Form extends Bilingual {
  readonly pattern: RegExp;
  /** For `config schema`, where a later check with better words lets less through. */
  readonly published?: RegExp;
  /** In the place of `pattern`, where there is more to say of what does not fit. */
  readonly read?: (given: string) => Checked<string>;
}

type Made<T> = Field<T, false>;

/** The key has to be given. */
export function required<T>(field: Made<T>): Field<T, true> {
  return { ...field, required: true, always: true };
}

export function withDefault<T>(field: Made<T>, fallback: T, fallbackText?: string): Field<T, true> {
  return { ...field, fallback, always: true, ...(fallbackText === undefined ? {} : { fallbackText }) };
}

/** Text that matches `pattern` as a whole. A bare number is refused: TOML would drop leading zeros and round. */
export function text(zh: string, en: string, example: string, form: Form): Made<string> {
  const { pattern, published = pattern, read, ...expects } = form;
  const schema = pipe(string(), regex(pattern));
  return {
    ...optional({ zh, en }, example, expects, pipe(string(), regex(published))),
    fromText: same,
    check(value) {
      if (typeof value === "number" || typeof value === "bigint") return unquoted(value);
      if (typeof value !== "string") return wrongKind(value, expects);
      if (value === "") return bad(empty(expects));
      if (read !== undefined) return read(value);
      return fits(schema, value) ? good(value) : bad(unfit(expects));
    },
  };
}

/** The path of a file, directory, device or socket. */
export function filePath(zh: string, en: string, example: string): Made<string> {
  const expects = { zh: "一个文件路径", en: "the path of a file" };
  return {
    ...optional({ zh, en }, example, expects, pipe(string(), regex(PATH))),
    isPath: true,
    fromText: same,
    check(value) {
      if (typeof value !== "string") return wrongKind(value, expects);
      if (value.trim() === "") return bad(empty(expects));
      if (value.includes("-----BEGIN")) {
        return bad({ zh: "写入了内容本身，而不是文件路径", en: "holds the content itself, not the path of a file" });
      }
      if (/\p{Cc}/u.test(value)) return bad({ zh: "路径中含有控制字符", en: "is a path with control characters" });
      if (value.startsWith("~")) return bad({ zh: "“~” 不会被展开", en: "begins with ~, which is not expanded" });
      return good(value);
    },
  };
}

export function integer(zh: string, en: string, example: string, least: number, most: number): Made<number> {
  const expects = { zh: `${least} 到 ${most} 的整数`, en: `a whole number from ${least} to ${most}` };
  const schema = pipe(number(), wholeNumber(), minValue(least), maxValue(most));
  return {
    ...optional({ zh, en }, example, expects, schema),
    fromText: (given) => (/^-?\d{1,15}$/.test(given) ? Number(given) : given),
    check(value) {
      if (typeof value === "bigint") return bad(is(String(value), expects));
      if (typeof value !== "number") return wrongKind(value, expects);
      return fits(schema, value) ? good(value) : bad(is(String(value), expects));
    },
  };
}

/** A number above 0 and below 1. */
export function fraction(zh: string, en: string, example: string): Made<number> {
  const expects = { zh: "大于 0 且小于 1 的小数", en: "a number above 0 and below 1" };
  const schema = pipe(number(), gtValue(0), ltValue(1));
  return {
    ...optional({ zh, en }, example, expects, schema),
    fromText: (given) => (/^-?\d*\.?\d+$/.test(given) ? Number(given) : given),
    check(value) {
      if (typeof value === "bigint") return bad(is(String(value), expects));
      if (typeof value !== "number") return wrongKind(value, expects);
      return fits(schema, value) ? good(value) : bad(is(String(value), expects));
    },
  };
}

export function yesNo(zh: string, en: string, example: string): Made<boolean> {
  const expects = { zh: "true 或 false", en: "true or false" };
  const schema = boolean();
  return {
    ...optional({ zh, en }, example, expects, schema),
    fromText: (given) => (given === "true" ? true : given === "false" ? false : given),
    check: (value) => (fits(schema, value) ? good(value) : wrongKind(value, expects)),
  };
}

export function choice<const T extends string | number>(
  zh: string,
  en: string,
  example: string,
  of: readonly T[],
): Made<T> {
  const words = of.map((one) => (typeof one === "string" ? `"${one}"` : String(one)));
  const expects = { zh: words.join(" 或 "), en: words.join(" or ") };
  const numeric = typeof of[0] === "number";
  const schema = picklist(of);
  return {
    ...optional({ zh, en }, example, expects, schema),
    fromText: (given) => (numeric && /^\d{1,3}$/.test(given) ? Number(given) : given),
    check(value) {
      if (fits(schema, value)) return good(value as T);
      const printable = typeof value === "number" || (typeof value === "string" && /^[\w.-]{1,20}$/.test(value));
      return printable ? bad(is(JSON.stringify(value), expects)) : wrongKind(value, expects);
    },
  };
}

/** Permission bits as octal text: a bare 660 would be decimal, and TOML refuses 0660. */
export function fileMode(zh: string, en: string, example: string): Made<number> {
  const expects = { zh: '带引号的八进制权限，例如 "0660"', en: 'octal permission bits in quotes, such as "0660"' };
  const schema = pipe(string(), regex(/^0?[0-7]{3}$/));
  return {
    ...optional({ zh, en }, example, expects, schema),
    fromText: same,
    check(value) {
      if (typeof value !== "string") return wrongKind(value, expects);
      return fits(schema, value) ? good(Number.parseInt(value, 8)) : bad(unfit(expects));
    },
  };
}

/** A list of base URLs, normalised: without a trailing slash. */
export function baseUrls(zh: string, en: string, example: string): Made<readonly string[]> {
  const expects = { zh: "1 到 8 个 https 地址的列表", en: "a list of 1 to 8 https URLs" };
  const schema = pipe(array(pipe(string(), regex(HTTPS_URL))), minLength(1), maxLength(8));
  return {
    ...optional({ zh, en }, example, expects, schema),
    check(value) {
      if (!Array.isArray(value)) return wrongKind(value, expects);
      if (value.length === 0 || value.length > 8) return bad(unfit(expects));
      const urls: string[] = [];
      for (const [index, one] of value.entries()) {
        const checked = checkBaseUrl(one, index + 1);
        if (!checked.ok) return checked;
        if (urls.includes(checked.value)) {
          return bad({ zh: `第 ${index + 1} 个地址重复`, en: `names the same URL twice (entry ${index + 1})` });
        }
        urls.push(checked.value);
      }
      return good(urls);
    },
  };
}

/** A parameter that is passed on unchanged: whatever JSON can say as well. */
export function passedOn(zh: string, en: string, example: string): Made<unknown> {
  const expects = { zh: "文本、数字、true/false、列表或表", en: "text, a number, true or false, a list or a table" };
  return {
    ...optional({ zh, en }, example, expects, any()),
    fromText: (given) => (/^-?(0|[1-9]\d{0,14})$/.test(given) ? Number(given) : given),
    check: (value) => (isJson(value) ? good(value) : wrongKind(value, expects)),
  };
}

function optional(
  about: Bilingual,
  example: string,
  expects: Bilingual,
  schema: GenericSchema,
): Pick<Made<never>, "about" | "example" | "expects" | "schema" | "required" | "always" | "isPath"> {
  return { about, example, expects, schema, required: false, always: false, isPath: false };
}

function same(given: string): string {
  return given;
}

function isJson(value: unknown): boolean {
  if (typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isTable(value) && Object.values(value).every(isJson);
}

/** A TOML table; a date is an object too, but none. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
