import { AgentError, type ErrorContext, systemCode } from "../common/errors.ts";
import type { PlainFailureId } from "../common/failure-params.ts";
import type { SecretSearch } from "../common/log/redact.ts";
import { sanitizeUntrusted } from "../common/log/sanitize-untrusted.ts";
import { dateMs, type HeaderBag, requestId, retryAfterS } from "./headers.ts";

/** WeChat Pay refuses a timestamp further away than this (specification 4), and so do we with its answers. */
const CLOCK_TOLERANCE_MS = 300_000;

const codesOfSystem = new Map<string, PlainFailureId>([
  ["ENOTFOUND", "PAY_DNS"],
  ["ENODATA", "PAY_DNS"],
  ["ESERVFAIL", "PAY_DNS"],
  ["ECONNREFUSED", "PAY_CONNECT_REFUSED"],
  ["ETIMEDOUT", "PAY_CONNECT_TIMEOUT"],
  ["UND_ERR_CONNECT_TIMEOUT", "PAY_CONNECT_TIMEOUT"],
  ["EHOSTUNREACH", "PAY_UNREACHABLE"],
  ["EHOSTDOWN", "PAY_UNREACHABLE"],
  ["ENETUNREACH", "PAY_UNREACHABLE"],
  ["ENETDOWN", "PAY_UNREACHABLE"],
  ["EADDRNOTAVAIL", "PAY_UNREACHABLE"],
  // A packet filter that rejects with "administratively prohibited".
  ["EACCES", "PAY_UNREACHABLE"],
  ["EPERM", "PAY_UNREACHABLE"],
  ["ECONNRESET", "PAY_CONNECTION_LOST"],
  ["ECONNABORTED", "PAY_CONNECTION_LOST"],
  ["EPIPE", "PAY_CONNECTION_LOST"],
  ["UND_ERR_SOCKET", "PAY_CONNECTION_LOST"],
  ["UND_ERR_DESTROYED", "PAY_CONNECTION_LOST"],
  ["UND_ERR_CLOSED", "PAY_CONNECTION_LOST"],
  ["UND_ERR_ABORTED", "PAY_CONNECTION_LOST"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "PAY_CONNECTION_LOST"],
  ["UND_ERR_HEADERS_TIMEOUT", "PAY_TIMEOUT"],
  ["UND_ERR_BODY_TIMEOUT", "PAY_TIMEOUT"],
  ["UND_ERR_RES_EXCEEDED_MAX_SIZE", "PAY_ANSWER_TOO_LARGE"],
  ["UND_ERR_HEADERS_OVERFLOW", "PAY_ANSWER_TOO_LARGE"],
  ["parser", "PAY_ANSWER_NOT_HTTP"],
  ["parser at the end", "PAY_CONNECTION_LOST"],
  ["UND_ERR_PRX_CONN", "PAY_PROXY"],
  ["UND_ERR_PRX_TLS", "PAY_PROXY"],
  ["CERT_HAS_EXPIRED", "PAY_TLS_EXPIRED"],
  ["CERT_NOT_YET_VALID", "PAY_TLS_EXPIRED"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "PAY_TLS_NAME"],
  // What Node calls the verdicts that it has no name for, such as a server's key that is too weak: not who has issued it.
  ["UNSPECIFIED", "PAY_TLS_FAILED"],
]);

/** Families of codes, in this order. OpenSSL's list: https://docs.openssl.org/3.5/man1/openssl-verification-options. */
const codesByPattern: readonly (readonly [RegExp, PlainFailureId])[] = [
  [/^EAI_/, "PAY_DNS"],
  // An alert is the peer's word: about a certificate, it can only be about ours.
  [/^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/, "PAY_CLIENT_CERTIFICATE"],
  // OpenSSL could not use the files: certificate and key do not belong together, are neither, or too weak.
  [/^ERR_OSSL_|^ERR_SSL_(EE_KEY|CA_KEY|CA_MD)_TOO_/, "PAY_CLIENT_CERTIFICATE"],
  [/^(ERR_SSL_|ERR_TLS_|EPROTO$)/, "PAY_TLS_FAILED"],
  [/SELF_SIGNED|^(UNABLE_TO_|CERT_|CRL_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/, "PAY_TLS_UNTRUSTED"],
  // Any other errno: the way is not usable, for a reason this table does not know.
  [/^E[A-Z]+$/, "PAY_UNREACHABLE"],
];

/**
 * The class of an error from the connection, from its codes alone. `clockSuspect`: there is reason to think our own
 * clock wrong, which makes every certificate look expired or not yet valid. `ownAuthority`: there is a `ca_file`.
 */
export function classifyTransportError(
  error: unknown,
  facts: { readonly clockSuspect: boolean; readonly ownAuthority?: boolean },
): AgentError {
  if (error instanceof AgentError) return error;
  const found = leaves(error).flatMap((leaf) => {
    const system = codeIn(leaf);
    const code = system === undefined ? undefined : codeOf(system);
    return system === undefined || code === undefined ? [] : [{ code, system }];
  });
  // With several addresses tried, one family without a route says less than how the other one fared.
  const telling = found.find(({ code }) => code !== "PAY_UNREACHABLE") ?? found[0];
  if (telling === undefined) return new AgentError("INTERNAL", {}, { cause: error });
  const id = idOf(telling.code, facts);
  const context = { system: telling.system };
  // The parser's error quotes what it could not read, and that may hold an authinfo.
  if (telling.system.startsWith("parser")) return new AgentError(id, {}, { context });
  return new AgentError(id, {}, { cause: error, context });
}

function idOf(
  code: PlainFailureId,
  facts: { readonly clockSuspect: boolean; readonly ownAuthority?: boolean },
): PlainFailureId {
  if (code === "PAY_TLS_EXPIRED" && facts.clockSuspect) return "CLOCK_WRONG.certificate";
  return code === "PAY_TLS_UNTRUSTED" && facts.ownAuthority ? "PAY_TLS_UNTRUSTED.ca_file" : code;
}

function codeOf(system: string): PlainFailureId | undefined {
  return codesOfSystem.get(system) ?? codesByPattern.find(([pattern]) => pattern.test(system))?.[1];
}

/**
 * The code in an error. undici's parser gives its errors none (8.12.4: the list it looks them up in goes by name), only what it could
 * not read, which is nothing when the connection has ended where more was due.
 */
function codeIn(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== "HTTPParserError") return systemCode(error);
  return (error as { data?: unknown }).data === "" ? "parser at the end" : "parser";
}

