import type { IncomingMessage } from "node:http";
import { MAX_BODY_BYTES } from "./guard.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** `gone`: the caller left, or Node's request deadline closed the connection; there is no one to answer. */
export type BodyResult =
  | { readonly kind: "none" }
  | { readonly kind: "object"; readonly value: JsonObject }
  | { readonly kind: "too_large" }
  | { readonly kind: "invalid"; readonly detail: string }
  | { readonly kind: "gone" };

/** Deeper than any request of the SDK; far below what could trouble a stack. */
const MAX_DEPTH = 32;

const [QUOTE, BACKSLASH, COLON, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = Buffer.from('"\\:{}[]');

/** Names that every JavaScript object inherits; a well-meant request never contains them. */
const forbiddenNames = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Reads a request body of at most 16 KiB. The deadline is the server's `requestTimeout`, which counts from the first
 * octet of the head: a second one here could only be later.
 */
export function readBody(req: IncomingMessage): Promise<BodyResult> {
  // The head has announced none: then the server has ended the stream without a word (`optimizeEmptyRequests`).
  if (req.readableEnded) return Promise.resolve({ kind: "none" });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (result: BodyResult) => {
      req.off("data", onData).off("end", onEnd).off("close", onGone);
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) finish({ kind: "too_large" });
      else chunks.push(chunk);
    };
    const onEnd = () => finish(size === 0 ? { kind: "none" } : parseJsonObject(Buffer.concat(chunks, size)));
    const onGone = () => finish({ kind: "gone" });
    // "error" (aborted) is always followed by "close"; without a listener it would be an uncaught exception.
    req.on("error", onGone);
    req.on("data", onData).on("end", onEnd).on("close", onGone);
  });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A JSON object that means the same to every reader (RFC 8259 section 4 and 8, RFC 7493): valid UTF-8, no doubled
 * name, no lone surrogate, no number beyond a double, no name that reaches a prototype, no bottomless nesting.
 */
export function parseJsonObject(bytes: Uint8Array): BodyResult {
  const invalid = (detail: string): BodyResult => ({ kind: "invalid", detail });
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return invalid("The body is not UTF-8.");
  }
  const shape = scan(text);
  if (shape.depth > MAX_DEPTH) return invalid("The body is nested too deeply.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's message quotes the input, which must not be sent back.
    return invalid("The body is not JSON.");
  }
  if (!isObject(value)) return invalid("The body is not a JSON object.");
  const names = { count: 0 };
  const fault = findFault(value, names);
  if (fault !== undefined) return invalid(fault);
  // JSON.parse keeps the last of two equal names; then fewer names are left than the text has colons.
  if (names.count !== shape.names) return invalid("A name occurs twice.");
  return { kind: "object", value };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Depth of nesting and number of names, without building anything. Only meaningful if the text is JSON. */
function scan(text: string): { depth: number; names: number } {
  let depth = 0;
  let deepest = 0;
  let names = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    // By number: most of a body is one long string, and a character as text costs several times as much to look at.
    const character = text.charCodeAt(i);
    if (inString) {
      if (character === BACKSLASH) i++;
      else if (character === QUOTE) inString = false;
    } else if (character === QUOTE) inString = true;
    else if (character === COLON) names++;
    else if (character === OPEN_BRACE || character === OPEN_BRACKET) deepest = Math.max(deepest, ++depth);
    else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) depth--;
  }
  return { depth: deepest, names };
}

/** Recursion is safe: the depth has been bounded before. */
function findFault(value: unknown, names: { count: number }): string | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : "A string is not valid Unicode.";
  if (typeof value === "number") return Number.isFinite(value) ? undefined : "A number is too large.";
  if (typeof value !== "object" || value === null) return undefined;
  if (!Array.isArray(value)) {
    for (const name of Object.keys(value)) {
      names.count++;
      if (forbiddenNames.has(name)) return "A name is not allowed.";
      if (!name.isWellFormed()) return "A name is not valid Unicode.";
    }
  }
  for (const member of Object.values(value)) {
    const fault = findFault(member, names);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
