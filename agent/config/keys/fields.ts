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
import type { AnyMessage } from "../../messages/message.ts";
import { checkBaseUrl } from "../addresses.ts";
import type { Checked } from "../problem.ts";
import { bad, empty, good, is, unfit, unquoted, wrongKind } from "./validation-result.ts";

/** One key of the configuration file. `Always`: required or with a default, so that a checked configuration has it. */
export interface Field<T = unknown, Always extends boolean = boolean> {
  readonly about: AnyMessage;
  /** A value as it would stand in the file. */
  readonly example: string;
  /** What may stand there, after "must be". */
  readonly expects: AnyMessage;
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
export interface Form {
  /** After "must be". */
  readonly expects: AnyMessage;
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
export function text(about: AnyMessage, example: string, form: Form): Made<string> {
  const { pattern, published = pattern, read, expects } = form;
  const schema = pipe(string(), regex(pattern));
  return {
    ...optional(about, example, expects, pipe(string(), regex(published))),
    fromText: same,
    check(value) {
      if (typeof value === "number" || typeof value === "bigint") return unquoted(value);
      if (typeof value !== "string") return wrongKind(value, expects);
      if (value === "") return empty(expects);
      if (read !== undefined) return read(value);
      return fits(schema, value) ? good(value) : unfit(expects);
    },
  };
}

/** The path of a file, directory, device or socket. */
export function filePath(about: AnyMessage, example: string): Made<string> {
  const expects: AnyMessage = { id: "value.path" };
  return {
    ...optional(about, example, expects, pipe(string(), regex(PATH))),
    isPath: true,
    fromText: same,
    check(value) {
      if (typeof value !== "string") return wrongKind(value, expects);
      if (value.trim() === "") return empty(expects);
      if (value.includes("-----BEGIN")) {
        return bad({ id: "value.content_itself" });
      }
      if (/\p{Cc}/u.test(value)) return bad({ id: "value.control_characters" });
      if (value.startsWith("~")) return bad({ id: "value.tilde" });
      return good(value);
    },
  };
}

export function integer(about: AnyMessage, example: string, least: number, most: number): Made<number> {
  const expects: AnyMessage = { id: "value.integer", params: { least, most } };
  const schema = pipe(number(), wholeNumber(), minValue(least), maxValue(most));
  return {
    ...optional(about, example, expects, schema),
    fromText: (given) => (/^-?\d{1,15}$/.test(given) ? Number(given) : given),
    check(value) {
      if (typeof value === "bigint") return is(String(value), expects);
      if (typeof value !== "number") return wrongKind(value, expects);
      return fits(schema, value) ? good(value) : is(String(value), expects);
    },
  };
}

/** A number above 0 and below 1. */
export function fraction(about: AnyMessage, example: string): Made<number> {
  const expects: AnyMessage = { id: "value.fraction" };
  const schema = pipe(number(), gtValue(0), ltValue(1));
  return {
    ...optional(about, example, expects, schema),
    fromText: (given) => (/^-?\d*\.?\d+$/.test(given) ? Number(given) : given),
    check(value) {
      if (typeof value === "bigint") return is(String(value), expects);
      if (typeof value !== "number") return wrongKind(value, expects);
      return fits(schema, value) ? good(value) : is(String(value), expects);
    },
  };
}

export function yesNo(about: AnyMessage, example: string): Made<boolean> {
  const expects: AnyMessage = { id: "value.boolean" };
  const schema = boolean();
  return {
    ...optional(about, example, expects, schema),
    fromText: (given) => (given === "true" ? true : given === "false" ? false : given),
    check: (value) => (fits(schema, value) ? good(value) : wrongKind(value, expects)),
  };
}

export function choice<const T extends string | number>(about: AnyMessage, example: string, of: readonly T[]): Made<T> {
  const words = of.map((one) => (typeof one === "string" ? `"${one}"` : String(one)));
  const expects: AnyMessage = { id: "value.choice", params: { values: words } };
  const numeric = typeof of[0] === "number";
  const schema = picklist(of);
  return {
    ...optional(about, example, expects, schema),
    fromText: (given) => (numeric && /^\d{1,3}$/.test(given) ? Number(given) : given),
    check(value) {
      if (fits(schema, value)) return good(value as T);
      const printable = typeof value === "number" || (typeof value === "string" && /^[\w.-]{1,20}$/.test(value));
      return printable ? is(JSON.stringify(value), expects) : wrongKind(value, expects);
    },
  };
}

/** A list out of a few words, each once at most. */
export function choices<const T extends string>(
  about: AnyMessage,
  example: string,
  of: readonly T[],
): Made<readonly T[]> {
  const expects: AnyMessage = { id: "value.choices", params: { values: of.map((one) => `"${one}"`) } };
  const schema = array(picklist(of));
  return {
    ...optional(about, example, expects, schema),
    check(value) {
      if (!Array.isArray(value)) return wrongKind(value, expects);
      return fits(schema, value) && new Set(value).size === value.length ? good(value as T[]) : unfit(expects);
    },
  };
}

/** Permission bits as octal text: a bare 660 would be decimal, and TOML refuses 0660. */
export function fileMode(about: AnyMessage, example: string): Made<number> {
  const expects: AnyMessage = { id: "value.mode" };
  const schema = pipe(string(), regex(/^0?[0-7]{3}$/));
  return {
    ...optional(about, example, expects, schema),
    fromText: same,
    check(value) {
      if (typeof value !== "string") return wrongKind(value, expects);
      return fits(schema, value) ? good(Number.parseInt(value, 8)) : unfit(expects);
    },
  };
}

/** A list of base URLs, normalised: without a trailing slash. */
export function baseUrls(about: AnyMessage, example: string): Made<readonly string[]> {
  const expects: AnyMessage = { id: "value.urls" };
  const schema = pipe(array(pipe(string(), regex(HTTPS_URL))), minLength(1), maxLength(8));
  return {
    ...optional(about, example, expects, schema),
    check(value) {
      if (!Array.isArray(value)) return wrongKind(value, expects);
      if (value.length === 0 || value.length > 8) return unfit(expects);
      const urls: string[] = [];
      for (const [index, one] of value.entries()) {
        const checked = checkBaseUrl(one, index + 1);
        if (!checked.ok) return checked;
        if (urls.includes(checked.value)) {
          return bad({ id: "url.twice", params: { entry: index + 1 } });
        }
        urls.push(checked.value);
      }
      return good(urls);
    },
  };
}

/** A parameter that is passed on unchanged: whatever JSON can say as well. */
export function passedOn(about: AnyMessage, example: string): Made<unknown> {
  const expects: AnyMessage = { id: "value.json" };
  return {
    ...optional(about, example, expects, any()),
    fromText: (given) => (/^-?(0|[1-9]\d{0,14})$/.test(given) ? Number(given) : given),
    check: (value) => (isJson(value) ? good(value) : wrongKind(value, expects)),
  };
}

function optional(
  about: AnyMessage,
  example: string,
  expects: AnyMessage,
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
