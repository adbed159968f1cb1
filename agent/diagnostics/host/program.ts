import { spawn } from "node:child_process";

/** What became of a program of the system that was asked something. */
export type ProgramResult =
  | { readonly kind: "ended"; readonly code: number | null; readonly stdout: string; readonly truncated: boolean }
  | { readonly kind: "missing" }
  | { readonly kind: "late" };

export interface ProgramOptions {
  readonly signal: AbortSignal;
  readonly mostBytes?: number;
}

/** Where the system's own programs lie; what the environment's PATH says is not asked. */
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
const MOST_BYTES = 1024 * 1024;

/**
 * Runs a program with a bounded output and, by the signal, a bounded time. No shell, nothing of our environment, English words.
 * Never rejects.
 */
export function runProgram(name: string, args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const { signal, mostBytes = MOST_BYTES } = options;
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ kind: "late" });
    const child = spawn(name, args, {
      stdio: ["ignore", "pipe", "ignore"],
      env: { PATH, LC_ALL: "C.UTF-8" },
      signal,
      killSignal: "SIGKILL",
    });
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= mostBytes) chunks.push(chunk);
      else child.kill("SIGKILL");
    });
    child.on("error", () => resolve(signal.aborted ? { kind: "late" } : { kind: "missing" }));
    child.on("close", (code) => {
      if (signal.aborted) resolve({ kind: "late" });
      else
        resolve({ kind: "ended", code, stdout: Buffer.concat(chunks).toString("utf8"), truncated: length > mostBytes });
    });
  });
}
