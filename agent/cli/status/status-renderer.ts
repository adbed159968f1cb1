import type { Language } from "../../common/language.ts";
import { visible } from "../../common/visible.ts";
import { type Console, cut, linesOf, padded, widthOf } from "../../diagnostics/report/console.ts";
import type { Text } from "../../messages/message.ts";
import { sayText, textOf } from "../../messages/text-of.ts";
import type { Row, Tone } from "./status-row.ts";

export interface ScreenOptions extends Console {
  /** Lines beyond are left out, and it is said how many; undefined for a text that scrolls. */
  readonly rows?: number;
}

const NARROWEST = 30;
const BAR_COLUMNS = 30;
const codes: Readonly<Record<Tone, string>> = { good: "32", warn: "33", bad: "31" };

/** Rows as lines of at most `columns` columns, Chinese characters counting two; a command stays whole on a line of its own. Pure. */
export function renderRows(rows: readonly Row[], options: ScreenOptions): string[] {
  const { language, columns } = options;
  const width = Math.max(columns, NARROWEST);
  const labels = rows.map(({ label }) => (label === undefined ? "" : labelOf(label, language)));
  const labelWidth = Math.min(Math.max(...labels.map((label) => widthOf(label))), Math.floor(width / 2)) + 2;
  const lines = rows.flatMap((row, index) => renderRow(row, labels[index] ?? "", labelWidth, width, options));
  return fitted(lines, options.rows, width, language);
}

/** A label has its Chinese and its English in one, where both are wanted: the words of the configuration stand beside each other. */
function labelOf(label: Text, language: Language): string {
  const { zh, en } = textOf(label);
  if (language === "en") return en;
  return language === "zh-CN" || zh.includes(en) ? zh : `${zh} ${en}`;
}

function renderRow(row: Row, label: string, labelWidth: number, width: number, options: ScreenOptions): string[] {
  const { language, plain, colour } = options;
  const room = Math.max(width - labelWidth, 10);
  const text = shown(sayText(row.value, language), plain);
  const bar = row.bar === undefined ? [] : [barOf(row.bar, Math.min(BAR_COLUMNS, room), plain)];
  const beside = [...bar, text].join(" ");
  const lines = text.includes("\n") || widthOf(beside) > room ? [...bar, ...linesOf(text, room)] : [beside];
  return lines.map((line, index) => {
    // A command begins near the margin: it is long, and copied as a whole.
    const before = index > 0 && line.startsWith(" ") ? "" : padded(index === 0 ? label : "", labelWidth);
    return before + toned(line, row.tone, colour);
  });
}

/** What a console without Unicode would show as rubbish. */
function shown(text: string, plain: boolean): string {
  return plain ? text.replace(/[^\n\x20-\x7e]/g, "?") : visible(text);
}

export function barOf(share: number, columns: number, plain: boolean): string {
  const inside = Math.max(columns - 2, 1);
  // A little that is left must not look like nothing.
  const full = share <= 0 ? 0 : Math.max(1, Math.round(share * inside));
  const [on, off] = plain ? ["#", "."] : ["█", "░"];
  return `[${on.repeat(full)}${off.repeat(inside - full)}]`;
}

function toned(line: string, tone: Tone | undefined, colour: boolean): string {
  return tone === undefined || !colour || line === "" ? line : `\u001b[${codes[tone]}m${line}\u001b[39m`;
}

function fitted(lines: readonly string[], rows: number | undefined, width: number, language: Language): string[] {
  if (rows === undefined || lines.length <= rows) return [...lines];
  const kept = Math.max(rows - 1, 1);
  const left = lines.length - kept;
  return [...lines.slice(0, kept), cut(sayText({ id: "status.more", params: { lines: left } }, language), width)];
}
