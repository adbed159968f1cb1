import type { AnyMessage } from "../../messages/message.ts";
import type { Checked } from "../problem.ts";

// What is said of one value. Where it is text it is never shown: it might be a secret in the wrong place.

type Refused = Checked<never> & { readonly ok: false };

export function good<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function bad(what: AnyMessage, instead?: AnyMessage): Refused {
  return { ok: false, what, ...(instead === undefined ? {} : { instead }) };
}

export function unfit(expects: AnyMessage): Refused {
  return bad({ id: "value.unfit", params: { expects } });
}

export function empty(expects: AnyMessage): Refused {
  return bad({ id: "value.empty", params: { expects } });
}

export function is(shown: string, expects: AnyMessage): Refused {
  return bad({ id: "value.is", params: { shown, expects } });
}

export function unquoted(value: number | bigint): Refused {
  return bad({ id: "value.bare_number" }, { id: "value.quote", params: { value: String(value) } });
}

export function wrongKind(value: unknown, expects: AnyMessage): Refused {
  return bad({ id: "value.wrong_kind", params: { kind: kindOf(value), expects } });
}

function kindOf(value: unknown): AnyMessage {
  if (typeof value === "string") return { id: "value.kind_text" };
  if (typeof value === "number" || typeof value === "bigint") return { id: "value.kind_number" };
  if (typeof value === "boolean") return { id: "value.kind_boolean" };
  if (Array.isArray(value)) return { id: "value.kind_list" };
  if (value instanceof Date) return { id: "value.kind_date" };
  return { id: "value.kind_table" };
}
