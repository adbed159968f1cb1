import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const heap = path.resolve("agent/cli/heap.ts");

/** The size of the heap, MB, after 40 000 small objects at a time have lived for a moment each. */
async function heapMb(before: string): Promise<number> {
  const script = `
    import { getHeapStatistics } from "node:v8";
    ${before}
    const living = [];
    for (let i = 0; i < 3_000_000; i++) living[i % 40_000] = { i, more: [i, i, i] };
    console.log(getHeapStatistics().total_heap_size / 2 ** 20);`;
  return await evaluated(script);
}

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
  return await evaluated(script);
}

async function evaluated(script: string): Promise<number> {
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

  it("keeps V8 from letting the heap grow to a multiple of what lives", async () => {
    expect(await heapMb("")).toBeGreaterThanOrEqual(80);
    expect(await heapMb(`(await import(${JSON.stringify(heap)})).keepHeapSmall();`)).toBeLessThanOrEqual(40);
  });
});
