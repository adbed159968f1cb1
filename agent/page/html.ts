import { visible } from "../common/visible.ts";

/** Markup that needs no more escaping. Only `html` makes it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get bytes(): number {
    return Buffer.byteLength(this.text);
  }
}

export type Part = Html | string | number | false | null | undefined | readonly Part[];

/**
 * A template whose values are text, whatever stands in them: what a bridge, WeChat Pay or a file name says cannot become markup, and characters
 * that would turn the direction of a line or hide are shown by number. For element content and for attributes in double quotes.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, index) => text + rendered(parts[index - 1]) + string));
}

function rendered(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === undefined || part === null || part === false) return "";
  return typeof part === "object" ? part.map(rendered).join("") : escaped(`${part}`);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, (one) => entities[one] ?? "");
}
