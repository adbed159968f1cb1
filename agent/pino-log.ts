import type { Clock } from "./clock.ts";
import type { Log, LogFields, LogLevel } from "./log.ts";
import { cleanFields } from "./log-fields.ts";

export interface PinoLog extends Log {
  /** Resolves when every event so far has been written. To be awaited before the process ends. */
  flush(): Promise<void>;
}

interface LogEvent {
  readonly level: LogLevel;
  readonly line: Readonly<Record<string, unknown>>;
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };
const MAX_WAITING = 200;
const STDERR = 2;

/**
 * The agent's log: one JSON object a line on stderr, `{"level","time","code",...fields}` (contract 9). The library is
 * loaded after the start, so that the sockets open first; until then up to 200 events wait, with their own times.
 */
export function createLog(level: LogLevel, clock: Clock, fd: number = STDERR): PinoLog {
  let waiting: LogEvent[] = [];
  let lost = 0;
  let write: ((event: LogEvent) => void) | undefined;
  let loading: Promise<void> | undefined;

  function log(eventLevel: LogLevel, code: string, fields: LogFields = {}): void {
    if (ranks[eventLevel] < ranks[level]) return;
    const time = new Date(clock.wall()).toISOString();
    const event = { level: eventLevel, line: { time, code, ...cleanFields(fields) } };
    if (write !== undefined) write(event);
    else if (waiting.length < MAX_WAITING) waiting.push(event);
    else lost++;
    if (loading === undefined) setImmediate(() => load());
  }

  function load(): Promise<void> {
    loading ??= openWriter(level, fd).then((opened) => {
      write = opened;
      for (const event of waiting) opened(event);
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
    flush: () => (write === undefined && waiting.length === 0 ? Promise.resolve() : load()),
  };
}

/** Each write is done when it returns, so an event before a crash is not lost. */
async function openWriter(level: LogLevel, fd: number): Promise<(event: LogEvent) => void> {
  const { pino } = await import("pino");
  const destination = pino.destination({ fd, sync: true });
  // A closed stderr must not end the agent: there is nowhere left to say so.
  destination.on("error", () => undefined);
  const logger = pino(
    { level, base: null, timestamp: false, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
  return (event) => {
    try {
      logger[event.level](event.line);
    } catch {
      // As above: a log that cannot be written is no reason to stop work.
      return;
    }
  };
}
