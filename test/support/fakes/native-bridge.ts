import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findCompiler } from "../../../drivers/simulator/compile-sdk.ts";
import { AgentProcess } from "../fixtures/agent-process.ts";

/** Why tests with the C library cannot run here, undefined where they can. */
export function noCompiler(): string | undefined {
  return findCompiler() === undefined ? "there is no C compiler" : undefined;
}

/** The reference bridge as its unit would run it, over the simulated SDK compiled into `directory`. */
export class NativeBridge implements AsyncDisposable {
  readonly library: string;
  readonly #directory: string;
  readonly #place: readonly string[];
  #process: AgentProcess | undefined;

  /** @param place `--socket PATH` or `--port DEVICE`, and what else is to be said */
  constructor(directory: string, library: string, place: readonly string[]) {
    this.library = library;
    this.#directory = directory;
    this.#place = place;
  }

  get process(): AgentProcess {
    if (this.#process === undefined) throw new Error("the bridge has not been started");
    return this.#process;
  }

  get #control(): string {
    return path.join(this.#directory, "sdk-control");
  }

  /** Starts it and waits until it serves its line. */
  async start(): Promise<void> {
    await this.behave();
    this.#process = new AgentProcess(["bridge", "--library", this.library, ...this.#place], {
      env: { FACEPAY_SIMULATED_SDK: this.#control },
    });
    await this.logs("BRIDGE_SERVING");
  }

  /** Waits for an event in its log. */
  async logs(code: string): Promise<Record<string, unknown>> {
    for (let waited = 0; ; waited += 20) {
      const found = this.process.logged(code).at(-1);
      if (found) return found;
      if (waited > 15_000 || this.process.exit)
        throw new Error(`the bridge never logged ${code}: ${this.process.stderr}`);
      await delay(20);
    }
  }

  /** How the SDK misbehaves from now on: "<command or *> <behaviour>" a line. */
  async misbehave(lines: string): Promise<void> {
    await writeFile(this.#control, `${lines}\n`);
  }

  async behave(): Promise<void> {
    await writeFile(this.#control, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }
}
