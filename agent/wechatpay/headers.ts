/** Header names in lower case; a header that came more than once is an array. */
export type HeaderBag = Readonly<Record<string, string | string[] | undefined>>;

/** Beyond a quarter of an hour the agent's own back-off knows better than a server in trouble. */
const LONGEST_RETRY_AFTER_S = 900;

/** The shortest and the longest `Facepay-Refresh-Seconds` that is taken (specification 4). */
const SHORTEST_REFRESH_S = 600;
const LONGEST_REFRESH_S = 3000;

/** Headers as they mean what they say: optional white space around a value is no part of it (RFC 9112 section 5.1). */
export function withoutWhiteSpace(headers: HeaderBag): HeaderBag {
  const strip = (value: string) => value.replace(/^[ \t]+|[ \t]+$/g, "");
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(strip) : value && strip(value),
    ]),
  );
}

/** Whether the body came as it is: codings are named without regard to case, in a list (RFC 9110 section 8.4.1). */
export function isPlain(headers: HeaderBag): boolean {
  const codings = [headers["content-encoding"] ?? []].flat().flatMap((value) => value.split(","));
  return codings.every((coding) => /^[ \t]*(identity)?[ \t]*$/i.test(coding));
}

/** The value of a header that came exactly once. */
export function single(headers: HeaderBag, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

/** Whether the answer is a web page, by its type or its beginning: a login page of the network rather than anything of WeChat Pay's. */
export function isHtml(headers: HeaderBag, body: Buffer): boolean {
  if (/\bhtml\b/i.test(single(headers, "content-type") ?? "")) return true;
  return /^\s*<(!doctype\s+html|html|head|body|script|meta)\b/i.test(body.subarray(0, 256).toString("latin1"));
}

/** `Date` in Unix milliseconds. Only the form that RFC 9110 5.6.7 lets servers send; the second has been cut off. */
export function dateMs(headers: HeaderBag): number | undefined {
  return httpDate(single(headers, "date"));
}

function httpDate(value: string | undefined): number | undefined {
  if (value === undefined || !/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value))
    return undefined;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * `Retry-After` in seconds, 0 to 900; undefined when absent or unreadable. A date is measured against the answer's own
 * `Date`, so that a wrong clock here does not matter; `nowMs` serves when there is none.
 */
export function retryAfterS(headers: HeaderBag, nowMs: number): number | undefined {
  const value = single(headers, "retry-after");
  if (value === undefined) return undefined;
  const until = httpDate(value);
  const seconds = until === undefined ? wholeNumber(value) : Math.ceil((until - (dateMs(headers) ?? nowMs)) / 1000);
  return seconds === undefined ? undefined : Math.min(Math.max(seconds, 0), LONGEST_RETRY_AFTER_S);
}

/** `Facepay-Refresh-Seconds` of a gateway; anything but 600 to 3000 is as good as absent. */
export function refreshAfterS(headers: HeaderBag): number | undefined {
  const seconds = wholeNumber(single(headers, "facepay-refresh-seconds") ?? "");
  return seconds !== undefined && seconds >= SHORTEST_REFRESH_S && seconds <= LONGEST_REFRESH_S ? seconds : undefined;
}

/** What WeChat Pay's support asks for, in the one form that WeChat Pay gives it: letters and digits in groups. */
export function requestId(headers: HeaderBag): string | undefined {
  const value = single(headers, "request-id");
  return value !== undefined && /^[A-Za-z0-9-]{1,96}$/.test(value) ? value : undefined;
}

function wholeNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
