import type { ProblemCode } from "./problem.ts";
import type { RejectionReason } from "./rejection-reasons.ts";

/** What the guard looks at: the fields of an IncomingMessage, before anything has normalised them. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Names and values in turn, as they came: Node's `headers` hides a doubled Host (measured). */
  readonly rawHeaders: readonly string[];
}

export interface Refusal {
  readonly code: ProblemCode;
  readonly reason: RejectionReason;
  /** The header that was found, where one decided. A name from a fixed list, never the caller's own octets. */
  readonly header?: string;
}

/** Specification 5. */
export const MAX_BODY_BYTES = 16 * 1024;

const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i;

const refuse = (code: ProblemCode, reason: RejectionReason, header?: string): Refusal =>
  Object.freeze({ code, reason, ...(header === undefined ? {} : { header }) });
const HOST = refuse("HOST_INVALID", "host");
const TARGET = refuse("TARGET_INVALID", "target");
const ORIGIN = refuse("BROWSER_REFUSED", "origin", "Origin");
const REFERER = refuse("BROWSER_REFUSED", "referer", "Referer");
/**
 * A browser sends these with every request. Node's own fetch and undici send `Sec-Fetch-Mode` alone, so that one proves nothing.
 */
const SEC_FETCH = new Map(
  ["Site", "Dest", "User", "Storage-Access"].map((end) => {
    const header = `Sec-Fetch-${end}`;
    return [header.toLowerCase(), refuse("BROWSER_REFUSED", "sec_fetch", header)];
  }),
);
const PREFLIGHT = refuse("PREFLIGHT_REFUSED", "preflight");
const EXPECT = refuse("EXPECTATION_FAILED", "expect");
const METHOD = refuse("METHOD_NOT_ALLOWED", "method");
const CONTENT_TYPE = refuse("UNSUPPORTED_MEDIA_TYPE", "content_type");
const BODY_UNEXPECTED = refuse("BODY_UNEXPECTED", "body_unexpected");
const TOO_LARGE = refuse("BODY_TOO_LARGE", "body_too_large");

/**
 * Judges a request by its head alone, before routing; undefined lets it through. Whoever may open the socket is trusted
 * to be a program of this terminal; what is kept out is a web page that reaches the socket through one (a proxy, a
 * kiosk browser), request smuggling, and anything that would have to be read at length to be refused.
 */
export function checkRequest(head: RequestHead): Refusal | undefined {
  const { method, url, rawHeaders } = head;
  let hosts = 0;
  let browser: Refusal | undefined;
  let expectation = false;
  let types = 0;
  let typeFits = true;
  let hasBody = false;
  let tooLarge = false;
  // This runs for every request: the length sorts out most names before any of them is copied to lower case.
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    switch (name.length) {
      case 4:
        // Empty is what RFC 9112 section 3.2 asks of a client whose target has no authority, as on a unix socket.
        if (name.toLowerCase() === "host") hosts++;
        break;
      case 6: {
        const lower = name.toLowerCase();
        if (lower === "origin") browser ??= ORIGIN;
        else if (lower === "expect") expectation ||= rawHeaders[i + 1]?.toLowerCase() !== "100-continue";
        break;
      }
      case 7:
        if (name.toLowerCase() === "referer") browser ??= REFERER;
        break;
      case 12:
        if (name.toLowerCase() === "content-type") {
          types++;
          typeFits &&= JSON_TYPE.test(rawHeaders[i + 1] ?? "");
        }
        break;
      case 14:
        if (name.toLowerCase() === "content-length") {
          const length = Number(rawHeaders[i + 1]);
          hasBody ||= length !== 0;
          tooLarge ||= !(length <= MAX_BODY_BYTES);
        }
        break;
      case 16:
        // A compressed body could grow a thousandfold, and no client of this API needs one.
        if (name.toLowerCase() === "content-encoding") typeFits = false;
        break;
      case 17:
        if (name.toLowerCase() === "transfer-encoding") hasBody = true;
        break;
    }
    if (name.length >= 10 && browser === undefined && name.slice(0, 10).toLowerCase() === "sec-fetch-") {
      browser = SEC_FETCH.get(name.toLowerCase());
    }
  }
  if (hosts !== 1) return HOST;
  if (url === undefined || !url.startsWith("/") || url.startsWith("//")) return TARGET;
  if (browser !== undefined) return browser;
  if (method === "OPTIONS") return PREFLIGHT;
  if (method !== "GET" && method !== "HEAD" && method !== "POST") return METHOD;
  if (expectation) return EXPECT;
  if (tooLarge) return TOO_LARGE;
  // A form's type is refused even without a body: the three types a page can send unasked are never ours.
  if (types > 1 || !typeFits || (hasBody && types === 0)) return CONTENT_TYPE;
  if (hasBody && method !== "POST") return BODY_UNEXPECTED;
  return undefined;
}
