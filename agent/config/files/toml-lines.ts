import type { Fault } from "../../common/files/guarded-file.ts";

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
      what: { zh: `TOML 语法错误：${reasons[reason] ?? `「${reason}」`}`, en: `is not valid TOML: ${reason}` },
      instead: {
        zh: `请改正第 ${line} 行；文本要加双引号，例如 mode = "gateway"`,
        en: `correct line ${line}; text stands in double quotes, as in mode = "gateway"`,
      },
    }
  );
}

/** The parser reads on into the next line, and complains of what it finds there. */
function openHeader(own: string, line: number): Fault | undefined {
  const name = /^\s*\[([^\]]*)$/.exec(own.replace(/#.*/, ""))?.[1]?.trim();
  if (name === undefined) return undefined;
  const header = NAME.test(name) ? `[${name}]` : "[refresh]";
  return {
    what: { zh: `第 ${line} 行的小节名没有结束，缺少 ]`, en: `has a section name in line ${line} that lacks its ]` },
    instead: { zh: `请把第 ${line} 行写成 ${header} 的样子`, en: `write line ${line} like ${header}` },
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
  const there = { zh: `${name} 在第 ${first} 行已经写过`, en: `has ${name} twice, in lines ${first} and ${line}` };
  if (header === undefined) {
    return {
      what: there,
      instead: { zh: `第 ${first} 行和第 ${line} 行请只保留一行`, en: `keep one of the lines ${first} and ${line}` },
    };
  }
  return {
    what: there,
    instead: {
      zh: `请删除第 ${line} 行，把它下面的键移到第 ${first} 行的 [${name}] 下`,
      en: `delete line ${line} and move the keys below it to [${name}] in line ${first}`,
    },
  };
}

/** What a word processor, another format or a hurry has put in a sign's place. */
function otherSign(own: string, line: number): Fault | undefined {
  if (/[\u201c\u201d\u2018\u2019\uff02]/.test(own)) {
    return {
      what: { zh: `第 ${line} 行的引号不是英文半角`, en: `has typographic quotes in line ${line}` },
      instead: { zh: `请把第 ${line} 行的引号改为 "`, en: `put " for them in line ${line}` },
    };
  }
  if ((own.match(/"/g)?.length ?? 0) % 2 === 1 && !own.includes('"""') && !own.includes("\\")) {
    return {
      what: { zh: `第 ${line} 行的引号不成对`, en: `has a quote without its pair in line ${line}` },
      instead: {
        zh: `请在第 ${line} 行的文本前后都写 "，例如 mode = "gateway"`,
        en: `write " before and after the text in line ${line}, as in mode = "gateway"`,
      },
    };
  }
  const [, key = "", sign = ""] = /^\s*([A-Za-z0-9_.-]+)\s*([:\uff1a\uff1d]|$)/.exec(own.replace(/#.*/, "")) ?? [];
  if (key === "") return undefined;
  return {
    what: {
      zh: sign === "" ? `第 ${line} 行只有键名，缺少 = 和值` : `第 ${line} 行的键名后应为 =`,
      en: sign === "" ? `has a key in line ${line} without = and a value` : `has another sign than = in line ${line}`,
    },
    instead: {
      zh: `请把第 ${line} 行写成 键 = 值，例如 mode = "gateway"`,
      en: `write line ${line} as key = value, as in mode = "gateway"`,
    },
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
