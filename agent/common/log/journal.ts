import { fstatSync } from "node:fs";
import type { LogLevel } from "./log.ts";

/** sd-daemon(3): systemd takes this off the line and keeps it as the line's priority. */
const PREFIXES: Readonly<Record<LogLevel, string>> = { debug: "<7>", info: "<6>", warn: "<4>", error: "<3>" };
const STDERR = 2;

/** What stands before a line of this level: a priority where `fd` goes to systemd's journal, else nothing. */
export function journalPrefix(fd: number, env: NodeJS.ProcessEnv = process.env): (level: LogLevel) => string {
  return isJournal(fd, env) ? (level) => PREFIXES[level] : () => "";
}

/** Writes lines for people to stderr, each with its priority, so that `journalctl -p warning` shows them. */
export function writeStderr(text: string, level: LogLevel = "error"): void {
  const prefix = journalPrefix(STDERR)(level);
  process.stderr.write(prefix === "" ? text : text.replace(/^(?=.)/gm, prefix));
}

/**
 * systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream that systemd has connected. It is inherited by whatever is
 * started below the service with another stderr, so it has to be compared.
 */
function isJournal(fd: number, { JOURNAL_STREAM }: NodeJS.ProcessEnv): boolean {
  if (JOURNAL_STREAM === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
