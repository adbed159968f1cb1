import { defineConfig } from "vitest/config";

export default defineConfig({
  root: new URL("..", import.meta.url).pathname,
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
