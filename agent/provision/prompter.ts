import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import type { Bilingual, Language } from "../common/language.ts";
import { say } from "../common/language.ts";
import type { Prompter } from "./prompt-loop.ts";
import type { Question } from "./questions.ts";

/** The one who sits at the keyboard has gone: Ctrl-C, Ctrl-D, or the end of a piped file. */
export class Gone extends Error {
  override readonly name = "Gone";
}

/** Asks on a terminal, one line a question; answers may come from a pipe as well. */
export class Technician implements Prompter, Disposable {
  readonly #lines: ReturnType<typeof createInterface>;
  readonly #output: Writable;
  readonly #language: Language;
  readonly #gone = Promise.withResolvers<never>();
  /** What a pipe delivers faster than it is asked for. */
  readonly #typed: string[] = [];
  #closed = false;
  #wanted: ((line: string) => void) | undefined;

  constructor(input: Readable, output: Writable, language: Language) {
    this.#output = output;
    this.#language = language;
    this.#gone.promise.catch(() => undefined);
    this.#lines = createInterface({ input, output, terminal: "isTTY" in input && input.isTTY === true });
    this.#lines.on("line", (line) => {
      const wanted = this.#wanted;
      this.#wanted = undefined;
      if (wanted === undefined) this.#typed.push(line);
      else wanted(line);
    });
    this.#lines.on("SIGINT", () => this.#lines.close());
    this.#lines.on("close", () => {
      this.#closed = true;
      this.#gone.reject(new Gone());
    });
  }

  async ask({ key, text, optional, suggestion }: Question): Promise<string> {
    const extra =
      suggestion === undefined
        ? optional
          ? { zh: "可留空", en: "may be left empty" }
          : undefined
        : { zh: shown(suggestion), en: shown(suggestion) };
    const hint = extra === undefined ? "" : ` [${this.say(extra)}]`;
    return await this.line(`${this.say(text)} (${key})${hint}: `);
  }

  complain({ key }: Question, what: Bilingual): void {
    this.#output.write(`  ${key}: ${this.say(what)}\n`);
  }

  /** In the technician's language. */
  say(text: Bilingual): string {
    return say(text, this.#language);
  }

  /** Rejects with Gone. */
  async line(prompt: string): Promise<string> {
    const typed = this.#typed.shift();
    if (typed !== undefined) {
      this.#output.write(`${prompt}\n`);
      return typed;
    }
    if (this.#closed) throw new Gone();
    const next = new Promise<string>((resolve) => {
      this.#wanted = resolve;
    });
    this.#lines.setPrompt(prompt);
    this.#lines.prompt();
    return await Promise.race([next, this.#gone.promise]);
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}
