import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ConfigSettings } from "../../agent/simulator/playground-config.ts";
import { end, Helper, root, start } from "./processes.ts";
import type { PayFacts, SimulatorCommand } from "./simulators.ts";

const PATIENCE_MS = 20_000;

/** A terminal to be measured: its directory, its peers in a process of their own, and the agent as a service runs it. */
export class Terminal implements AsyncDisposable {
  readonly directory: string;
  pay: PayFacts | undefined;
  readonly #launcher: string;
  readonly #peers: Helper;
  #agent: ChildProcess | undefined;

  static async open(launcher: string, overrides: ConfigSettings["overrides"] = {}): Promise<Terminal> {
    const terminal = new Terminal(launcher, await mkdtemp(path.join(os.tmpdir(), "facepay-bench-")));
    terminal.pay = (await terminal.peers({ do: "open", overrides })) as PayFacts;
    return terminal;
  }

  private constructor(launcher: string, directory: string) {
    this.directory = directory;
    this.#launcher = launcher;
    this.#peers = new Helper("simulators.ts", [directory]);
  }

  get socket(): string {
    return path.join(this.directory, "run/api.sock");
  }

  async peers(command: SimulatorCommand): Promise<unknown> {
    return (await this.#peers.ask<{ readonly answer: unknown }>(command)).answer;
  }

  /** The peers are gone for good: no bridge, no network. */
  async isolate(): Promise<void> {
    await this.#peers[Symbol.asyncDispose]();
  }

  startAgent(): ChildProcess {
    this.#agent = start(this.#launcher, ["run", "--config", path.join(this.directory, "config.toml")]);
    return this.#agent;
  }

  /** Starts the agent; resolves when a fresh authinfo is served and safe on the disk. */
  async serve(): Promise<ChildProcess> {
    const agent = this.startAgent();
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { state, persisted } = JSON.parse((await this.read().catch(() => undefined)) ?? "{}");
      if (state === "fresh" && persisted) return agent;
      if (performance.now() > deadline) throw new Error("the agent serves no authinfo");
      await delay(20);
    }
  }

  async stopAgent(): Promise<void> {
    if (this.#agent) await end(this.#agent);
    this.#agent = undefined;
  }

  /** The body of `GET /v1/authinfo`. */
  async read(): Promise<string> {
    return await exchange(this.socket, "GET", "/v1/authinfo");
  }

  /** Asks for a refresh and does not wait for it. */
  refresh(): void {
    const socketPath = path.join(this.directory, "run/admin.sock");
    exchange(socketPath, "POST", "/v1/authinfo/refresh").catch(() => {
      // It hangs, which is what it is asked for, until the agent ends.
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#agent) await end(this.#agent, "SIGKILL");
    await this.isolate();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The launcher that is measured unless another one is named. */
export const ownLauncher = path.join(root, "scripts/facepay-agent.js");

function exchange(socketPath: string, method: string, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, method, path: target, headers: { Host: "localhost" } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end();
  });
}

/** From `startServer` to the first answer on the socket, in ms; it must be a 200. */
export async function timeToAnswer(
  socket: string,
  startServer: () => ChildProcess,
): Promise<{ readonly ms: number; readonly child: ChildProcess }> {
  await rm(socket, { force: true });
  const startedAt = performance.now();
  const child = startServer();
  for (;;) {
    const head = await knock(socket);
    const ms = performance.now() - startedAt;
    if (head.startsWith("HTTP/1.1 200 ")) return { ms, child };
    if (head !== "" || ms > PATIENCE_MS || child.exitCode !== null) throw new Error(`no answer, but: ${head}`);
    await delay(1);
  }
}

/** What comes first on a connection of its own; "" when there is nobody. */
function knock(socketPath: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(socketPath);
    socket.setEncoding("latin1");
    socket.on("connect", () =>
      socket.write("GET /v1/authinfo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    );
    socket.on("data", (text: string) => {
      resolve(text);
      socket.destroy();
    });
    socket.on("error", () => resolve(""));
    socket.on("close", () => resolve(""));
  });
}
