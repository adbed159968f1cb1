/**
 * `npm run test:crash`: what is too long for every commit. Each part says what it has done, and the exit code is 1 when any
 * of them found a fault. `--only a,b` runs some parts; `--histories 1e6` for a night.
 */
import { randomInt } from "node:crypto";
import { disks, sweep } from "../../test/support/faults/full-disk.ts";
import { killAtRandom } from "../../test/support/faults/random-kills.ts";
import { noStrace } from "../../test/support/faults/tampered.ts";
import { openRig, removeFactory } from "../../test/support/fixtures/running-agent.ts";
import { readOptions } from "../read-options.ts";
import { randomHistories } from "./histories.ts";
import { failEverywhere, killEverywhere, type Tally } from "./syscalls.ts";

const options = readOptions("test:crash", {
  only: { type: "string", default: "histories,syscalls,errors,disks,kills" },
  kills: { type: "string", default: "10000" },
  histories: { type: "string", default: "100000" },
  seed: { type: "string", default: "1" },
  terminals: { type: "string", default: "2" },
});

/** A rig remembers every secret it has seen and looks for each of them at its end: not too many kills for one. */
const KILLS_A_RIG = 250;

let faults = 0;

const parts: Readonly<Record<string, () => Promise<void>>> = {
  async histories() {
    const { states, recovered, histories, violations } = await randomHistories(
      options.number("histories"),
      options.number("seed"),
    );
    report(
      `${histories} random histories (seed ${options.values.seed}): ${recovered} of ${states} distinct states recovered`,
    );
    blame(violations);
  },

  async syscalls() {
    const why = noStrace();
    if (why !== undefined) return report(`SKIPPED, SIGKILL at every system call: ${why}`);
    const tally = await killEverywhere();
    report(`SIGKILL at every system call: ${killed(tally)}`);
    blame(tally.violations);
  },

  async errors() {
    const why = noStrace();
    if (why !== undefined) return report(`SKIPPED, an error at every system call: ${why}`);
    const tally = await failEverywhere();
    report(`an error at every system call: ${killed(tally)}, ${tally.ended} of them ended the process`);
    blame(tally.violations);
  },

  async disks() {
    for (const disk of disks) {
      const swept = await sweep(disk);
      if (typeof swept === "string") {
        report(`SKIPPED: ${swept}`);
        continue;
      }
      const { steps, kept, refused, violations } = swept;
      report(`a full disk, ${disk}: ${steps - violations.length} of ${steps} steps, ${kept} kept, ${refused} refused`);
      blame(violations);
    }
  },

  async kills() {
    const wanted = options.number("kills");
    let left = wanted;
    let done = 0;
    let promises = 0;
    const terminal = async () => {
      while (left > 0) {
        const times = Math.min(left, KILLS_A_RIG);
        left -= times;
        try {
          await using rig = await openRig();
          const kept = await killAtRandom(rig, times, randomInt);
          promises += kept;
          done += times;
          report(`kill -9 of the agent: ${done} of ${wanted} so far, ${promises} promises kept`);
        } catch (error) {
          blame([String(error)]);
        }
      }
    };
    await Promise.all(Array.from({ length: options.number("terminals") }, terminal));
    await removeFactory();
    report(`kill -9 of the agent at random instants: ${done} of ${wanted}, ${promises} promises kept`);
  },
};

function killed({ runs, fired, violations }: Tally): string {
  return `${fired - violations.length} of ${fired} survived (${runs} runs)`;
}

function blame(violations: readonly string[]): void {
  faults += violations.length;
  for (const violation of violations.slice(0, 20)) report(`FAULT: ${violation}`);
}

function report(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

for (const name of options.values.only.split(",")) {
  const part = parts[name];
  if (!part) throw new Error(`no part is called ${name}; there are ${Object.keys(parts).join(", ")}`);
  const startedAt = performance.now();
  await part();
  report(`${name}: ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
}
report(faults === 0 ? "no fault found" : `${faults} FAULTS`);
process.exitCode = faults === 0 ? 0 : 1;
