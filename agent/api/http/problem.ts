import type { AgentError, FailureRecord } from "../../common/errors.ts";
import { catalogues } from "../../messages/catalogue.ts";
import { failureInEnglish } from "../../messages/failure-text.ts";
import type { ProblemCode } from "../../messages/replies-en.ts";
import { rfc3339 } from "./rfc3339.ts";

export type { ProblemCode } from "../../messages/replies-en.ts";

/**
 * Everything the local API can refuse with. The code is stable (specification 5). A problem never repeats what the caller sent: an answer
 * must not become a way to plant text in somebody's log or page.
 */
export const problemStatuses: Readonly<Record<ProblemCode, number>> = {
  MALFORMED_REQUEST: 400,
  HOST_INVALID: 400,
  TARGET_INVALID: 400,
  QUERY_INVALID: 400,
  BODY_INVALID: 400,
  BODY_UNEXPECTED: 400,
  BROWSER_REFUSED: 403,
  PREFLIGHT_REFUSED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  EXPECTATION_FAILED: 417,
  PIPELINE_TOO_LONG: 429,
  HEADERS_TOO_LARGE: 431,
  AUTHINFO_ABSENT: 503,
  AUTHINFO_EXPIRED: 503,
  UNPROVISIONED: 503,
  TOO_MANY_SUBSCRIBERS: 503,
  TOO_BUSY: 503,
  SDK_CALL_TIMEOUT: 504,
  BRIDGE_UNAVAILABLE: 503,
  SDK_NATIVE_ERROR: 502,
  SDK_CALL_FAILED: 502,
  REFRESH_FAILED: 502,
  REFRESH_TOO_SOON: 429,
  REFRESH_HELD: 429,
  PROBE_FAILED: 502,
  NOT_LIVE: 503,
  INTERNAL: 500,
};

/** One answer, ready to be sent. `body` is UTF-8 text. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly retryAfterS?: number;
  readonly allow?: string;
  /** Further headers, names and values in turn. */
  readonly headers?: readonly string[];
  /** The connection is closed after this answer. */
  readonly close?: boolean;
}

/** What stands in the way of the answer. As `Cause` of agent/credential, which nothing of HTTP needs to know. */
interface StandingCause extends FailureRecord {
  readonly sinceWallMs: number;
}

/** The cause to name: the standing one when it is the same failure (it knows since when), else this one, as of now. */
export function causeOf(error: AgentError, wallMs: number, standing?: StandingCause): StandingCause {
  if (standing?.code === error.code) return standing;
  return { code: error.code, sinceWallMs: wallMs, params: error.params };
}

export interface ProblemFacts {
  readonly detail?: string;
  readonly cause?: StandingCause;
  readonly retryAfterS?: number;
  /** Further members of the document. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** An RFC 9457 document: `{type, title, title_zh, status, code, detail?, cause?: {code, since, detail?, params?}, ...extra}`. */
export function problem(code: ProblemCode, facts?: ProblemFacts): Reply {
  if (facts !== undefined) return render(code, facts);
  const reply = plain.get(code) ?? render(code, {});
  plain.set(code, reply);
  return reply;
}

/** Those without facts, which a flood of requests may ask for thousands of times a second. */
const plain = new Map<ProblemCode, Reply>();

function render(code: ProblemCode, facts: ProblemFacts): Reply {
  const status = problemStatuses[code];
  const { detail, cause, retryAfterS, extra } = facts;
  const document = {
    type: `urn:facepay-agent:problem:${code}`,
    title: catalogues.en.problemTitles[code],
    title_zh: catalogues.zh.problemTitles[code],
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(cause === undefined ? {} : { cause: causeDocument(cause) }),
    ...extra,
  };
  return {
    status,
    contentType: "application/problem+json",
    body: JSON.stringify(document),
    ...(retryAfterS === undefined ? {} : { retryAfterS: Math.max(1, Math.ceil(retryAfterS)) }),
  };
}

/** A refusal with what people without a shell read out (specification 11). Of no other status: the others are for programs. */
export function withSupportCode(reply: Reply, supportCode: (() => string) | undefined): Reply {
  if (reply.status !== 503 || supportCode === undefined) return reply;
  return { ...reply, body: `${reply.body.slice(0, -1)},"support_code":"${supportCode()}"}` };
}

export function json(status: number, document: unknown): Reply {
  return { status, contentType: "application/json", body: JSON.stringify(document) ?? "null" };
}

function causeDocument(cause: StandingCause) {
  const { code, sinceWallMs, params = {} } = cause;
  return { code, since: rfc3339(sinceWallMs), detail: failureInEnglish(cause), params };
}
