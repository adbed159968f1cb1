import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net, { type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** The kernel takes one more than this into the queue of a listener, then it answers no SYN any more (listen(2), tcp(7)). */
const BACKLOG = 1;
const FILLERS = 4;

/**
 * A port that swallows every SYN without an answer, as a packet filter that drops does. Without any privilege: a process
 * listens and is stopped, so that it accepts nothing, and its queue is filled.
 */
export class FrozenPort implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #fillers: Socket[];

  private constructor(child: ChildProcess, fillers: Socket[]) {
    this.#child = child;
    this.#fillers = fillers;
  }

  static async open(host: string, port: number): Promise<FrozenPort> {
    const where = JSON.stringify({ host, port, backlog: BACKLOG });
    const code = `require("net").createServer().listen(${where}, () => process.stdout.write("up"))`;
    const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    if (child.stdout) await once(child.stdout, "data");
    child.kill("SIGSTOP");
    while (!/\) T/.test(readFileSync(`/proc/${child.pid}/stat`, "utf8"))) await delay(5);
    const fillers = Array.from({ length: FILLERS }, () => {
      const socket = net.connect(port, host);
      return socket.on("error", () => socket.destroy());
    });
    await delay(50);
    return new FrozenPort(child, fillers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
    for (const socket of this.#fillers) socket.destroy();
  }
}
