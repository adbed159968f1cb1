import { isDeepStrictEqual } from "node:util";
import { stringify } from "smol-toml";
import { parseToml } from "../config/files/toml.ts";
import { isTable } from "../config/keys/fields.ts";

export type TomlValue = string | number | boolean | readonly string[];

/** What a key is to become; undefined takes it out. By "section.key", where the last dot separates. */
export type Changes = ReadonlyMap<string, TomlValue | undefined>;

export interface Edited {
  readonly text: string;
  /** The lines could not be changed one by one: the text is written anew, without the comments it had. */
  readonly rewritten: boolean;
}

type Table = Record<string, unknown>;

/**
 * Changes keys of a TOML text and leaves everything else as it stands, comments included. Whether that has worked is not
 * believed but read again; a text too clever for it (dotted keys, inline tables) is written anew from its values.
 * @param text valid TOML
 * @param about a comment for a line that is added
 */
export function editToml(text: string, changes: Changes, about: (key: string) => string | undefined): Edited {
  const wanted = applied(tableOf(text), changes);
  const edited = [...changes].reduce((so, [key, value]) => editOne(so, key, value, about(key)), text);
  const result = parseToml(edited, "");
  if (result.ok && isDeepStrictEqual(plain(result.toml.table), plain(wanted)))
    return { text: edited, rewritten: false };
  return { text: `${stringify(wanted)}\n`, rewritten: true };
}

function tableOf(text: string): Table {
  const parsed = parseToml(text, "");
  if (!parsed.ok) throw new Error("only valid TOML can be edited");
  return plain(parsed.toml.table) as Table;
}

function applied(table: Table, changes: Changes): Table {
  const result = structuredClone(table);
  for (const [key, value] of changes) {
    const { section, own } = split(key);
    if (value === undefined) {
      const inner = section.split(".").reduce<unknown>((at, name) => (isTable(at) ? at[name] : undefined), result);
      if (isTable(inner)) delete inner[own];
      continue;
    }
    let inner = result;
    for (const name of section.split(".")) {
      const next = inner[name];
      const table: Table = isTable(next) ? next : {};
      inner[name] = table;
      inner = table;
    }
    inner[own] = value;
  }
  return result;
}

/** Empty tables say nothing, and the parser's tables have no prototype. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isTable(value)) return value;
  const pairs = Object.entries(value).map(([key, inner]) => [key, plain(inner)] as const);
  return Object.fromEntries(pairs.filter(([, inner]) => !isTable(inner) || Object.keys(inner).length > 0));
}

function editOne(text: string, key: string, value: TomlValue | undefined, comment: string | undefined): string {
  const { section, own } = split(key);
  const lines = text.split("\n");
  const start = lines.findIndex((line) => isHeader(line, section));
  if (start < 0) return value === undefined ? text : withSection(text, section, linesFor(own, value, comment));
  const next = lines.findIndex((line, index) => index > start && /^\s*\[/.test(line));
  const end = next < 0 ? lines.length : next;
  const at = lines.findIndex((line, index) => index > start && index < end && keyOf(line) === own);
  if (at < 0) {
    if (value === undefined) return text;
    // Beside the line that shows the key behind a #, where there is one.
    const shown = lines.findIndex(
      (line, index) => index > start && index < end && keyOf(line.replace(/^\s*#\s?/, "")) === own,
    );
    const last = lines.findLastIndex((line, index) => index >= start && index < end && line.trim() !== "");
    const added = shown < 0 ? linesFor(own, value, comment) : linesFor(own, value, undefined);
    return lines.toSpliced((shown < 0 ? last : shown) + 1, 0, ...added).join("\n");
  }
  const until = endOfValue(lines, at, end);
  const trailing = until === at ? commentOf(lines[at] ?? "") : undefined;
  const replacement = value === undefined ? [] : linesFor(own, value, trailing);
  return lines.toSpliced(at, until - at + 1, ...replacement).join("\n");
}

function split(key: string): { readonly section: string; readonly own: string } {
  const dot = key.lastIndexOf(".");
  return { section: key.slice(0, dot), own: key.slice(dot + 1) };
}

function isHeader(line: string, section: string): boolean {
  return /^\s*\[([^[\]]+)\]\s*(#.*)?\r?$/.exec(line)?.[1]?.replace(/\s/g, "") === section;
}

function keyOf(line: string): string | undefined {
  return /^\s*([A-Za-z0-9_-]+)\s*=/.exec(line)?.[1];
}

/** A list may go on over several lines: until the lines together are TOML. */
function endOfValue(lines: readonly string[], at: number, end: number): number {
  for (let until = at; until < end; until++) {
    if (parseToml(lines.slice(at, until + 1).join("\n"), "").ok) return until;
  }
  return at;
}

/** The comment behind a value, its # not included; undefined without one. */
function commentOf(line: string): string | undefined {
  for (let at = line.indexOf("#"); at >= 0; at = line.indexOf("#", at + 1)) {
    if (parseToml(line.slice(0, at), "").ok) return line.slice(at + 1).trim();
  }
  return undefined;
}

const WIDEST = 120;

/** The comment stands behind the value where there is room, else above it. */
function linesFor(own: string, value: TomlValue, comment: string | undefined): string[] {
  const setting = stringify({ [own]: value }).trimEnd();
  if (comment === undefined) return [setting];
  const line = `${setting.padEnd(30)}  # ${comment}`;
  return line.length <= WIDEST ? [line] : [`# ${comment}`, setting];
}

function withSection(text: string, section: string, lines: readonly string[]): string {
  const before = text.trimEnd();
  return `${before === "" ? "" : `${before}\n\n`}[${section}]\n${lines.join("\n")}\n`;
}
