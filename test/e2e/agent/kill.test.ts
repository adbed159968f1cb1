import { randomInt } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { killAtRandom } from "../../support/faults/random-kills.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const KILLS = 100;

describe("kill -9 at any instant", () => {
  it(`loses nothing that was announced as persisted, in ${KILLS} kills`, async () => {
    const terminals = [openRig(), openRig()];
    const promises = terminals.map(async (opening) => {
      await using rig = await opening;
      return await killAtRandom(rig, KILLS / terminals.length, randomInt);
    });
    const kept = (await Promise.all(promises)).reduce((sum, each) => sum + each, 0);
    console.info(`kill -9: ${KILLS} of ${KILLS} survived, ${kept} promises kept`);
    // Half of the kills come when a refresh has got far enough to promise something.
    expect(kept).toBeGreaterThan(KILLS / 4);
  });
});

describe("the disk", () => {
  it("I10: is written once for a refresh and not for a read", async () => {
    await using rig = await openRig();
    await rig.serve();
    const file = path.join(rig.stateDirectory, "state.sealed");
    const written = async () => (await rig.metric("facepay_store_writes_total"))['outcome="ok"'] ?? 0;
    const before = { writes: await written(), ino: (await stat(file)).ino, bytes: await readFile(file) };
    for (let read = 0; read < 200; read++) {
      expect((await rig.get()).status).toBe(200);
      await rig.status();
    }
    expect(await written()).toBe(before.writes);
    expect((await stat(file)).ino).toBe(before.ino);
    expect(await readFile(file)).toEqual(before.bytes);
    expect((await rig.refresh()).status).toBeLessThan(300);
    await rig.served(({ generation, persisted }) => generation === 2 && persisted);
    await rig.statusWhere("the write is done", ({ store }) => store?.dirty === false);
    expect(await written()).toBe(before.writes + 1);
  });
});
