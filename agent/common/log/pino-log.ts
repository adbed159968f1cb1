import type { LoggerOptions } from "pino";
import { type Clock, orLate } from "../clock.ts";
import type { FailureRecord } from "../errors.ts";
import { journalPrefix } from "./journal.ts";
import type { Log, LogFields, LogLevel } from "./log.ts";
import { cleanFields } from "./log-fields.ts";
import { LogRateLimiter } from "./log-rate-limiter.ts";

export interface PinoLog extends Log {
  /** A reload may want to see more, or less. */
  setLevel(level: LogLevel): void;
  /** Resolves when every event so far has been written. To be called when the start is over, and before the process ends. */
  flush(): Promise<void>;
}

interface LogEvent {
  readonly level: LogLevel;
  readonly line: Readonly<Record<string, unknown>>;
}

export interface LogHabits {
  /** Codes of which every event is kept. */
  readonly unlimited?: ReadonlySet<string>;
  /**
   * Hundreds of events a second: they are written while work goes on, and a slow reader may fall behind without holding
   * it up. A crash then loses the last of them.
   */
  readonly busy?: boolean;
  /** The English text of a failure that an event names by `cause` and `params`; it becomes the event's `detail`. */
  readonly describe?: (failure: FailureRecord) => string;
  /** Where a line goes, unless to the file descriptor. */
  readonly write?: (line: string) => void;
  /** Told of every event that is no detail, whatever is written. */
  readonly onEvent?: (code: string, fields: LogFields) => void;
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };
const MAX_WAITING = 200;
export const STDERR = 2;
/** What a reader that has fallen behind may still get. */
const MOST_UNWRITTEN = 4 * 1024 * 1024;
/** What is written at once when there is much, and how long little of it waits. */
const A_WRITE = 4 * 1024;
const SOON_MS = 100;
/** A slow log reader must not delay the end of the process longer. */
const PATIENCE_MS = 1_000;

/**
 * The agent's log: one JSON object a line on stderr, `{"level","time","code",...fields}` (docs/specification.md section 9),
 * after a priority where systemd's journal reads. The library is
 * loaded at the first `flush`, after the start, so that the sockets open first; until then up to 200 events wait, with
 * their own times.
 */
export function createLog(
  level: LogLevel,
  clock: Clock,
  fd: number = STDERR,
  { unlimited = new Set(), busy = false, describe, write, onEvent }: LogHabits = {},
): PinoLog {
  const budget = new LogRateLimiter();
  let waiting: LogEvent[] = [];
  let lost = 0;
  let least = ranks[level];
  let writer: Writer | undefined;
  let loading: Promise<void> | undefined;
  let flushed = false;

  function log(eventLevel: LogLevel, code: string, fields: LogFields = {}): void {
    if (eventLevel !== "debug") onEvent?.(code, fields);
    if (ranks[eventLevel] < least) return;
    // With debug on, everything is logged.
    const leftOut = least === ranks.debug || unlimited.has(code) ? 0 : budget.spend(code, clock.boot());
    if (leftOut === undefined) return;
    const time = new Date(clock.wall()).toISOString();
    const more = leftOut > 0 ? { left_out: leftOut } : {};
    const event = { level: eventLevel, line: { time, code, ...cleanFields(described(fields)), ...more } };
    if (writer !== undefined) writer.write(event);
    else if (waiting.length < MAX_WAITING) waiting.push(event);
    else lost++;
    if (flushed) void load();
  }

  function described(fields: LogFields): LogFields {
    const { cause, params } = fields;
    if (describe === undefined || typeof cause !== "string" || typeof params !== "object" || params === null)
      return fields;
    return { ...fields, detail: describe({ code: cause, params: params as Readonly<Record<string, unknown>> }) };
  }

  function load(): Promise<void> {
    loading ??= openWriter(fd, busy, write).then((opened) => {
      writer = opened;
      for (const event of waiting) opened.write(event);
      waiting = [];
      if (lost > 0) log("warn", "LOG_EVENTS_LOST", { count: lost });
    });
    return loading;
  }

  return {
    debug: (code, fields) => log("debug", code, fields),
    info: (code, fields) => log("info", code, fields),
    warn: (code, fields) => log("warn", code, fields),
    error: (code, fields) => log("error", code, fields),
    setLevel(next) {
      least = ranks[next];
    },
    async flush() {
      flushed = true;
      if (writer === undefined && waiting.length === 0) return;
      await load();
      if (!busy) return;
      if (writer !== undefined) await orLate(writer.written(), PATIENCE_MS, clock);
    },
  };
}

interface Writer {
  write(event: LogEvent): void;
  /** Resolves when nothing is left to be written. */
  written(): Promise<void>;
}

/** Unless `busy`, each write is done when it returns, so an event before a crash is not lost. */
async function openWriter(fd: number, busy: boolean, write?: LogHabits["write"]): Promise<Writer> {
  const { pino } = await import("pino");
  const options: LoggerOptions = {
    ...{ level: "debug", base: null, timestamp: false },
    formatters: { level: (label) => ({ level: label }) },
  };
  if (write !== undefined) {
    const logger = pino(options, { write });
    return { write: ({ level, line }) => logger[level](line), written: () => Promise.resolve() };
  }
  const destination = pino.destination({
    fd,
    sync: !busy,
    maxLength: MOST_UNWRITTEN,
    // A write for each event would cost a busy process a tenth of its time.
    ...(busy ? { minLength: A_WRITE, periodicFlush: SOON_MS } : {}),
  });
  // A closed stderr must not end the agent: there is nowhere left to say so.
  destination.on("error", () => undefined);
  const prefixOf = journalPrefix(fd);
  let prefix = "";
  const logger = pino(options, { write: (line) => destination.write(prefix + line) });
  return {
    write(event) {
      try {
        // pino writes the line before it returns.
        prefix = prefixOf(event.level);
        logger[event.level](event.line);
      } catch {
        // As above: a log that cannot be written is no reason to stop work.
        return;
      }
    },
    written: () => new Promise((resolve) => destination.flush(() => resolve())),
  };
}
