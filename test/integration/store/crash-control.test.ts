import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CrashExplorer, type Invariant } from "../../support/faults/crash-explorer.ts";
import { CrashDisk } from "../../support/faults/crash-files.ts";
import { jsonFile, plainWriteFile, steno, writeFileAtomic } from "../../support/faults/crash-subjects.ts";

/**
 * The check on the checks: what the harness of crash-states.test.ts says of three ways to write a file that are known to be
 * wrong. Each is played back call by call, as its source has it.
 */
const OCTETS = 4_000;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-control-"));
});

afterAll(() => rm(directory, { recursive: true }));

async function verdict(way: typeof steno): Promise<{ broken: Invariant[]; explorer: CrashExplorer }> {
  const explorer = new CrashExplorer(jsonFile(directory, OCTETS, way), directory);
  const { disk } = await explorer.run({ name: "", base: new Map(), promised: 0, lives: [{ values: [1] }] });
  await explorer.explore({ name: "one state", base: disk.seen, promised: 1, lives: [{ values: [2, 3] }] });
  const broken = (Object.keys(explorer.violations) as Invariant[]).filter(
    (name) => explorer.violations[name].length > 0,
  );
  console.info(`control: ${explorer.recovered} of ${explorer.states} states recovered; broken: ${broken.join(" ")}`);
  return { broken, explorer };
}

describe("the crash harness finds the faults of", () => {
  it("plain writeFile: an empty or torn file, and a start that fails on it", async () => {
    const { broken, explorer } = await verdict(plainWriteFile);
    expect(broken).toEqual(expect.arrayContaining(["I1", "I4"]));
    expect(explorer.violations.I4.some((text) => text.includes("Unexpected end of JSON input"))).toBe(true);
  });

  it("steno: renamed before its content is on the disk, so a file full of zeros (lowdb#139)", async () => {
    const { broken, explorer } = await verdict(steno);
    expect(broken).toEqual(expect.arrayContaining(["I1", "I4"]));
    expect(explorer.violations.I4.some((text) => text.includes("Unexpected token '\0'"))).toBe(true);
    // Without a power cut it is whole: what breaks is what was not synced, not the order of the calls.
    const { disk } = await explorer.run({ name: "", base: new Map(), promised: 0, lives: [{ values: [1, 2] }] });
    const again = await jsonFile(directory, OCTETS, steno).start(new CrashDisk(directory, disk.seen).process(), 1);
    expect(again).toMatchObject({ found: 2, intact: true });
  });

  it("write-file-atomic: acknowledged before the new name is on the disk", async () => {
    const { broken, explorer } = await verdict(writeFileAtomic);
    expect(broken).toEqual(["I1"]);
    expect(explorer.violations.I1.some((text) => /found 1 .*promised 2/.test(text))).toBe(true);
  });

  it("write-file-atomic on a full disk: a piece of a file in the good one's place, and called a success", async () => {
    const credentials = jsonFile(directory, OCTETS, writeFileAtomic);
    const outcomes = { kept: 0, refused: 0, lost: 0 };
    for (let free = 0; free <= 8192; free += 512) {
      const disk = new CrashDisk(directory);
      const kept = await credentials.start(disk.process(), 1);
      await kept.write(1);
      disk.free = free;
      const told = await kept.write(2).then(
        () => true,
        () => false,
      );
      const after = await credentials.start(disk.process(), 2).catch(() => undefined);
      if (after === undefined) outcomes.lost++;
      else outcomes[told ? "kept" : "refused"]++;
      if (after === undefined) expect(told).toBe(true);
    }
    expect(outcomes).toEqual({ kept: 8, refused: 1, lost: 8 });
  });
});
