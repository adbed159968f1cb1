import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { systemCode } from "../../common/errors.ts";
import type { AnyMessage } from "../../messages/message.ts";
import type { Problem } from "../problem.ts";

export interface SourceText {
  readonly file: string;
  readonly text: string;
}

export interface Sources {
  /** False when there is no main file: the terminal is not provisioned, whatever drop-ins there are. */
  readonly present: boolean;
  /** The directory of the drop-ins, there or not. */
  readonly dropIns: string;
  /** The main file, then the drop-ins in name order. */
  readonly texts: readonly SourceText[];
  readonly problems: readonly Problem[];
}

const LARGEST_FILE = 256 * 1024;
const DROP_INS = "config.d";

/**
 * Reads the main file and `config.d/*.toml` beside it (specification 2). What cannot be read is a problem; never throws. `mainText` stands for
 * what the main file is to hold, and does not yet.
 * Synchronous, as `readGuarded`, and for the same reason.
 */
export function readSources(mainFile: string, mainText?: string): Sources {
  const main = mainText === undefined ? readText(mainFile) : { file: mainFile, text: mainText };
  const directory = path.join(path.dirname(mainFile), DROP_INS);
  const { files, problems: listing } = listDropIns(directory);
  // One that vanishes in between was taken away: no problem.
  const dropIns = files.map((file) => readText(file)).filter((read) => read !== undefined);
  const reads = main === undefined ? dropIns : [main, ...dropIns];
  return {
    present: main !== undefined,
    dropIns: directory,
    texts: reads.flatMap((read) => ("text" in read ? [read] : [])),
    problems: [...listing, ...reads.flatMap((read) => ("text" in read ? [] : [read]))],
  };
}

/** Whatever a refusal of the configuration can hang on: its files, and the directories on the way to them. */
export function placesOf(mainFile: string): string[] {
  const main = path.resolve(mainFile);
  const dropIns = path.join(path.dirname(main), DROP_INS);
  return [main, ...listDropIns(dropIns).files, dropIns, ...directoriesAbove(main)];
}

function directoriesAbove(place: string): string[] {
  const directory = path.dirname(place);
  return directory === place ? [] : [directory, ...directoriesAbove(directory)];
}

/** In the order of their octets, so that 10-a.toml comes before 20-b.toml in every locale; hidden files are left out. */
function listDropIns(directory: string): { files: string[]; problems: Problem[] } {
  try {
    const names = readdirSync(directory);
    const files = names.filter((name) => name.endsWith(".toml") && !name.startsWith(".")).sort();
    return { files: files.map((name) => path.join(directory, name)), problems: [] };
  } catch (error) {
    const code = systemCode(error);
    return { files: [], problems: code === "ENOENT" || code === "ENOTDIR" ? [] : [unlistable(directory, code)] };
  }
}

/** One file; undefined when there is none. */
export function readText(file: string): SourceText | Problem | undefined {
  let read: Buffer | undefined;
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return unreadable(file, "EISDIR");
      if (stat.size > LARGEST_FILE) return tooLarge(file);
      read = readFileSync(fd);
      return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(read) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA" && read !== undefined) return notUtf8(file, read);
    return unreadable(file, code);
  }
}

function unreadable(file: string, code: string | undefined): Problem {
  const remedy = code === "EACCES" ? `chmod 0640 ${file}` : `ls -l ${file}`;
  return barred(file, code, { id: "source.file_command", params: { command: remedy } });
}

/** Without x the files in it cannot be read: the mode of a file would do harm. */
function unlistable(directory: string, code: string | undefined): Problem {
  return barred(directory, code, { id: "source.directory_command", params: { command: `chmod 0750 ${directory}` } });
}

function barred(place: string, code: string | undefined, instead: AnyMessage): Problem {
  return {
    key: "",
    origin: place,
    what: { id: "source.unreadable", params: { code: code ?? "?" } },
    instead,
    ...(code === "EACCES" ? { unreadable: place } : {}),
  };
}

/** What editors on Windows write: the first octets tell UTF-16, anything else is GB 18030. iconv only prints: the file is replaced after it. */
function notUtf8(file: string, begin: Buffer): Problem {
  const utf16 = (begin[0] === 0xff && begin[1] === 0xfe) || (begin[0] === 0xfe && begin[1] === 0xff);
  const convert = `iconv -f ${utf16 ? "UTF-16" : "GB18030"} -t UTF-8 ${file} > ${file}.utf8 && cp ${file}.utf8 ${file}`;
  return {
    key: "",
    origin: file,
    what: { id: "source.not_utf8" },
    instead: { id: "source.convert", params: { command: convert } },
  };
}

function tooLarge(file: string): Problem {
  return {
    key: "",
    origin: file,
    what: { id: "source.too_large" },
    instead: { id: "source.put_right_one" },
  };
}
