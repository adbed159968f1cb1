import { chooseLanguage, type Language } from "../../common/language.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What the reader's console can show. */
export interface Console {
  readonly language: Language;
  /** ASCII signs and no frames: the console, or its locale, knows nothing else. */
  readonly plain: boolean;
  readonly colour: boolean;
  /** Infinity for a pipe or a file: what is written there is not wrapped. */
  readonly columns: number;
}

/** The kernel's own console has 512 glyphs, none of them Chinese; the others draw what their author thought of in 1980. */
const POOR = /^(linux|dumb|vt\d+|ansi)/;
const USUAL_COLUMNS = 80;
const FEWEST = 40;
const MOST = 120;

/** Pure. */
export function consoleOf(
  flag: string | undefined,
  env: Env,
  stream: { readonly isTTY?: boolean; readonly columns?: number },
): Console {
  const tty = stream.isTTY === true;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  const plain = tty && (POOR.test(env.TERM ?? "") || !/utf-?8/i.test(locale));
  return {
    // Asked for is asked for: a serial console may be read through one that knows Chinese.
    language: plain && flag === undefined ? "en" : chooseLanguage(flag, env),
    plain,
    colour: tty && !env.NO_COLOR && env.TERM !== "dumb",
    // A serial console may say 0: it does not know.
    columns: tty ? Math.min(MOST, Math.max(FEWEST, stream.columns || USUAL_COLUMNS)) : Number.POSITIVE_INFINITY,
  };
}

/** Characters that take two columns (Unicode TR11: wide and full width), as far as they occur in texts of ours. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;

export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) || (character.codePointAt(0) ?? 0) > 0xffff ? 2 : 1;
  return width;
}

export function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** At most so many columns, "..." at the end of what was cut. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  for (const character of text) {
    if (widthOf(kept + character) > width - 3) break;
    kept += character;
  }
  return `${kept}...`;
}

/** Paragraphs as lines: wrapped where the width is known, but for commands, which begin with a space and stay whole. */
export function linesOf(text: string, width: number): string[] {
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith(" ") || !Number.isFinite(width) ? [line] : wrap(line, width)));
}

/** A word or a Chinese character, with the brackets that open before it and the marks that follow it: no line ends in the one or begins with the other. */
const PIECE = /[（「《]*(?:[^\s\u2e80-\uffef]+|[\u2e80-\uffef])[，。；：、！？）」》…]*|\s+/gu;

/** Lines of at most so many columns: broken at spaces, between Chinese characters, and in a word only if it must be. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const piece of text.match(PIECE) ?? []) {
    if (widthOf(line + piece.trimEnd()) <= width) {
      line += piece;
      continue;
    }
    if (line.trim() !== "") lines.push(line.trimEnd());
    line = piece.trimStart();
    while (widthOf(line) > width) {
      let head = "";
      for (const character of line) {
        if (widthOf(head + character) > width) break;
        head += character;
      }
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  if (line.trim() !== "") lines.push(line.trimEnd());
  return lines;
}
