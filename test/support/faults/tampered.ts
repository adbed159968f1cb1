import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";

/** A process whose system calls are tampered with. */
export interface Tampering {
  /** Whether a call has been tampered with so far. */
  readonly fired: boolean;
  /** Resolves when the process has ended, or has been let go. */
  readonly ended: Promise<unknown>;
  /** Lets go of the process; what it was held up in goes on. */
  end(): Promise<void>;
}

/** Why strace(1) cannot be used here, or undefined. */
export function noStrace(): string | undefined {
  try {
    execFileSync("strace", ["-V"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "strace(1) is not installed: apt-get install strace";
  }
}

/**
 * Attaches to all threads of a running process. `injection` is strace's `-e inject=`, e.g. "fsync:delay_enter=20000000"
 * (microseconds). Rejects with strace's own words where that is not allowed.
 */
export async function tamper(pid: number, injection: string): Promise<Tampering> {
  const [calls] = injection.split(":");
  const strace = spawn("strace", ["-f", "-p", String(pid), "-e", `trace=${calls}`, "-e", `inject=${injection}`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const closed = once(strace, "close");
  let text = "";
  let fired = false;
  await new Promise<void>((resolve, reject) => {
    strace.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      fired ||= text.includes("INJECTED");
      if (text.includes("attached")) resolve();
      text = text.slice(-1_000);
    });
    closed.then(() => reject(new Error(`strace could not attach: ${text.trim()}`)), reject);
  });
  return {
    get fired() {
      return fired;
    },
    ended: closed,
    async end() {
      strace.kill("SIGTERM");
      await closed;
    },
  };
}
