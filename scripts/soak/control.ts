import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { end, start } from "../bench/processes.ts";
import { exchange } from "./reader.ts";

/** A bare `node:http` server beside the agent, read as often: what this machine takes for an answer at the least. */
export class Control {
  readonly latencies: number[] = [];
  readonly #socket: string;
  readonly #child;

  static async start(directory: string): Promise<Control> {
    const control = new Control(path.join(directory, "control.sock"));
    for (let tries = 0; tries < 200 && control.latencies.length === 0; tries++) {
      await control.read();
      await delay(50);
    }
    if (control.latencies.length === 0)
      throw new Error("the bare server that answers are compared with does not start");
    return control;
  }

  private constructor(socket: string) {
    this.#socket = socket;
    this.#child = start(path.join(import.meta.dirname, "../bench/bare-server.js"), [socket]);
  }

  async read(): Promise<void> {
    const sentMs = performance.now();
    const answer = await exchange(this.#socket, "GET", "/").catch(() => undefined);
    if (answer) this.latencies.push(performance.now() - sentMs);
  }

  async close(): Promise<void> {
    await end(this.#child, "SIGKILL");
  }
}
