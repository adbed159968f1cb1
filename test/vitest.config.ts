import path from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: path.resolve(import.meta.dirname, ".."),
  cacheDir: "node_modules/.cache/vitest",
  test: {
    include: ["test/**/*.test.ts"],
    // Real processes, sockets and pseudo-terminals: a slow or busy machine must not turn a right answer into a failure. These limits, and
    // those of the waits, only end what hangs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "forks",
    // Most of them wait for processes, sockets and timers, so that more than one a processor is quicker.
    maxWorkers: 4,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  },
});
