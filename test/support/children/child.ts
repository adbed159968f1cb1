import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

/** Is killed when it goes out of scope. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The next line of its standard output; rejects when it ends before. */
  line(): Promise<string>;
  /** All of its standard output so far. */
  output(): string;
}

/** Runs a TypeScript file beside this one in a process of its own. */
export function startChild(file: string, args: readonly string[]): Child {
  const script = path.join(import.meta.dirname, file);
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  let taken = 0;
  let ended = false;
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of [...watchers]) watcher();
  };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    changed();
  });
  child.on("close", () => {
    ended = true;
    changed();
  });
  return {
    process: child,
    async [Symbol.asyncDispose]() {
      if (ended) return;
      child.kill("SIGKILL");
      await once(child, "close");
    },
    output: () => text,
    line: () =>
      new Promise((resolve, reject) => {
        const look = () => {
          const end = text.indexOf("\n", taken);
          if (end === -1 && !ended) return;
          watchers.delete(look);
          if (end === -1)
            reject(new Error(`${file} ended (${child.exitCode ?? child.signalCode}) without another line`));
          else resolve(text.slice(taken, end));
          taken = end + 1;
        };
        watchers.add(look);
        look();
      }),
  };
}
