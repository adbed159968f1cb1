import { type ChildProcess, fork, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The environment of every measured process: as a service has it. NODE_EXTRA_CA_CERTS alone would add milliseconds to
 * each start, and NODE_OPTIONS anything.
 */
export const environment = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };

/** A program started straight away, with nothing on its three standard streams. */
export function start(script: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [script, ...args], { stdio: "ignore", env: environment });
}

/** Ends a process and waits until the kernel has taken everything back. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}

/** A child of ours that answers each message with one of its own. */
export class Helper implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(script: string, args: readonly string[] = [], execArgv: readonly string[] = []) {
    const file = path.join(import.meta.dirname, script);
    const stdio = ["ignore", "ignore", "inherit", "ipc"] as const;
    this.#child = fork(file, [...args], { execArgv: [...execArgv], env: environment, stdio: [...stdio] });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Rejects when the child ends instead of answering. */
  ask<T>(message: object = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#child.off("message", onMessage);
        this.#child.off("exit", onExit);
      };
      const onMessage = (answer: unknown) => {
        done();
        resolve(answer as T);
      };
      const onExit = (code: number | null, signal: string | null) => {
        done();
        reject(new Error(`${this.#child.spawnargs.at(1)} ended (${signal ?? code})`));
      };
      this.#child.on("message", onMessage);
      this.#child.on("exit", onExit);
      this.#child.send(message);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child, "SIGKILL");
  }
}

/** Resident memory of a whole process, MB. */
export const residentMb = (pid: number) => statusMb(pid, /^VmRSS:\s+(\d+) kB$/m);

/** What of it is neither a file's nor shared, MB. */
export const privateMb = (pid: number) => statusMb(pid, /^RssAnon:\s+(\d+) kB$/m);

function statusMb(pid: number, line: RegExp): number {
  return Number(line.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024;
}

/** Processor time of a whole process so far, its threads together, in ms: the scheduler's own count, to the microsecond. */
export function processorMs(pid: number): number {
  const directory = `/proc/${pid}/task`;
  const spent = readdirSync(directory).map((task) =>
    Number(readFileSync(`${directory}/${task}/schedstat`, "latin1").split(" ")[0]),
  );
  return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6;
}
