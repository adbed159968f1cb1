import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
export const launcher = path.join(root, "scripts", "facepay-agent.js");

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  readonly env?: Record<string, string>;
  /** The pinned one unless told. */
  readonly node?: string;
  /** The launcher: the one of the sources unless told. */
  readonly program?: string;
  /** Another user than ourselves, by number, where we are root. */
  readonly user?: number;
}

/** `facepay-agent` as systemd would run it: a process of its own, with nothing of this one's environment. */
export class AgentProcess implements AsyncDisposable {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";
  #exit: Exit | undefined;

  constructor(args: readonly string[], options: ProgramOptions = {}) {
    const { env = {}, node = process.execPath, program = launcher, user } = options;
    this.#child = spawn(node, [program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH ?? "", LANG: "C.UTF-8", ...env },
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stdout += chunk;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr += chunk;
    });
    this.exited = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      // "close" comes after the last octet of both outputs.
      this.#child.once("close", (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Each line of the log (contract 9: one JSON object a line). */
  log(): Record<string, unknown>[] {
    const lines = this.#stderr.slice(0, this.#stderr.lastIndexOf("\n") + 1).split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  logged(code: string): Record<string, unknown>[] {
    return this.log().filter((line) => line.code === code);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it at once, as a power cut does, and waits until the kernel has taken everything back. */
  async crash(): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
  }

  /** Ends it the polite way. */
  async stop(): Promise<Exit> {
    this.kill("SIGTERM");
    return await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit === undefined) await this.crash();
  }

  /** What every user of the machine may read of it. "" once it has ended. */
  publicFace(): string {
    return ["cmdline", "environ"].map((name) => read(`/proc/${this.pid}/${name}`)).join("\0");
  }

  /** Files mapped into its memory: program code and the libraries of packages. */
  mapped(): string[] {
    const maps = read(`/proc/${this.pid}/maps`).split("\n");
    return [...new Set(maps.map((line) => line.slice(73).trim()))].filter((file) => file.startsWith("/"));
  }

  /** TCP ports on which this process listens: there should be none, and a debugger's would be one. */
  listeningPorts(): number[] {
    return this.#ports(["tcp", "tcp6"], "0A");
  }

  /** UDP ports it has bound. */
  boundUdpPorts(): number[] {
    return this.#ports(["udp", "udp6"], "07");
  }

  /** Names of the unix sockets on which it listens; abstract ones begin with "@". */
  unixListeners(): string[] {
    const own = new Set(openSockets(this.pid));
    // Num RefCount Protocol Flags Type St Inode Path; a listener has the flag __SO_ACCEPTCON.
    return read(`/proc/${this.pid}/net/unix`)
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , flags, , , inode]) => flags === "00010000" && own.has(inode ?? ""))
      .map((fields) => fields[7] ?? "");
  }

  #ports(tables: readonly string[], wanted: string): number[] {
    const own = new Set(openSockets(this.pid));
    return tables.flatMap((table) =>
      read(`/proc/${this.pid}/net/${table}`)
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter(([, , , state, , , , , , inode]) => state === wanted && own.has(inode ?? ""))
        .map(([, local]) => Number.parseInt(local?.split(":")[1] ?? "", 16)),
    );
  }
}

function openSockets(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(path.join(directory, fd)))?.[1] ?? [];
    } catch {
      // Closed between the listing and the look: then it is none that listens for long.
      return [];
    }
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // The process has ended.
    return "";
  }
}
