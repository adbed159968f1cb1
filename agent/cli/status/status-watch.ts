import { AgentUnreachable } from "../../api/admin-client.ts";
import { isUsable, type StatusDocument } from "../../api/status-document.ts";
import type { Clock } from "../../common/clock.ts";
import type { Language } from "../../common/language.ts";
import { localTime } from "../../common/local-time.ts";
import { type Host, tryHost } from "../../diagnostics/host/host.ts";
import { type Console, consoleOf, cut } from "../../diagnostics/report/console.ts";
import type { Text } from "../../messages/message.ts";
import { sayText } from "../../messages/text-of.ts";
import { setUpOf, unreachableText, type Whereabouts, whereaboutsOf, whereIsAdminSocket } from "../admin-socket.ts";
import type { PackagedOptions } from "../options.ts";
import { configDrift } from "./config-drift.ts";
import { readStatus } from "./read-status.ts";
import { renderRows, type ScreenOptions } from "./status-renderer.ts";
import { changeLine, statusRows } from "./status-view-model.ts";

const EVERY_MS = 1_000;
const PATIENCE_MS = 2_000;
/** Disk and memory change slowly, and to ask takes processor time. */
const HOST_EVERY_MS = 10_000;
const USUAL = { columns: 80, rows: 24 };

/** The other screen of the terminal without its cursor, and back: what stood there before is there again. */
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_TO_LINE_END = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** What is known at one look. */
export type Look =
  | {
      readonly kind: "status";
      readonly document: StatusDocument;
      readonly setUp: Text | undefined;
      readonly pending?: Text | undefined;
    }
  | {
      readonly kind: "unreachable";
      readonly reason: AgentUnreachable["reason"];
      readonly socket: string;
      readonly starting: Whereabouts;
    };

/** `facepay-agent status --watch`: until Ctrl-C. On a terminal a picture that is redrawn, elsewhere a line for each change. */
export async function watchStatus(options: PackagedOptions, clock: Clock): Promise<number> {
  const { stdout, env } = process;
  const console = consoleOf(options.lang, env, stdout);
  // Without a cursor to move there is nothing to draw over.
  const redraws = stdout.isTTY && !/^(dumb)?$/.test(env.TERM ?? "") && !options.json;
  const stop = new AbortController();
  const end = () => stop.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, end);
  // The reader of our output has gone, as `head` does, or the terminal was closed.
  stdout.on("error", end);
  const observer = new Observer(options, clock);
  try {
    const show = redraws ? new Picture(console, clock) : new Lines(console.language, clock, options.json);
    return await turn(observer, show, clock, stop.signal);
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}

interface Show {
  show(look: Look, host: Host | undefined): void;
  close(): void;
}

async function turn(observer: Observer, show: Show, clock: Clock, signal: AbortSignal): Promise<number> {
  let usable = false;
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener("abort", () => resolve(undefined), { once: true });
  try {
    while (!signal.aborted) {
      const look = await Promise.race([observer.look(), ended]);
      if (look === undefined) break;
      usable = look.kind === "status" && isUsable(look.document);
      show.show(look, observer.host);
      // A rejection means the end, which the loop sees.
      await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    }
  } finally {
    show.close();
  }
  return usable ? 0 : 1;
}

/** Asks the agent; finds it again after it has stopped and started, perhaps with another configuration. */
class Observer {
  readonly #options: PackagedOptions;
  readonly #clock: Clock;
  #socket: string | undefined;
  #hostAt = Number.NEGATIVE_INFINITY;
  #pending: Text | undefined;
  host: Host | undefined;