/** Node reports several failed addresses as one AggregateError with the first one's code; undici adds causes. */
function leaves(error: unknown, depth = 0): unknown[] {
  if (depth > 4 || typeof error !== "object" || error === null) return [];
  if (error instanceof AggregateError) return error.errors.flatMap((inner: unknown) => leaves(inner, depth + 1));
  const system = codeIn(error);
  if (system !== undefined && codeOf(system) !== undefined) return [error];
  return leaves((error as { cause?: unknown }).cause, depth + 1);
}

export interface StatusFacts {
  /** Not 2xx. */
  readonly status: number;
  readonly headers: HeaderBag;
  /** As much of the body as was read; may be empty, cut short, or anything but JSON. */
  readonly body: Buffer;
  readonly wallMs: number;
  /** What a server may well repeat, and must not turn up again. */
  readonly secrets: SecretSearch;
}

/** The class of an answer that is no success (specification 4). Never verified, so nothing but a hint. */
export function classifyStatus(facts: StatusFacts): AgentError {
  const { status, headers } = facts;
  const body = readErrorBody(facts.body, facts.secrets);
  const date = dateMs(headers);
  const skewMs = date === undefined ? undefined : date - facts.wallMs;
  const failure = failureOfStatus(status, body.code, skewMs);
  const id = tellableId(headers, facts.secrets);
  const wait = retryAfterS(headers, facts.wallMs);
  const context: ErrorContext = {
    ...(id === undefined ? {} : { requestId: id }),
    ...(wait === undefined ? {} : { retryAfterS: wait }),
    ...(skewMs === undefined ? {} : { skewMs }),
  };
  const params = {
    httpStatus: status,
    ...(body.code === undefined ? {} : { answerCode: body.code }),
    ...(body.message === undefined ? {} : { answerMessage: body.message }),
    ...(body.field === undefined ? {} : { answerField: body.field }),
  };
  return new AgentError(failure, params, { context });
}

function failureOfStatus(status: number, answerCode: string | undefined, skewMs: number | undefined) {
  switch (status) {
    // RFC 9110 15.4: the redirects that a POST can meet; of a cache's 304 and the rest there is nothing to follow.
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return "PAY_REDIRECTED";
    case 400:
      return "PAY_BAD_REQUEST";
    case 401:
      // Told by Date, never by the message: at such a clock the answer to the best of signatures would be refused too.
      return skewMs !== undefined && Math.abs(skewMs) > CLOCK_TOLERANCE_MS ? "CLOCK_WRONG.status" : "PAY_UNAUTHORIZED";
    case 403:
      return answerCode === "RATE_LIMITED" ? "PAY_RATE_LIMITED" : "PAY_FORBIDDEN";
    case 404:
      return "PAY_NOT_FOUND";
    case 407:
      return "PAY_PROXY_AUTH";
    case 429:
      return "PAY_RATE_LIMITED";
    case 502:
    case 503:
    case 504:
      return "PAY_UNAVAILABLE";
    // RFC 6585: how a network asks for a login.
    case 511:
      return "PAY_CAPTIVE_PORTAL.status";
    default:
      if (status < 400) return "PAY_STATUS_UNEXPECTED";
      return status >= 500 ? "PAY_SERVER_ERROR" : "PAY_CLIENT_ERROR";
  }
}

/** `code`, `message` and a gateway's `field` of an error body as far as they can be shown; nothing for any other body. */
function readErrorBody(body: Buffer, secrets: SecretSearch): { code?: string; message?: string; field?: string } {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    // An error body may be empty or a page of HTML: the status says enough.
    return {};
  }
  if (typeof value !== "object" || value === null) return {};
  const { code, message, field } = value as { code?: unknown; message?: unknown; field?: unknown };
  const isTellable = (word: string) => secrets.find(word) === undefined;
  const text = typeof message === "string" ? sanitizeUntrusted(message, 200, secrets) : "";
  return {
    ...(typeof code === "string" && /^[A-Z][A-Z0-9_]{0,47}$/.test(code) && isTellable(code) ? { code } : {}),
    ...(text === "" ? {} : { message: text }),
    ...(typeof field === "string" && /^[A-Za-z_ -]{1,48}$/.test(field) && isTellable(field) ? { field } : {}),
  };
}

/** `Request-ID` as far as it tells nothing that is secret. */
export function tellableId(headers: HeaderBag, secrets: SecretSearch): string | undefined {
  const id = requestId(headers);
  return id === undefined || secrets.find(id) !== undefined ? undefined : id;
}
