import type { Bilingual } from "../common/language.ts";
import type { Text } from "../messages/message.ts";
import { Html, html } from "./html.ts";
import { STYLE } from "./style.ts";

/** One of the two; the page has a link to the other. */
export type PageLanguage = keyof Bilingual;
export type Say = (text: Text) => string;

export interface PageParts {
  readonly title: string;
  readonly language: PageLanguage;
  readonly body: Html;
  /** Loads itself anew after so many seconds. */
  readonly reloadS?: number;
}

/** As `--lang` and a browser call it. */
export const languageTags: Readonly<Record<PageLanguage, string>> = { zh: "zh-CN", en: "en" };

/** Each in its own language: whoever looks for it cannot read the other. */
export const languageNames: Readonly<Record<PageLanguage, string>> = { zh: "中文", en: "English" };

/** A whole document, without a script. */
export function documentOf({ title, language, body, reloadS }: PageParts): Html {
  return html`<!doctype html>
<html lang="${languageTags[language]}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">${reloadS && html`<meta http-equiv="refresh" content="${reloadS}">`}<title>${title}</title><style>${new Html(STYLE)}</style></head>
<body>${body}</body></html>
`;
}

/** A text of the catalogue: a line that begins with a space is a command, to be copied as a whole. */
export function paragraphs(text: string): Html {
  return html`${text.split("\n").map((line) => (line.startsWith(" ") ? html`<pre>${line.trim()}</pre>` : html`<p>${line}</p>`))}`;
}
