import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
/** A year in all. */
const TERMINALS = 53;
const SEED = 1;
const DAYS = 7;
/** A minute of one quiet core; the limit only ends what hangs. */
const HANGS_MS = 1_800_000;

interface Ended {
  readonly code: number;
  readonly output: string;
}

async function simulate(...options: string[]): Promise<Ended> {
  const run = promisify(execFile)(process.execPath, [path.join(root, "scripts/simulate/simulate.ts"), ...options], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return await run.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, output: `${stdout}${stderr}` }),
  );
}

const hashIn = ({ output }: Ended) => /^trace hash ([0-9a-f]{16})$/m.exec(output)?.[1];

describe("the whole agent in a simulated world", () => {
  it("has one history for one seed", async () => {
    const runs = await Promise.all(["11", "11", "12"].map((seed) => simulate("--seed", seed, "--days", "3")));
    const [first, again, other] = runs.map(hashIn);
    expect(first, runs[0]?.output).toBeDefined();
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  // Other seeds: npm run simulate; docs/testing.md says what they have found.
  it(
    `keeps its promises over ${TERMINALS} terminals of a week each`,
    async () => {
      const given = ["--seed", String(SEED), "--days", String(DAYS), "--terminals", String(TERMINALS)];
      const { code, output } = await simulate(...given);
      process.stdout.write(output);
      expect(code, output).toBe(0);
      expect(output).toContain(`${TERMINALS} terminals of ${DAYS} days from seed ${SEED} on`);
    },
    HANGS_MS,
  );
});
