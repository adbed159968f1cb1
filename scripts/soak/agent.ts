import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Ledger } from "./ledger.ts";
import type { Report } from "./violations.ts";
import { judgeTrend, look, type Sample, type Trend, trend } from "./vitals.ts";

/** Twenty at once, then one a minute, for each code (specification 9); one more for the minute that has begun. */
const LOG_BURST = 20;
const SECRET_RUN = /[A-Za-z0-9+/]{20,}/g;
const KEPT_LINES = 200;
/** No process ends before a system call that hangs in one of its threads: a file and a directory on a disk that hangs for 8 s. */
const STOP_MS = 30_000;
/** Beside seven other jobs on two cores a start takes seconds. */
const START_MS = 20_000;

export interface AgentOptions {
  readonly launcher: string;
  readonly configFile: string;
  readonly ledger: Ledger;
  readonly report: Report;
  readonly tell: (line: string) => void;
  /** A new process is about to be made. */
  readonly onStart: () => void;
  /** The process has ended; `unasked`: nobody wanted it. */
  readonly onEnd: (unasked: boolean) => void;
}

/** The agent as a service manager sees it: one process after the other, signals, exit codes, a log, and what the kernel knows. */
export class SoakAgent {
  readonly #options: AgentOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #expected: "SIGKILL" | "SIGTERM" | "SIGINT" | undefined;
  #startedAt = 0;
  #samples: Sample[] = [];
  #lines = new Map<string, number>();
  #tail: string[] = [];
  /** When it answered for the first time; undefined while it has not. */
  #answeredAt: number | undefined;
  #stoppedAt: number | undefined;
  /** From when on it has had to answer all the time. */
  #upSince = Number.POSITIVE_INFINITY;
  readonly starts: number[] = [];
  readonly trends: Trend[] = [];
  readonly ends: Record<string, number> = {};
  logBytes = 0;
  logLines = 0;
  lives = 0;
  mostMb = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Whether it had to answer at any instant since `sinceMs`. */
  upSince(sinceMs: number): boolean {
    return this.#stoppedAt === undefined && sinceMs >= this.#upSince;
  }

  start(): void {
    if (this.#child !== undefined) return;
    const { launcher, configFile } = this.#options;
    this.#options.onStart();
    this.lives++;
    this.#startedAt = performance.now();
    this.#answeredAt = undefined;
    this.#expected = undefined;
    this.#samples = [];
    this.#lines = new Map();
    const child = spawn(process.execPath, [launcher, "run", "--config", configFile], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" },
      // A group of its own: ^C in the terminal is for the soak.
      detached: true,
    });
    this.#child = child;
    let rest = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#options.report("stdout", text.slice(0, 80)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.logBytes += text.length;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#line(line);
    });
    this.#ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#end(code, signal);
        resolve();
      });
    });
  }

  /** The client has had an answer. */
  answered(nowMs: number): void {
    if (this.#answeredAt !== undefined || this.#child === undefined || this.#expected) return;
    this.#answeredAt = nowMs;
    this.#upSince = nowMs;
    this.starts.push(nowMs - this.#startedAt);
  }

  /** Ends it and waits for the end. */
  async end(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): Promise<void> {
    this.signal("SIGCONT");
    this.#expected = signal;
    this.#upSince = Number.POSITIVE_INFINITY;
    this.#child?.kill(signal);
    const late = setTimeout(() => {
      this.#options.report("exit", `still there ${STOP_MS / 1_000} s after ${signal}`);
      this.#child?.kill("SIGKILL");
    }, STOP_MS);
    await this.#ended;
    clearTimeout(late);
  }

  signal(signal: "SIGHUP" | "SIGSTOP" | "SIGCONT"): void {
    if (this.#child === undefined) return;
    if (signal === "SIGSTOP") this.#stoppedAt = performance.now();
    this.#child.kill(signal);
    if (signal === "SIGCONT" && this.#stoppedAt !== undefined) {
      this.#stoppedAt = undefined;
      if (this.#answeredAt !== undefined && !this.#expected) this.#upSince = performance.now();
    }
  }

  /** Looks at the process from outside; to be called every few seconds. */
  look(): void {
    if (this.#child === undefined || this.#expected) return;
    const nowMs = performance.now();
    if (this.#answeredAt === undefined && this.#stoppedAt === undefined && nowMs - this.#startedAt > START_MS) {
      this.#options.report("slow_start", `no answer after ${START_MS / 1_000} s`);
      this.#startedAt = nowMs;
    }
    const found = look(this.pid, nowMs);
    if (found === undefined) return;
    if (found.children !== "") this.#options.report("children", found.children);
    this.mostMb = Math.max(this.mostMb, found.residentMb);
    this.#samples.push(found);
    const minutes = (nowMs - this.#startedAt) / 60_000;
    for (const [code, count] of this.#lines) {
      if (count <= LOG_BURST + minutes + 1) continue;
      this.#options.report("log_volume", `${count} x ${code} in ${minutes.toFixed(1)} min`);
      this.#lines.set(code, 0);
    }
  }

  #line(line: string): void {
    this.logLines++;
    this.#tail = [...this.#tail, line].slice(-KEPT_LINES);
    const code = /"code":"([A-Z_]+)"/.exec(line)?.[1] ?? "no code";
    this.#lines.set(code, (this.#lines.get(code) ?? 0) + 1);
    for (const [run] of line.matchAll(SECRET_RUN)) {
      if (this.#options.ledger.holds(run)) this.#options.report("secret", `in the log: ${code}`);
    }
  }

  #end(code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal ?? `exit ${code}`;
    this.ends[how] = (this.ends[how] ?? 0) + 1;
    const wanted = this.#expected === "SIGKILL" ? signal === "SIGKILL" : this.#expected !== undefined && code === 0;
    if (!wanted) {
      this.#options.report("exit", `${how} after ${this.#expected ?? "nothing"}`);
      for (const line of this.#tail.slice(-8)) this.#options.tell(`  ${line}`);
    }
    if (existsSync(`/proc/${this.pid}`)) this.#options.report("children", `process ${this.pid} lingers`);
    const found = trend(this.#samples);
    if (found) {
      this.trends.push(found);
      judgeTrend(found, this.#options.report);
    }
    this.#child = undefined;
    this.#upSince = Number.POSITIVE_INFINITY;
    this.#stoppedAt = undefined;
    this.#options.onEnd(this.#expected === undefined);
  }
}
