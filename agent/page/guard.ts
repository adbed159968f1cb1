/** What the guard looks at: the fields of an IncomingMessage, names and values of headers in turn as they came. */
export interface PageRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
}

export type Refusal =
  | "version"
  | "host"
  | "target"
  | "origin"
  | "cross_site"
  | "method"
  | "body"
  | "form"
  | "link_wrong"
  | "link_used"
  | "session"
  | "not_found"
  | "busy"
  | "no_bundle"
  | "malformed"
  | "internal";

export const refusalStatuses: Readonly<Record<Refusal, number>> = {
  ...{ version: 505, host: 403, target: 400, origin: 403, cross_site: 403, method: 405, body: 413, form: 403 },
  ...{ link_wrong: 403, link_used: 403, session: 403, not_found: 404, busy: 429, no_bundle: 503 },
  ...{ malformed: 400, internal: 500 },
};

const FORM_TYPE = /^application\/x-www-form-urlencoded(?:[ \t]*;[ \t]*charset=utf-8)?$/i;

/** A form of this page holds a token and a language. */
export const MOST_BODY_BYTES = 1_024;

/**
 * Judges a request by its head alone; undefined lets it through.
 * @param authority what the link names, as "127.0.0.1:43211": a name of somebody else's that leads here (DNS rebinding) is another one
 */
export function judge(request: PageRequest, authority: string): Refusal | undefined {
  const { method, url = "", httpVersion } = request;
  const values = (name: string) => valuesOf(request.rawHeaders, name);
  const [host, ...moreHosts] = values("host");
  if (httpVersion !== "1.1") return "version";
  if (host !== authority || moreHosts.length > 0) return "host";
  if (!url.startsWith("/")) return "target";
  if (values("origin").some((origin) => origin !== `http://${authority}`)) return "origin";
  // Another port of this machine is another origin, which the browser calls the same site.
  if (values("sec-fetch-site").some((site) => site !== "same-origin" && site !== "none")) return "cross_site";
  if (method !== "GET" && method !== "HEAD" && method !== "POST") return "method";
  if (values("expect").some((expectation) => expectation.toLowerCase() !== "100-continue")) return "body";
  const lengths = values("content-length").map(Number);
  const hasBody = lengths.some((length) => length !== 0) || values("transfer-encoding").length > 0;
  if (lengths.some((length) => !(length <= MOST_BODY_BYTES))) return "body";
  if (method !== "POST") return hasBody ? "body" : undefined;
  const [type, ...moreTypes] = values("content-type");
  return FORM_TYPE.test(type ?? "") && moreTypes.length === 0 ? undefined : "form";
}

export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
