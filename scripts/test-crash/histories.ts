import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { CrashExplorer, type History } from "../../test/support/faults/crash-explorer.ts";
import { sealedStore } from "../../test/support/faults/crash-subjects.ts";
import { seeded } from "../../test/support/faults/seeded.ts";

const ERRNOS = ["EIO", "ENOSPC", "EROFS", "EDQUOT", "EMFILE"];
const MOST_LIVES = 3;
const MOST_WRITES = 4;
/** More calls and changes than one process makes: then it is spared. */
const CALLS = 80;
const CHANGES = 45;
/** An explorer remembers what it has seen; beyond this many histories a fresh one takes over. */
const HISTORIES_EACH = 200;

export interface Explored {
  readonly histories: number;
  readonly states: number;
  readonly recovered: number;
  readonly violations: readonly string[];
}

/**
 * Processes that write several times, are killed or see one call fail, one after the other on the same disk; then the power is
 * cut at one random change. From a seed, so that a fault can be had again.
 */
export async function randomHistories(histories: number, seed: number): Promise<Explored> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-histories-"));
  const chance = seeded(seed);
  const total = { histories: 0, states: 0, recovered: 0, violations: [] as string[] };
  while (total.histories < histories && total.violations.length === 0) {
    const octets = 100 + chance.below(5_000);
    const explorer = new CrashExplorer(sealedStore(directory, octets), directory);
    for (let n = 0; n < HISTORIES_EACH && total.histories < histories; n++) {
      total.histories++;
      const name = `seed ${seed}, history ${total.histories}, ${octets} octets`;
      await explorer.explore(randomHistory(name, chance), chance.unit());
    }
    total.states += explorer.states;
    total.recovered += explorer.recovered;
    total.violations.push(
      ...Object.entries(explorer.violations).flatMap(([what, all]) => all.map((one) => `${what} ${one}`)),
    );
  }
  await rm(directory, { recursive: true });
  return total;
}

function randomHistory(name: string, chance: ReturnType<typeof seeded>): History {
  let value = 0;
  const lives = Array.from({ length: 1 + chance.below(MOST_LIVES) }, () => {
    const kind = chance.below(3);
    const code = ERRNOS[chance.below(ERRNOS.length)] ?? "EIO";
    const fate = [{}, { killAfter: chance.below(CHANGES) }, { failAt: 1 + chance.below(CALLS), code }][kind] ?? {};
    return { fate, values: Array.from({ length: chance.below(MOST_WRITES + 1) }, () => ++value) };
  });
  return { name, base: new Map(), promised: 0, lives };
}
