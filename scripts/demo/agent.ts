import type { ChildProcess } from "node:child_process";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Playground } from "../../agent/simulator/playground.ts";
import { endProgram, startProgram } from "./child.ts";
import type { Print } from "./print.ts";

/** Starts the agent again whenever it dies, as systemd would, until the demo is over. */
export class Agent {
  readonly #playground: Playground;
  readonly #print: Print;
  readonly #over: AbortSignal;
  #child: ChildProcess | undefined;

  constructor(playground: Playground, print: Print, over: AbortSignal) {
    this.#playground = playground;
    this.#print = print;
    this.#over = over;
  }

  start(): void {
    const { directory, configFile } = this.#playground;
    const child = startProgram(["run", "--config", configFile], path.join(directory, "agent.log"));
    this.#child = child;
    child.on("exit", async (code, signal) => {
      // Ctrl-C reaches it as well.
      if (this.#over.aborted) return;
      if (code !== null && code !== 0) {
        this.#print(
          `服务退出，代码 ${code}，日志见 ${directory}/agent.log`,
          `the agent ended with code ${code}; its log is ${directory}/agent.log`,
        );
        process.exit(1);
      }
      // Those two it obeys, and ends with 0.
      const [zh, en] = signal === null ? ["SIGTERM 或 SIGINT", "SIGTERM or SIGINT"] : [signal, signal];
      this.#print(`服务被 ${zh} 终止，1 秒后重新启动`, `the agent was ended by ${en}; starting it again in 1 s`);
      await delay(1_000);
      if (!this.#over.aborted) this.start();
    });
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    if (this.#child) await endProgram(this.#child);
  }
}
