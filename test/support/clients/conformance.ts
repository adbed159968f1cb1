import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { missing, utf8 } from "../fixtures/tools.ts";

/** How the client libraries of docs/clients are built and driven, so that one script can hold all of them to the same answers. */

const run = promisify(execFile);
const own = import.meta.dirname;
const libraries = path.resolve(own, "../../../docs/clients");

export interface ClientLibrary {
  readonly name: string;
  /** Its files below docs/clients that may hold 200 lines. */
  readonly file: string;
  readonly missing: () => string | undefined;
  /** Builds it into the directory and returns the command that drives it. */
  readonly build: (directory: string) => Promise<readonly [string, ...string[]]>;
}

export const clientLibraries: readonly ClientLibrary[] = [
  {
    name: "Node",
    file: "node/facepay-agent.mjs",
    missing: () => undefined,
    build: async () => [process.execPath, path.join(own, "drive.mjs")],
  },
  {
    name: "C",
    file: "c/facepay_agent.c",
    missing: () => missing("cc"),
    build: async (directory) => {
      const program = path.join(directory, "drive");
      const strict = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O2", "-pthread"];
      const sources = [path.join(own, "drive.c"), path.join(libraries, "c/facepay_agent.c")];
      await run("cc", [
        ...strict,
        "-D_POSIX_C_SOURCE=200809L",
        "-I",
        path.join(libraries, "c"),
        "-o",
        program,
        ...sources,
      ]);
      return [program];
    },
  },
  {
    name: "Java",
    file: "java/FacepayAgent.java",
    missing: () => missing("java", "javac"),
    build: async (directory) => {
      const sources = [path.join(own, "Drive.java"), path.join(libraries, "java/FacepayAgent.java")];
      await run("javac", ["-encoding", "UTF-8", "-Xlint:all", "-Werror", "-d", directory, ...sources], { env: utf8() });
      return ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", directory, "Drive"];
    },
  },
];

export const workshop = () => mkdtemp(path.join(os.tmpdir(), "facepay-clients-"));

/** One client at work. Its answers are lines: "read ok fresh 7 -", "watch AUTHINFO_EXPIRED PAY_DNS ...", "reject renewing". */
export class DrivenClient implements AsyncDisposable {
  readonly #process;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #stderr = "";
  #ended = false;

  constructor([command, ...args]: readonly [string, ...string[]], socket: string, timeoutMs: number) {
    this.#process = spawn(command, [...args, socket, String(timeoutMs)], { stdio: ["pipe", "pipe", "pipe"] });
    let rest = "";
    this.#process.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#look();
    });
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#process.stdin.on("error", () => {});
    this.#process.on("close", () => {
      this.#ended = true;
      this.#look();
    });
  }

  #look(): void {
    for (const waiting of [...this.#waiting]) waiting();
  }

  send(command: string): void {
    this.#process.stdin.write(`${command}\n`);
  }

  /** The next answer that begins so; what comes before it is passed over. */
  next(start: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const at = this.#lines.findIndex((line) => line.startsWith(start));
        if (at === -1 && !this.#ended) return;
        this.#waiting.delete(look);
        if (at === -1) reject(new Error(`the client ended: ${this.#stderr}`));
        else resolve(this.#lines.splice(0, at + 1).at(-1) ?? "");
      };
      this.#waiting.add(look);
      look();
    });
  }

  ask(command: string): Promise<string> {
    this.send(command);
    return this.next(command.split(" ")[0] ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "close");
  }
}
