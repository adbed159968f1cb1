import { parse, TomlError } from "smol-toml";
import type { Problem } from "./problem.ts";

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
    return {
      ok: false,
      problem: {
        key: "",
        origin: `${file}:${error.line}:${error.column}`,
        what: { zh: `TOML 语法错误：${reasons[reason] ?? `「${reason}」`}`, en: `is not valid TOML: ${reason}` },
        instead: {
          zh: '请改正该行；文本要加双引号，例如 mode = "gateway"',
          en: 'correct that line; text stands in double quotes, as in mode = "gateway"',
        },
      },
    };
  }
}

/**
 * `store.directory` from a text that is no valid TOML as a whole: the line is taken by itself. The remembered
 * configuration lies in that directory, and it is needed exactly when the file is broken (contract 1).
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

function findLines(text: string): Map<string, number> {
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
    const key = /^\s*([A-Za-z0-9_.\-" ]+?)\s*=/.exec(line)?.[1];
    if (key !== undefined) note([section, plain(key)].filter(Boolean).join("."), index + 1);
  }
  return found;
}

function headerOf(line: string): string | undefined {
  const name = /^\s*\[([^[\]]+)\]\s*(#.*)?\r?$/.exec(line)?.[1];
  return name === undefined ? undefined : plain(name);
}

function plain(key: string): string {
  return key.replace(/["\s]/g, "");
}

/** smol-toml's words for what is wrong. */
const reasons: Readonly<Record<string, string>> = {
  "control characters are not allowed in comments": "注释中不能有控制字符",
  "control characters are not allowed in strings": "文本中不能有控制字符",
  "document contains an unsafe property": "含有不允许的键名",
  "document contains excessively nested structures. aborting.": "嵌套过深",
  "each key-value declaration must be followed by an end-of-line": "每行只能写一个键值，值后应换行",
  "expected comma or end of structure": "缺少逗号或结束括号",
  "expected end of table array declaration": "表数组的名称应以 ]] 结束",
  "illegal character in key": "键名中有不允许的字符",
  "illegal empty bare key": "键名为空",
  "illegal leading zero": "数字不能以 0 开头",
  "illegal quoted key: multiline strings are not allowed": "键名不能是多行文本",
  "illegal underscore": "下划线位置不对",
  "incomplete key-value: cannot find end of key": "只有键名，缺少 = 和值",
  "integer value cannot be represented losslessly": "整数过大",
  "invalid date": "日期无效",
  "invalid date-time: date part is malformed": "日期时间中的日期无效",
  "invalid date-time: time part is malformed": "日期时间中的时间无效",
  "invalid escape: only line-ending whitespace may be escaped": "反斜杠后只能是行末空白",
  "invalid non-hex character in unicode escape": "\\u 转义中有非十六进制字符",
  "invalid unicode escape": "\\u 转义无效",
  "invalid value": "值无效",
  "trying to redefine an already defined value": "该键或表已经写过",
  "trying to redefine an already defined table or value": "该键或表已经写过",
  "unexpected end of key": "键名不完整",
  "unfinished array": "数组没有结束，缺少 ]",
  "unfinished numeric value": "数字不完整",
  "unfinished string": "文本没有结束，缺少引号",
  "unfinished table": "表没有结束，缺少 }",
  "unrecognised escape sequence": "不认识的转义序列",
  "illegal character in numeric literal": "数字中有不允许的字符",
};
