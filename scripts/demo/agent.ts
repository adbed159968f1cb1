import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Playground } from "../../agent/simulation/playground.ts";
import type { Print } from "./print.ts";

const launcher = fileURLToPath(new URL("../facepay-agent.js", import.meta.url));

/** Starts the agent again whenever it dies, as systemd would. */
export class Agent {
  readonly #playground: Playground;
  readonly #print: Print;
  #child: ChildProcess | undefined;
  #stopping = false;

  constructor(playground: Playground, print: Print) {
    this.#playground = playground;
    this.#print = print;
  }

  start(): void {
    const log = openSync(path.join(this.#playground.directory, "agent.log"), "a", 0o600);
    const child = spawn(process.execPath, [launcher, "run", "--config", this.#playground.configFile], {
      stdio: ["ignore", "ignore", log],
    });
    this.#child = child;
    child.on("exit", async (code, signal) => {
      if (this.#stopping) return;
      if (code !== null && code !== 0) {
        this.#print(
          `服务退出，代码 ${code}，日志见 ${this.#playground.directory}/agent.log`,
          `the agent ended with code ${code}; its log is ${this.#playground.directory}/agent.log`,
        );
        process.exit(1);
      }
      this.#print(
        `服务被 ${signal} 终止，1 秒后重新启动`,
        `the agent was ended by ${signal}; starting it again in 1 s`,
      );
      await delay(1_000);
      if (!this.#stopping) this.start();
    });
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
}
