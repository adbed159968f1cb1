import type { Fault } from "../problem.ts";

/** A name that may be shown. Anything else of a line may be part of a secret. */
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** What is wrong in this line, from 1, and what to write there instead, as far as the line and the parser's words tell. Pure. */
export function tomlFault(text: string, line: number, reason: string): Fault {
  const lines = text.split(/\r?\n/);
  const own = lines[line - 1] ?? "";
  return (
    openHeader(own, line) ??
    (/^trying to redefine/.test(reason) ? writtenTwice(lines, line) : undefined) ??
    otherSign(own, line) ?? {
      what: { id: "toml.syntax", params: { reason } },
      instead: { id: "toml.correct_line", params: { line } },
    }
  );
}

/** The parser reads on into the next line, and complains of what it finds there. */
function openHeader(own: string, line: number): Fault | undefined {
  const name = /^\s*\[([^\]]*)$/.exec(own.replace(/#.*/, ""))?.[1]?.trim();
  if (name === undefined) return undefined;
  const header = NAME.test(name) ? `[${name}]` : "[refresh]";
  return {
    what: { id: "toml.open_header", params: { line } },
    instead: { id: "toml.write_header", params: { line, header } },
  };
}

function writtenTwice(lines: readonly string[], line: number): Fault | undefined {
  const before = lines.slice(0, line - 1);
  const own = lines[line - 1] ?? "";
  const header = headerOf(own);
  const section = before.map(headerOf).findLast((name) => name !== undefined) ?? "";
  const name = header ?? keyOf(own, section) ?? "";
  const first = findLines(before.join("\n")).get(name);
  if (!first || !NAME.test(name)) return undefined;
  const there = { id: "toml.twice", params: { name, first, line } } as const;
  if (header === undefined) {
    return {
      what: there,
      instead: { id: "toml.keep_one", params: { first, line } },
    };
  }
  return {
    what: there,
    instead: { id: "toml.merge_sections", params: { line, first, name } },
  };
}

/** What a word processor, another format or a hurry has put in a sign's place. */
function otherSign(own: string, line: number): Fault | undefined {
  if (/[\u201c\u201d\u2018\u2019\uff02]/.test(own)) {
    return {
      what: { id: "toml.typographic_quotes", params: { line } },
      instead: { id: "toml.write_plain_quotes", params: { line } },
    };
  }
  if ((own.match(/"/g)?.length ?? 0) % 2 === 1 && !own.includes('"""') && !own.includes("\\")) {
    return {
      what: { id: "toml.single_quote", params: { line } },
      instead: { id: "toml.write_both_quotes", params: { line } },
    };
  }
  const [, key = "", sign = ""] = /^\s*([A-Za-z0-9_.-]+)\s*([:\uff1a\uff1d]|$)/.exec(own.replace(/#.*/, "")) ?? [];
  if (key === "") return undefined;
  return {
    what: { id: sign === "" ? "toml.key_alone" : "toml.other_sign", params: { line } },
    instead: { id: "toml.write_pair", params: { line } },
  };
}

/** The lines, from 1, of the sections and keys of a TOML text; 0 for what is there twice. Lines inside a longer text may deceive it. */
export function findLines(text: string): Map<string, number> {
  const found = new Map<string, number>();
  const note = (key: string, line: number) => found.set(key, found.has(key) ? 0 : line);
  let section = "";
  for (const [index, line] of text.split("\n").entries()) {
    const header = headerOf(line);
    if (header !== undefined) {
      section = header;
      note(section, index + 1);
      continue;
    }
    const key = keyOf(line, section);
    if (key !== undefined) note(key, index + 1);
  }
  return found;
}

/** The name in a section's header; undefined for any other line. */
export function headerOf(line: string): string | undefined {
  const name = /^\s*\[([^[\]]+)\]\s*(#.*)?\r?$/.exec(line)?.[1];
  return name === undefined ? undefined : plain(name);
}

/** "section.key" of a line that gives one a value; undefined for any other line. */
function keyOf(line: string, section: string): string | undefined {
  const key = /^\s*([A-Za-z0-9_.\-" ]+?)\s*=/.exec(line)?.[1];
  return key === undefined ? undefined : [section, plain(key)].filter(Boolean).join(".");
}

/** A key as it is looked up: without quotes and spaces. */
function plain(key: string): string {
  return key.replace(/["\s]/g, "");
}
