import { AgentError } from "../common/errors.ts";
import { type HeaderBag, single } from "./headers.ts";

/** The v2 interface says string(4096), v3 says nothing: four times that is room enough and still a bound. */
const LONGEST_AUTHINFO = 16_384;

const SHORTEST_LIFETIME_S = 60;
const LONGEST_LIFETIME_S = 86_400;

export interface AnswerBody {
  /** Printable ASCII without spaces. A secret. */
  readonly authinfo: string;
  /** 60 to 86400. */
  readonly expiresInS?: number;
}

/**
 * Reads the body of a verified answer. Throws an AgentError of PAY_ANSWER_CHARSET, PAY_ANSWER_NOT_JSON,
 * PAY_AUTHINFO_MISSING, PAY_AUTHINFO_INVALID or PAY_EXPIRES_IN_INVALID, none of which holds any of the text.
 */
export function readAnswer(rawBody: Buffer, headers: HeaderBag): AnswerBody {
  const answer = readObject(rawBody, headers);
  const { authinfo } = answer;
  if (authinfo === undefined) throw new AgentError("PAY_AUTHINFO_MISSING", {});
  if (typeof authinfo !== "string" || !/^[\x21-\x7e]+$/.test(authinfo) || authinfo.length > LONGEST_AUTHINFO) {
    const length = typeof authinfo === "string" ? authinfo.length : undefined;
    throw new AgentError("PAY_AUTHINFO_INVALID", {}, { context: { length } });
  }
  if (!Object.hasOwn(answer, "expires_in")) return { authinfo };
  return { authinfo, expiresInS: lifetimeS(answer.expires_in) };
}

/** The body as a JSON object; unknown keys are left alone, they may be added at any time. */
export function readObject(rawBody: Buffer, headers: HeaderBag): Readonly<Record<string, unknown>> {
  for (const [, charset = ""] of (single(headers, "content-type") ?? "").matchAll(/charset\s*=\s*"?([^\s";,]*)/gi)) {
    if (!/^utf-?8$/i.test(charset)) throw new AgentError("PAY_ANSWER_CHARSET", {});
  }
  const value = parse(decode(rawBody));
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AgentError("PAY_ANSWER_NOT_JSON.not_object", {});
  }
  return value as Record<string, unknown>;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decode(rawBody: Buffer): string {
  try {
    return utf8.decode(rawBody);
  } catch {
    // The decoder's error says no more than that, so it is not kept as the cause.
    throw new AgentError("PAY_ANSWER_CHARSET", {});
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // V8 quotes the text in its message, and the text may hold an authinfo: the cause must not be kept.
    throw new AgentError(text === "" ? "PAY_ANSWER_NOT_JSON.empty" : "PAY_ANSWER_NOT_JSON", {});
  }
}

/** A whole number or its decimal digits; too long a life is cut, too short or unclear a one refuted (specification 4). */
function lifetimeS(value: unknown): number {
  const seconds = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds < SHORTEST_LIFETIME_S) {
    throw new AgentError("PAY_EXPIRES_IN_INVALID", {});
  }
  return Math.min(seconds, LONGEST_LIFETIME_S);
}
