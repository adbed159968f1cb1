import type { LogFields } from "./log.ts";
import { isSecretName } from "./redact.ts";

/** The event's own members: a field of the same name gets an underscore. */
const takenNames: ReadonlySet<string> = new Set(["time", "level", "code", "msg"]);

const MAX_DEPTH = 4;
const MAX_TEXT = 2_000;
const MAX_MEMBERS = 100;

/**
 * Characters a terminal obeys or hides but JSON lets through: DEL, C1 controls, zero-width and bidirectional marks
 * (Unicode TR 36). A name from the bridge must not be able to rewrite what a technician reads.
 */
const treacherous = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The fields of an event as plain, bounded data without secrets. Never throws. */
export function cleanFields(fields: LogFields): Record<string, unknown> {
  try {
    return cleanObject(fields, 1, takenNames);
  } catch {
    // A getter or a proxy that throws: the event itself still counts.
    return { fields: "[unreadable]" };
  }
}

/** By a loop: a gateway writes a line for each request, and arrays of pairs took twice the time of all the rest. */
function cleanObject(object: object, depth: number, taken?: ReadonlySet<string>): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  let members = 0;
  for (const name of Object.keys(object)) {
    if (members++ === MAX_MEMBERS) break;
    const plain = cleanText(name);
    // To give a value to "__proto__" would change what the object is.
    const own = plain === "__proto__" || taken?.has(plain) ? `${plain}_` : plain;
    cleaned[own] = isSecretName(name) ? "[redacted]" : clean((object as Record<string, unknown>)[name], depth);
  }
  return cleaned;
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "[invalid date]" : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return "[deep]";
  if (value instanceof Error) return cleanError(value, depth);
  if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((member) => clean(member, depth + 1));
  return cleanObject(value, depth + 1);
}

function cleanError(
  error: Error & { code?: unknown; params?: unknown; context?: unknown },
  depth: number,
): Record<string, unknown> {
  const { name, message, code, params, context, cause, stack } = error;
  return {
    name: cleanText(name),
    message: cleanText(message),
    ...(typeof code === "string" || typeof code === "number" ? { code: clean(code, depth) } : {}),
    ...(typeof params === "object" && params !== null ? { params: clean(params, depth + 1) } : {}),
    ...(typeof context === "object" && context !== null ? { context: clean(context, depth + 1) } : {}),
    ...(cause === undefined ? {} : { cause: clean(cause, depth + 1) }),
    // Only a defect needs the way to it; an expected failure has its code.
    ...(code === undefined && stack !== undefined ? { stack: cleanText(stack) } : {}),
  };
}

function cleanText(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}... (${text.length} characters)` : text;
  return cut.replace(treacherous, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
