import path from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: path.resolve(import.meta.dirname, ".."),
  cacheDir: "node_modules/.cache/vitest",
  test: {
    include: ["test/**/*.test.ts"],
    // Real processes, sockets and pseudo-terminals: a slow machine must not turn a right answer into a failure.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    maxWorkers: 2,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  },
});
