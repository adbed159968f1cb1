import { expect, it } from "vitest";
import { sweep } from "../../support/faults/full-disk.ts";

it.for(["tmpfs", "tmpfs without inodes"] as const)(
  "a disk (%s) that is full to any degree keeps the old state or the new one, and the store says which",
  { timeout: 60_000 },
  async (disk, { skip }) => {
    const swept = await sweep(disk);
    if (typeof swept === "string") return skip(swept);
    console.info(`${disk}: ${swept.steps} of ${swept.steps} steps, ${swept.kept} kept, ${swept.refused} refused`);
    expect(swept.violations).toEqual([]);
    expect(Math.min(swept.kept, swept.refused)).toBeGreaterThan(1);
  },
);
