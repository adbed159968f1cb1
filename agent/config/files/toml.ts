import { parse, TomlError } from "smol-toml";
import type { Problem } from "../problem.ts";
import { findLines, headerOf, tomlFault } from "./toml-lines.ts";

export interface TomlText {
  readonly table: Readonly<Record<string, unknown>>;
  /** The line of "section.key", from 1; undefined where the text is too clever for a look at its lines. */
  lineOf(key: string): number | undefined;
}

/** Reads a TOML text. A syntax error becomes a problem with file:line:column; the line itself, which may hold a secret, is not shown. */
export function parseToml(
  text: string,
  file: string,
): { readonly ok: true; readonly toml: TomlText } | { readonly ok: false; readonly problem: Problem } {
  try {
    const table = parse(text, { integersAsBigInt: "asNeeded", unsafeKeyBehaviour: "throw", maxDepth: 20 });
    return { ok: true, toml: { table, lineOf: lineFinder(text) } };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The first line of the message is smol-toml's own words; what follows quotes the file.
    const [words = ""] = error.message.split("\n");
    const reason = words.replace(/^Invalid TOML document: /, "").replace(/[^\x20-\x7e]/g, "?");
    const { what, instead } = tomlFault(text, error.line, reason);
    return { ok: false, problem: { key: "", origin: `${file}:${error.line}:${error.column}`, what, instead } };
  }
}

/**
 * `store.directory` from a text that is no valid TOML as a whole: the line is taken by itself. The remembered
 * configuration lies in that directory, and it is needed exactly when the file is broken (specification 1).
 */
export function salvageStoreDirectory(text: string): string | undefined {
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    section = headerOf(line) ?? section;
    const key =
      section === "store" ? /^\s*directory\s*=/ : section === "" ? /^\s*store\s*\.\s*directory\s*=/ : undefined;
    if (key === undefined || !key.test(line)) continue;
    const read = parseToml(line.replace(key, "directory ="), "");
    if (read.ok && typeof read.toml.table.directory === "string") return read.toml.table.directory;
  }
  return undefined;
}

/**
 * Looks at lines only, so a line inside a multi-line string may deceive it; what it then finds twice has no line at all
 * (TOML allows no key twice).
 */
function lineFinder(text: string): (key: string) => number | undefined {
  let found: Map<string, number> | undefined;
  return (key) => {
    found ??= findLines(text);
    for (let name = key; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
      const line = found.get(name);
      if (line !== undefined) return line > 0 ? line : undefined;
    }
    return undefined;
  };
}
