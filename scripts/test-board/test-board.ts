/**
 * `npm run test:board [-- --board cortex-a53|cortex-a76|amd64|all] [--keep]`: the package on emulated boards with kernels of
 * their own, a USB serial adapter and a UART at whose other ends is the simulated bridge. Debian 12 (systemd 252) on two ARM
 * processors, Debian 11 (systemd 247) on amd64. Needs root, debootstrap and QEMU; no KVM. The first run makes the Debians (half
 * an hour), each board then takes some ten minutes. Every fact is printed; the exit code is 1 when one does not hold.
 */
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { readOptions } from "../read-options.ts";
import { kill } from "../test-boot/stories.ts";
import {
  type Architecture,
  debianWithKernel,
  kernelOf,
  ownArchitecture,
  qemuUserOf,
  require,
  tell,
  workDirectory,
} from "../test-machines/debian.ts";
import { Report, summaryOf } from "../test-machines/report.ts";
import { buildPackage } from "../test-machines/terminal.ts";
import { purge, updates } from "../test-machines/updates.ts";
import { qemuOf } from "../test-machines/vm.ts";
import { Board, type BoardOptions } from "./board.ts";
import { makeDisk } from "./disk.ts";
import {
  afterPowerCut,
  bridgeIsBack,
  calm,
  firstBoot,
  hotPlug,
  hurry,
  type Kept,
  lateCamera,
  overUart,
  purged,
  refusedByUnit,
} from "./stories.ts";

const boards = {
  "cortex-a53": { architecture: "arm64", cpu: "cortex-a53", debian: "12", systemd: "252" },
  "cortex-a76": { architecture: "arm64", cpu: "cortex-a76", debian: "12", systemd: "252" },
  amd64: { architecture: "amd64", cpu: "qemu64", debian: "11", systemd: "247" },
} as const;
type BoardName = keyof typeof boards;
const names = Object.keys(boards) as BoardName[];

const { values } = readOptions("test:board", {
  board: { type: "string", default: "all", choices: [...names, "all"] },
  keep: { type: "boolean", default: false },
});
const chosen = values.board === "all" ? names : [values.board];
const architectures = [...new Set(chosen.map((name) => boards[name].architecture))];
const foreign = architectures.find((architecture) => architecture !== ownArchitecture);
const qemuPackages = { amd64: "qemu-system-x86", arm64: "qemu-system-arm" };
require("npm run test:board", {
  debootstrap: "debootstrap",
  "mkfs.ext4": "e2fsprogs",
  "dpkg-deb": "dpkg",
  ...Object.fromEntries(architectures.map((architecture) => [qemuOf(architecture), qemuPackages[architecture]])),
  ...(foreign ? { "update-binfmts": "binfmt-support", [`${qemuUserOf(foreign)}-static`]: "qemu-user-static" } : {}),
}, foreign);

const READERS = { count: 2, pauseMs: 100 };

async function booted<T>(options: BoardOptions, tellStory: (board: Board) => Promise<T>): Promise<T> {
  const board = await Board.boot(options);
  try {
    return await tellStory(board);
  } finally {
    await board.cut();
  }
}

/** The life of one terminal: image, first power on, faults of every day, power cut, cables, update, removal. */
async function live(name: BoardName, work: string, debs: Readonly<Record<"older" | "newer", string>>, report: Report) {
  const { architecture, cpu, debian, systemd } = boards[name];
  const directory = path.join(work, name);
  await mkdir(directory);
  const base = await debianWithKernel(debian, architecture, "all");
  tell(`${name}: its disk ...`);
  const disk = path.join(directory, "disk.img");
  await makeDisk(base, { root: path.join(directory, "root"), disk }, debs);
  const options = { ...kernelOf(base), disk, architecture, cpu, directory };
  let promised: Kept | undefined;
  tell(`${name}: power on, adapter plugged in ...`);
  await booted({ ...options, plugged: true }, async (board) => {
    const kept = await firstBoot(board, report, systemd);
    await kill(board, report, kept);
    await overUart(board, report);
    await refusedByUnit(board, report);
    promised = await hurry(board);
  });
  tell(`${name}: the power was cut; on again, adapter not plugged in ...`);
  await booted({ ...options, plugged: false }, async (board) => {
    if (promised) await afterPowerCut(board, report, promised);
    await hotPlug(board, report);
    await lateCamera(board, report);
    await calm(board);
    await updates(board, report, { older: path.basename(debs.older), newer: path.basename(debs.newer) }, READERS);
    await bridgeIsBack(board, report);
    await purge(board);
    await purged(board, report);
  });
  if (!values.keep) await rm(directory, { recursive: true });
}

const work = workDirectory("board", values.keep);
const reports = new Map<BoardName, Report>();
const packages = new Map<Architecture, Readonly<Record<"older" | "newer", string>>>();
for (const architecture of architectures) {
  tell(`two versions of the package for ${architecture} ...`);
  const older = buildPackage(work, "0.1.0", { architecture });
  packages.set(architecture, { older, newer: buildPackage(work, "0.2.0~test", { architecture, compression: "none" }) });
}
for (const name of chosen) {
  const report = new Report();
  reports.set(name, report);
  const debs = packages.get(boards[name].architecture);
  if (debs === undefined) throw new Error("unreachable");
  try {
    await live(name, work, debs, report);
  } catch (error) {
    report.check(false, `${name}: the story came to its end (${error instanceof Error ? error.message : error})`);
  }
}
const lines = [...reports].flatMap(([name, { facts }]) =>
  facts.map(({ holds, fact }) => `| ${name} | ${holds ? "holds" : "FAULT"} | ${fact.split("\n")[0]} |`),
);
process.stdout.write(["| board | | fact |", "| --- | --- | --- |", ...lines, ""].join("\n"));
const all = [...reports.values()].flatMap(({ facts }) => facts);
process.stdout.write(`${summaryOf(all)}\n`);
process.exitCode = all.every(({ holds }) => holds) ? 0 : 1;
