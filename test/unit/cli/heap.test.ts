import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const heap = path.resolve("agent/cli/heap.ts");

/** The size of the young generation, MB, after so much garbage that V8 would like to have more of it. */
async function youngMb(before: string): Promise<number> {
  const script = `
    import { getHeapSpaceStatistics } from "node:v8";
    ${before}
    let kept = [];
    for (let i = 0; i < 1_000_000; i++) {
      kept.push({ i });
      if (kept.length > 20_000) kept = [];
    }
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    console.log(young.space_size / 2 ** 20);`;
  const args = ["--input-type=module-typescript", "--eval", script];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe("");
  return Number(stdout);
}

describe("keepHeapSmall", () => {
  it("keeps V8 from doubling the young generation", async () => {
    expect(await youngMb("")).toBeGreaterThanOrEqual(8);
    expect(await youngMb(`(await import(${JSON.stringify(heap)})).keepHeapSmall();`)).toBeLessThanOrEqual(2);
  });
});
