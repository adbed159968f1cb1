import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { until } from "./api-fixture.ts";

export const root = path.resolve(import.meta.dirname, "../..");
const demo = path.join(root, "scripts/demo.ts");

/** A demo makes five RSA keys and starts an agent, on a busy machine several at a time. */
const PATIENCE_MS = 30_000;

/** Where demos keep what they keep, with nothing of other runs; those still alive at the end are killed. */
export class DemoPlace implements AsyncDisposable {
  readonly directory: string;
  readonly #demos: DemoProcess[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<DemoPlace> {
    return new DemoPlace(await mkdtemp(path.join(os.tmpdir(), "facepay-demo-")));
  }

  get env(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH ?? "", HOME: this.directory, TMPDIR: this.directory, LANG: "en_GB.UTF-8" };
  }

  start(args: readonly string[] = []): DemoProcess {
    return this.startAs(process.execPath, [demo, ...args]);
  }

  startAs(command: string, args: readonly string[], options: { readonly detached?: boolean } = {}): DemoProcess {
    const child = spawn(command, args, { cwd: root, stdio: ["pipe", "pipe", "pipe"], env: this.env, ...options });
    const demo = new DemoProcess(child);
    this.#demos.push(demo);
    return demo;
  }

  /** The one directory that the plain demos of this place share. */
  async kept(): Promise<string> {
    const names = await readdir(this.directory);
    const name = names.find((found) => /^facepay-demo-\d/.test(found));
    if (name === undefined) throw new Error(`no demo's directory among ${names.join(", ")}`);
    return path.join(this.directory, name);
  }

  /** The agent that holds the demo's state directory, by the name of its lock; the newest, since a killed one leaves its own. */
  async agent(): Promise<number> {
    let found: number | undefined;
    await until(
      async () => {
        const names = await readdir(path.join(await this.kept(), "state")).catch(() => []);
        const pids = names.map((name) => Number(/^lock\.[0-9a-f]{16}\.(\d+)$/.exec(name)?.[1])).filter(alive);
        found = pids[0];
        return found !== undefined;
      },
      "the demo's agent",
      PATIENCE_MS,
    );
    return found ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const demo of this.#demos) await demo.kill();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class DemoProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  text = "";

  constructor(child: ChildProcess) {
    this.child = child;
    this.ended = once(child, "exit").then(([code, signal]) => ({ code, signal }));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (part: string) => {
        this.text += part;
      });
    }
  }

  async says(words: string): Promise<void> {
    await until(() => this.text.includes(words), `"${words}", after: ${this.text}`, PATIENCE_MS);
  }

  /** The demo's own process, as it says itself: what was started may be a launcher. */
  get pid(): number {
    return Number(/kill -USR2 (\d+)/.exec(this.text)?.[1]);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.ended;
    if (alive(this.pid)) process.kill(this.pid, "SIGKILL");
  }
}

/** Whether there is such a process, and it has not ended to be waited for. */
export function alive(pid: number): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

export async function gone(what: string, pid: number): Promise<void> {
  await until(() => !alive(pid), `the end of ${what}, process ${pid}`, PATIENCE_MS);
}
