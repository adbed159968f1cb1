import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import { promisify } from "node:util";
import { type Answer, API_SOCKET, eventually, type Machine } from "../test-machines/machine.ts";

const exec = promisify(execFile);
const POLL_MS = 10;
/** Only ends what hangs: dpkg unpacks 130 MB, on a machine that may have other work. */
const COMMAND_MS = 600_000;

/** The simulators of a machine, as units. */
export const PEERS = ["simulated-bridge", "simulated-pay"] as const;

/** One boot of systemd in a container of its own: own network (loopback alone), own processes, this kernel. */
export class Container implements Machine {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #console = "";
  #leader = 0;

  /** Resolves when process 1 is there; what it starts comes up meanwhile. */
  static async boot(directory: string): Promise<Container> {
    const container = new Container(directory);
    await container.until("process 1 in the container", async () => {
      container.#leader = leaderBelow(container.#child.pid ?? 0) ?? 0;
      return container.#leader > 0;
    });
    return container;
  }

  private constructor(directory: string) {
    // Not known to machined, and in this very cgroup: neither needs to be there.
    const how = ["--quiet", "--boot", "--register=no", "--keep-unit", "--private-network", "--console=pipe"];
    this.#child = spawn("systemd-nspawn", ["-D", directory, ...how], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        this.#console = (this.#console + chunk).slice(-4_000);
      });
    }
    const stop = () => this.#kill();
    process.prependOnceListener("exit", stop);
    this.#ended = new Promise((resolve) =>
      this.#child.once("close", () => {
        process.off("exit", stop);
        resolve();
      }),
    );
  }

  /** A file or socket of the container, seen from here. */
  path(file: string): string {
    return `/proc/${this.#leader}/root${file}`;
  }

  async run(...command: readonly string[]): Promise<string> {
    const inside = ["-t", String(this.#leader), "-a", "--", ...command];
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" };
    try {
      return (await exec("nsenter", inside, { env, timeout: COMMAND_MS })).stdout.trim();
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error(`${command.join(" ")} failed: ${stdout}${stderr}`);
    }
  }

  /** A program of this machine in the container's network: its own has no tools for that. */
  async network(...command: readonly string[]): Promise<void> {
    await exec("nsenter", ["-t", String(this.#leader), "-n", "--", ...command], { timeout: COMMAND_MS });
  }

  /** Process 1 takes commands from here on; before, only what it does by itself can be looked at. */
  async settled(): Promise<void> {
    await this.until("the service manager answers", async () => {
      await this.run("systemctl", "show", "--property=Version");
      return true;
    });
  }

  get(target: string, socket = API_SOCKET, patienceMs = 30_000): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.path(socket), path: target, agent: false, timeout: patienceMs };
      const request = http.get(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
        response.on("error", reject);
      });
      request.on("timeout", () => request.destroy(new Error(`no answer in ${patienceMs} ms`)));
      request.on("error", reject);
    });
  }

  async until(what: string, holds: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
    const running = () => this.#child.exitCode === null;
    await eventually(what, holds, { withinMs, pollMs: POLL_MS, running }, async () => {
      const journal = this.#leader > 0 ? await this.run("journalctl", "-n", "40", "--no-pager").catch(String) : "";
      return `the console:\n${this.#console}\n${journal}`;
    });
  }

  /** As a power cut: every process inside ends at once, process 1 with them. */
  async cut(): Promise<void> {
    this.#kill();
    await this.#ended;
  }

  #kill(): void {
    if (this.#child.exitCode === null)
      process.kill(this.#leader > 0 ? this.#leader : (this.#child.pid ?? 0), "SIGKILL");
  }
}

/** The process that is 1 inside: a descendant whose innermost pid says so. */
function leaderBelow(pid: number): number | undefined {
  for (const child of childrenOf(pid)) {
    const status = readFileSync(`/proc/${child}/status`, "latin1");
    const inner = /^NSpid:.*\t(\d+)$/m.exec(status)?.[1];
    const isSystemd = /^Name:\tsystemd$/m.test(status);
    const found = inner === "1" && isSystemd ? child : leaderBelow(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "latin1").split(" ").filter(Boolean).map(Number),
  );
}
