import { type ProblemCode, problemStatuses, type Reply } from "../api/http/problem.ts";
import { type Bilingual, say } from "../common/language.ts";
import { catalogues } from "../messages/catalogue.ts";
import type { GatewayRefusalTexts } from "../messages/replies-en.ts";

/** Everything the gateway itself can refuse with, beside what the guard of every HTTP server here finds. */
const ownStatuses: Readonly<Record<keyof GatewayRefusalTexts, number>> = {
  CREDENTIALS_MISSING: 401,
  CERTIFICATE_MISSING: 401,
  CERTIFICATE_FOREIGN: 401,
  CERTIFICATE_EXPIRED: 401,
  CERTIFICATE_REVOKED: 401,
  TOKEN_MISSING: 401,
  TOKEN_UNKNOWN: 401,
  DEVICE_UNKNOWN: 401,
  CREDENTIALS_DIFFER: 401,
  NOT_THIS_DEVICE: 403,
  RATE_LIMITED: 429,
  UPSTREAM_FAILED: 502,
  BUSY: 503,
  // The gateway's own trouble, not the terminal's: another gateway may have a newer list.
  REVOCATION_UNKNOWN: 503,
  UPSTREAM_TIMEOUT: 504,
};

export type RefusalCode = keyof GatewayRefusalTexts | ProblemCode;

/**
 * A refusal in the shape of WeChat Pay's own errors, which every terminal reads and shows: `code` says that the gateway
 * spoke. It never repeats what the caller sent.
 * @param field what it is about, a name from a fixed list
 */
export function refusal(code: RefusalCode, field = "", retryAfterS?: number): Reply {
  const message = `${say(textOf(code), "both")}${field === "" ? "" : `: ${field}`}`;
  return {
    status: isOwn(code) ? ownStatuses[code] : problemStatuses[code],
    contentType: "application/json; charset=utf-8",
    body: JSON.stringify({ code: `GATEWAY_${code}`, message, ...(field === "" ? {} : { field }) }),
    ...(retryAfterS === undefined ? {} : { retryAfterS: Math.max(1, Math.ceil(retryAfterS)) }),
  };
}

function isOwn(code: RefusalCode): code is keyof GatewayRefusalTexts {
  return Object.hasOwn(ownStatuses, code);
}

function textOf(code: RefusalCode): Bilingual {
  const { zh, en } = catalogues;
  return isOwn(code)
    ? { zh: zh.gatewayRefusals[code], en: en.gatewayRefusals[code] }
    : { zh: zh.problemTitles[code], en: en.problemTitles[code] };
}
