import type { HeaderBag } from "../wechatpay/headers.ts";

/** What of WeChat Pay's headers a terminal may see; everything that begins with Wechatpay- besides. */
const PASSED = new Set(["content-type", "content-language", "content-encoding", "date", "request-id", "retry-after"]);
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The headers of an answer that is passed on, as names and values in turn, and the fleet's lever on a success. A doubled
 * header stays doubled: to judge it is the terminal's affair.
 */
export function answerHeaders(headers: HeaderBag, length: number, refreshSeconds: number | undefined): string[] {
  const passed: string[] = [];
  for (const [name, values] of Object.entries(headers)) {
    if (values === undefined || (!PASSED.has(name) && !name.startsWith("wechatpay-"))) continue;
    for (const value of typeof values === "string" ? [values] : values) if (VALUE.test(value)) passed.push(name, value);
  }
  if (refreshSeconds !== undefined) passed.push("facepay-refresh-seconds", String(refreshSeconds));
  passed.push("cache-control", "no-store", "content-length", String(length));
  return passed;
}
