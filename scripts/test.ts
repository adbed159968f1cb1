/** `npm test`: the test suite. Arguments go to vitest, e.g. `npm test -- test/unit/drivers/frame.test.ts`. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
// As systemd starts the agent, whatever the user's own is: many tests write the files that the agent trusts.
process.umask(0o022);
const chosen = process.argv.slice(2);
const reporters = ["--reporter=./test/support/checks/skipped-reporter.ts"];
if (!chosen.some((argument) => argument.startsWith("--reporter"))) reporters.unshift("--reporter=default");
const { status } = spawnSync(
  process.execPath,
  [vitest, "run", "--config", "test/vitest.config.ts", ...chosen, ...reporters],
  { cwd: root, stdio: "inherit" },
);
process.exitCode = status ?? 1;
