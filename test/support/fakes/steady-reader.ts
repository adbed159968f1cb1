import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { ask, askAny } from "../fixtures/api-fixture.ts";

const PAUSE_MS = 5;

/**
 * A cashier app that reads again and again over one connection, and notes how long each answer took and what it held. It
 * reads a bare server in turn: what that one takes is the machine's share, however busy it is.
 */
export class SteadyReader {
  /** Milliseconds of each read, of the agent and of the bare server. */
  readonly times: number[] = [];
  readonly bareTimes: number[] = [];
  /** Every different answer, in the order of its first appearance: status, state and generation. */
  readonly answers = new Set<string>();
  readonly #authinfos = new Map<unknown, Set<unknown>>();
  readonly #done: Promise<void>;
  #reading = true;

  constructor(socketPath: string, bareSocketPath: string) {
    this.#done = this.#read(socketPath, bareSocketPath);
  }

  /** How many authinfos one generation has shown: one, unless it was touched. */
  get authinfosPerGeneration(): number {
    return Math.max(...[...this.#authinfos.values()].map(({ size }) => size));
  }

  async stop(): Promise<void> {
    this.#reading = false;
    await this.#done;
  }

  async #read(socketPath: string, bareSocketPath: string): Promise<void> {
    const [agent, bare] = [socketPath, bareSocketPath].map(() => new http.Agent({ keepAlive: true, maxSockets: 1 }));
    while (this.#reading) {
      const before = performance.now();
      const { status, body } = await ask(socketPath, "GET", "/v1/authinfo", agent && { agent });
      const between = performance.now();
      await askAny(bareSocketPath, "GET", "/", bare && { agent: bare });
      this.times.push(between - before);
      this.bareTimes.push(performance.now() - between);
      this.answers.add(`${status} ${body.state ?? body.code} ${body.generation ?? ""}`);
      const seen = this.#authinfos.get(body.generation) ?? new Set();
      this.#authinfos.set(body.generation, seen.add(body.authinfo));
      await delay(PAUSE_MS);
    }
    agent?.destroy();
    bare?.destroy();
  }
}

/** A server in a process of its own that only answers. */
export class BareServer implements AsyncDisposable {
  readonly socketPath: string;
  readonly #child: ChildProcess;

  private constructor(socketPath: string, child: ChildProcess) {
    this.socketPath = socketPath;
    this.#child = child;
  }

  static async start(socketPath: string): Promise<BareServer> {
    const listener = "(_, r) => r.end('{}')";
    const code = `require("http").createServer(${listener}).listen(${JSON.stringify(socketPath)}, () => process.stdout.write("up"))`;
    const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    if (child.stdout) await once(child.stdout, "data");
    return new BareServer(socketPath, child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}

/** The time that `share` of all reads stayed below. */
export function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
