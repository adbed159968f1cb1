import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { systemCode } from "../errors.ts";
import type { Problem } from "./problem.ts";

export interface SourceText {
  readonly file: string;
  readonly text: string;
}

export interface Sources {
  /** False when there is no main file: the terminal is not provisioned, whatever drop-ins there are. */
  readonly present: boolean;
  /** The main file, then the drop-ins in name order. */
  readonly texts: readonly SourceText[];
  readonly problems: readonly Problem[];
}

const LARGEST_FILE = 256 * 1024;
const DROP_INS = "config.d";

/**
 * Reads the main file and `config.d/*.toml` beside it (contract 2). What cannot be read is a problem; never throws.
 * Synchronous, as `readGuarded`, and for the same reason.
 */
export function readSources(mainFile: string): Sources {
  const main = readText(mainFile);
  const { files, problems: listing } = listDropIns(path.join(path.dirname(mainFile), DROP_INS));
  // One that vanishes in between was taken away: no problem.
  const dropIns = files.map((file) => readText(file)).filter((read) => read !== undefined);
  const reads = main === undefined ? dropIns : [main, ...dropIns];
  return {
    present: main !== undefined,
    texts: reads.flatMap((read) => ("text" in read ? [read] : [])),
    problems: [...listing, ...reads.flatMap((read) => ("text" in read ? [] : [read]))],
  };
}

/** In the order of their octets, so that 10-a.toml comes before 20-b.toml in every locale; hidden files are left out. */
function listDropIns(directory: string): { files: string[]; problems: Problem[] } {
  try {
    const names = readdirSync(directory);
    const files = names.filter((name) => name.endsWith(".toml") && !name.startsWith(".")).sort();
    return { files: files.map((name) => path.join(directory, name)), problems: [] };
  } catch (error) {
    const code = systemCode(error);
    return { files: [], problems: code === "ENOENT" || code === "ENOTDIR" ? [] : [unreadable(directory, code)] };
  }
}

/** One file; undefined when there is none. */
export function readText(file: string): SourceText | Problem | undefined {
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return unreadable(file, "EISDIR");
      if (stat.size > LARGEST_FILE) return tooLarge(file);
      return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(fd)) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    return code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? notUtf8(file) : unreadable(file, code);
  }
}

function unreadable(file: string, code: string | undefined): Problem {
  const reason = code ?? "unknown error";
  const remedy = code === "EACCES" ? `chmod 0640 ${file}` : `ls -l ${file}`;
  return {
    key: "",
    origin: file,
    what: { zh: `无法读取（${code ?? "未知错误"}）`, en: `cannot be read (${reason})` },
    instead: {
      zh: `应为服务用户可读的普通文件：${remedy}`,
      en: `it must be a regular file that the agent's user may read: ${remedy}`,
    },
  };
}

function notUtf8(file: string): Problem {
  return {
    key: "",
    origin: file,
    what: { zh: "不是 UTF-8 文本", en: "is not UTF-8 text" },
    instead: { zh: `请转换：iconv -f GB18030 -t UTF-8 ${file}`, en: `convert it: iconv -f GB18030 -t UTF-8 ${file}` },
  };
}

function tooLarge(file: string): Problem {
  return {
    key: "",
    origin: file,
    what: { zh: "大于 256 KiB，不是配置文件", en: "is larger than 256 KiB: no configuration is" },
    instead: { zh: "请放入正确的文件", en: "put the right file there" },
  };
}
