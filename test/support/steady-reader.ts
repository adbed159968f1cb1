import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { ask } from "./api-fixture.ts";

const PAUSE_MS = 5;

/** A cashier app that reads again and again over one connection, and notes how long each answer took and what it held. */
export class SteadyReader {
  /** Milliseconds of each read. */
  readonly times: number[] = [];
  /** Every different answer, in the order of its first appearance: status, state and generation. */
  readonly answers = new Set<string>();
  readonly #authinfos = new Map<unknown, Set<unknown>>();
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #done: Promise<void>;
  #reading = true;

  constructor(socketPath: string) {
    this.#done = this.#read(socketPath);
  }

  /** How many authinfos one generation has shown: one, unless it was touched. */
  get authinfosPerGeneration(): number {
    return Math.max(...[...this.#authinfos.values()].map(({ size }) => size));
  }

  async stop(): Promise<void> {
    this.#reading = false;
    await this.#done;
    this.#agent.destroy();
  }

  async #read(socketPath: string): Promise<void> {
    while (this.#reading) {
      const before = performance.now();
      const { status, body } = await ask(socketPath, "GET", "/v1/authinfo", { agent: this.#agent });
      this.times.push(performance.now() - before);
      this.answers.add(`${status} ${body.state ?? body.code} ${body.generation ?? ""}`);
      const seen = this.#authinfos.get(body.generation) ?? new Set();
      this.#authinfos.set(body.generation, seen.add(body.authinfo));
      await delay(PAUSE_MS);
    }
  }
}

/** The time that `share` of all reads stayed below. */
export function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