  constructor(options: PackagedOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  async look(): Promise<Look> {
    this.#socket ??= await whereIsAdminSocket(this.#options.config);
    const socket = this.#socket;
    try {
      const document = await readStatus(socket, PATIENCE_MS);
      if (this.#clock.boot() - this.#hostAt > HOST_EVERY_MS) {
        this.#hostAt = this.#clock.boot();
        // Not waited for: a file system that hangs must not hold the picture up.
        void tryHost(document.store?.directory).then((host) => {
          this.host = host;
        });
        this.#pending = await configDrift(document, this.#options);
      }
      return {
        kind: "status",
        document,
        setUp: await setUpOf(document, this.#options),
        pending: this.#pending,
      };
    } catch (error) {
      if (!(error instanceof AgentUnreachable)) throw error;
      this.#socket = undefined;
      return { kind: "unreachable", reason: error.reason, socket, starting: await whereaboutsOf(this.#options) };
    }
  }
}

/** A picture that is drawn over the one before it, in one piece, so that nothing flickers. */
class Picture implements Show {
  readonly #console: Console;
  readonly #clock: Clock;
  #last: { look: Look; host: Host | undefined } | undefined;
  readonly #onResize = () => this.#draw();

  constructor(console: Console, clock: Clock) {
    this.#console = console;
    this.#clock = clock;
    process.stdout.write(ENTER);
    process.stdout.on("resize", this.#onResize);
  }

  show(look: Look, host: Host | undefined): void {
    this.#last = { look, host };
    this.#draw();
  }

  close(): void {
    process.stdout.off("resize", this.#onResize);
    process.stdout.write(LEAVE);
  }

  #draw(): void {
    if (this.#last === undefined) return;
    const { columns, rows } = process.stdout;
    // A serial console says 0. One column and one line are left free: many terminals scroll when the last ones are written to.
    const options = { ...this.#console, columns: (columns || USUAL.columns) - 1, rows: (rows || USUAL.rows) - 1 };
    const lines = pictureOf(this.#last.look, this.#last.host, this.#clock.wall(), options);
    process.stdout.write(HOME + lines.map((line) => `${line}${CLEAR_TO_LINE_END}\n`).join("") + CLEAR_BELOW);
  }
}

/** Head, rows and how to leave. Pure. */
export function pictureOf(look: Look, host: Host | undefined, nowMs: number, options: ScreenOptions): string[] {
  const version = look.kind === "status" ? ` ${look.document.version ?? ""}` : "";
  const leave = sayText({ id: "status.leave" }, options.language);
  const head = `facepay-agent${version}  ${localTime(new Date(nowMs).toISOString())}  ${leave}`;
  const rows =
    look.kind === "status"
      ? statusRows(look.document, host, nowMs, look.setUp, look.pending)
      : [
          {
            label: { id: "status.agent" } as const,
            value: unreachableText(look.reason, look.starting),
            tone: "bad" as const,
          },
          { value: { id: "plain", params: { text: look.socket } } as const },
        ];
  const below = options.rows === undefined ? {} : { rows: Math.max(options.rows - 2, 1) };
  const lines = [cut(head, options.columns), "", ...renderRows(rows, { ...options, ...below })];
  return lines.slice(0, options.rows);
}

/** For a pipe or a file: one line a change. */
class Lines implements Show {
  readonly #language: Language;
  readonly #clock: Clock;
  readonly #json: boolean;
  #last = "";

  constructor(language: Language, clock: Clock, json = false) {
    this.#language = language;
    this.#clock = clock;
    this.#json = json;
  }

  show(look: Look): void {
    const text = sayText(wordsOf(look), this.#language).replaceAll(/\s*\n\s*/g, " ");
    if (text === this.#last) return;
    this.#last = text;
    const at = localTime(new Date(this.#clock.wall()).toISOString());
    const line = this.#json
      ? JSON.stringify(look.kind === "status" ? look.document : { unreachable: look.reason })
      : `${at} ${text}`;
    process.stdout.write(`${line}\n`);
  }

  close(): void {
    // Nothing to be put back.
  }
}

function wordsOf(look: Look): Text {
  return look.kind === "status" ? changeLine(look.document) : unreachableText(look.reason, look.starting);
}
