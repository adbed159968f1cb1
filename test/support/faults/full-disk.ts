import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { silentLog } from "../../../agent/common/log/log.ts";
import { openStore } from "../../../agent/store/store.ts";
import { parts } from "../fixtures/store-fixture.ts";
import { numberedState } from "./crash-subjects.ts";

const OCTETS = 12_000;
const STEP = 512;
/** Twice what one sealed state takes, and a little for what the file system itself needs. */
const MOST_FREE = 36_864;

export interface Sweep {
  readonly steps: number;
  readonly kept: number;
  readonly refused: number;
  readonly violations: readonly string[];
}

const kinds = {
  tmpfs: (directory: string) => run("mount", "-t", "tmpfs", "-o", "size=512k,mode=0755", "tmpfs", directory),
  "tmpfs without inodes": (directory: string) =>
    run("mount", "-t", "tmpfs", "-o", "size=512k,mode=0755,nr_inodes=16", "tmpfs", directory),
  ext4: (directory: string) => {
    const image = `${directory}.image`;
    writeFileSync(image, "");
    truncateSync(image, 4 * 1024 * 1024);
    run("mkfs.ext4", "-q", "-b", "1024", "-m", "0", image);
    run("mount", "-o", "loop", image, directory);
  },
};

export type Disk = keyof typeof kinds;
export const disks = Object.keys(kinds) as Disk[];

/** The sweep over a disk of this kind, or in words why it cannot be mounted here (only root may). */
export async function sweep(disk: Disk): Promise<Sweep | string> {
  const top = mkdtempSync(path.join(os.tmpdir(), "facepay-full-"));
  const directory = path.join(top, "disk");
  mkdirSync(directory);
  try {
    kinds[disk](directory);
  } catch (error) {
    rmSync(top, { recursive: true });
    return `${disk} cannot be mounted here: ${String(error).split("\n")[0]}`;
  }
  try {
    return disk === "tmpfs without inodes" ? await overInodes(directory) : await overOctets(directory);
  } finally {
    run("umount", "-l", directory);
    rmSync(top, { recursive: true });
  }
}

/** Free room from none upwards, a sector at a time. */
async function overOctets(directory: string): Promise<Sweep> {
  const steps: Step[] = [];
  for (let free = 0; free <= MOST_FREE; free += STEP) {
    steps.push(await step(directory, `${free} octets free`, (filler) => fillLeaving(filler, free)));
  }
  return summary(steps);
}

/** Room enough, but no new file can be made; then one, and so on. */
async function overInodes(directory: string): Promise<Sweep> {
  const steps: Step[] = [];
  for (let free = 0; free <= 4; free++) {
    steps.push(
      await step(directory, `${free} inodes free`, (filler) => {
        const made: string[] = [];
        for (let n = 0; make(`${filler}${n}`); n++) made.push(`${filler}${n}`);
        for (const name of made.slice(0, free)) rmSync(name);
      }),
    );
  }
  return summary(steps);
}

interface Step {
  readonly kept: boolean;
  readonly violation: string | undefined;
}

/** A state that is safe, then a disk made full, then another state: the old one or the new one is found, as was said. */
async function step(directory: string, what: string, fill: (filler: string) => void): Promise<Step> {
  const state = path.join(directory, "state");
  const first = await openStore({ directory: state, ...parts, log: silentLog });
  await first.write(numberedState(1, OCTETS));
  const filler = path.join(directory, "filler");
  fill(filler);
  const kept = await first.write(numberedState(2, OCTETS)).then(
    () => true,
    () => false,
  );
  const honest = first.status().dirty === !kept && isDeepStrictEqual(first.state, numberedState(2, OCTETS));
  await first.close();
  const second = await openStore({ directory: state, ...parts, log: silentLog });
  const found = isDeepStrictEqual(second.state, numberedState(kept ? 2 : 1, OCTETS));
  await second.close();
  run("find", directory, "-name", "filler*", "-delete");
  rmSync(state, { recursive: true });
  const violation =
    honest && found ? undefined : `${what}: ${kept ? "kept" : "refused"}, honest ${honest}, found ${found}`;
  return { kept, violation };
}

function fillLeaving(filler: string, free: number): void {
  let size = 0;
  for (let piece = 64 * 1024; piece >= STEP; piece >>= 1) {
    while (append(filler, piece)) size += piece;
    // A failed append may have left a part of itself.
    truncateSync(filler, size);
  }
  truncateSync(filler, Math.max(0, size - free));
  const handle = openSync(filler, "r");
  // ext4 gives blocks back only when it has to write.
  fsyncSync(handle);
  closeSync(handle);
}

function append(file: string, octets: number): boolean {
  try {
    appendFileSync(file, Buffer.alloc(octets, 1), { flush: true });
    return true;
  } catch {
    // ENOSPC, which is what is wanted.
    return false;
  }
}

function make(file: string): boolean {
  try {
    writeFileSync(file, "");
    return true;
  } catch {
    // ENOSPC: no inode is left.
    return false;
  }
}

function summary(steps: readonly Step[]): Sweep {
  const kept = steps.filter((each) => each.kept).length;
  const violations = steps.flatMap(({ violation }) => violation ?? []);
  return { steps: steps.length, kept, refused: steps.length - kept, violations };
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"] });
}
