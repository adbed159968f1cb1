import { type ProblemCode, problemStatuses, type Reply } from "../api/http/problem.ts";
import type { Text } from "../messages/message.ts";
import { textOf } from "../messages/text-of.ts";
import { type Refusal, refusalStatuses } from "./guard.ts";
import { type Html, html } from "./html.ts";
import { documentOf, type PageLanguage, paragraphs } from "./layout.ts";
import { STYLE_HASH } from "./style.ts";

/** On every answer, refusals included. `no-store` and `nosniff` are the server's own (agent/api/http/reply.ts). */
const SECURITY = [
  ...["Content-Security-Policy", policy()],
  // For browsers that do not know `frame-ancestors`.
  ...["X-Frame-Options", "DENY"],
  // The path is half of the key. `no-referrer` would take the Origin off our own forms (Fetch, "append a request `Origin` header").
  ...["Referrer-Policy", "same-origin"],
  ...["Cross-Origin-Opener-Policy", "same-origin"],
  ...["Cross-Origin-Resource-Policy", "same-origin"],
] as const;

function policy(): string {
  const style = `style-src 'sha256-${STYLE_HASH}'`;
  return `default-src 'none'; ${style}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
}

export function pageReply(status: number, document: Html, headers: readonly string[] = []): Reply {
  return { status, contentType: "text/html; charset=utf-8", body: document.text, headers: [...SECURITY, ...headers] };
}

/** The headers of an answer that is no page. */
export const securityHeaders: readonly string[] = SECURITY;

/** Why not, in a page of its own. Nothing of the request is repeated in it. */
export function refusalReply(
  refusal: Refusal,
  language: PageLanguage,
  why: Text = { id: `page.refused_${refusal}` },
): Reply {
  return refusedWith(refusalStatuses[refusal], why, language);
}

function refusedWith(status: number, why: Text, language: PageLanguage): Reply {
  const title = textOf({ id: "page.refused" })[language];
  const body = html`<main><section class="verdict bad"><h1>${title} (${status})</h1>${paragraphs(textOf(why)[language])}</section></main>`;
  return pageReply(status, documentOf({ title, language, body }));
}

/** The same where the request has not got as far as to be judged. */
export function refusalOf(code: ProblemCode, language: PageLanguage): Reply {
  const refusals: Partial<Record<ProblemCode, Refusal>> = {
    ...{ METHOD_NOT_ALLOWED: "method", PIPELINE_TOO_LONG: "busy", HEADERS_TOO_LARGE: "body", BODY_TOO_LARGE: "body" },
  };
  return refusedWith(problemStatuses[code], { id: `page.refused_${refusals[code] ?? "malformed"}` }, language);
}
