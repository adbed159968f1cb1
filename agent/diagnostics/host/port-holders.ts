import type { Stats } from "node:fs";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import path from "node:path";
import type { PortHolder } from "../../common/failure-params.ts";

export interface OpenersReading {
  /** Others than this process, the agent, and who plays the bridge on a pseudo-terminal. */
  readonly others: readonly PortHolder[];
  /** The agent has it open. */
  readonly agent: boolean;
  /** Processes whose files may not be looked at: without root those of other users. */
  readonly hidden: number;
}

export interface OpenersOptions {
  /** The running agent's, where that is known. */
  readonly agentPid: number | undefined;
  readonly root?: string;
}

/** Who has the device open, by /proc: node-serialport's lock keeps out only those who take it, too (flock, no TIOCEXCL). */
export async function readOpeners(device: string, { agentPid, root = "/" }: OpenersOptions): Promise<OpenersReading> {
  const proc = path.join(root, "proc");
  const [wanted, names] = await Promise.all([stat(device), readdir(proc)]);
  const ptsNumber = /^\/dev\/pts\/(\d+)$/.exec(device)?.[1];
  const others: PortHolder[] = [];
  let agent = false;
  let hidden = 0;
  for (const name of names.filter((each) => /^\d+$/.test(each))) {
    const files = await openFiles(path.join(proc, name));
    if (files === undefined) hidden++;
    else if (await holds(files, wanted)) {
      if (Number(name) === process.pid) continue;
      if (Number(name) === agentPid) agent = true;
      else if (!(await isMaster(files, ptsNumber)))
        others.push({ pid: Number(name), ...(await whatIs(path.join(proc, name))) });
    }
  }
  return { others, agent, hidden };
}

const SECOND_LOOK_MS = 150;

/** Those who keep it: a program that has just been forked holds, for a moment, what its parent holds. */
export async function readHolders(
  device: string,
  options: OpenersOptions,
  wait: (ms: number) => Promise<void>,
): Promise<Pick<OpenersReading, "others" | "hidden">> {
  const first = await readOpeners(device, options);
  if (first.others.length === 0) return first;
  await wait(SECOND_LOOK_MS);
  const { others, hidden } = await readOpeners(device, options);
  return { hidden, others: others.filter(({ pid }) => first.others.some((before) => before.pid === pid)) };
}

interface OpenFile {
  /** /proc/PID/fd/N. */
  readonly link: string;
  readonly target: string;
}

/** Undefined for a process that may not be looked at; empty for one that has ended. */
async function openFiles(directory: string): Promise<OpenFile[] | undefined> {
  try {
    const names = await readdir(path.join(directory, "fd"));
    const files = names.map(async (name) => {
      const link = path.join(directory, "fd", name);
      return { link, target: await readlink(link).catch(() => "") };
    });
    return await Promise.all(files);
  } catch (error) {
    return (error as { code?: unknown }).code === "EACCES" ? undefined : [];
  }
}

async function holds(files: readonly OpenFile[], wanted: Stats): Promise<boolean> {
  for (const { link, target } of files) {
    if (!target.startsWith("/dev/")) continue;
    const found = await stat(link).catch(() => undefined);
    if (found?.isCharacterDevice() && isSame(found, wanted)) return true;
  }
  return false;
}

/** Majors of Unix98 pseudo-terminals (Documentation/admin-guide/devices.txt). */
const FIRST_PTS = 136;
const LAST_PTS = 143;

/** The number says which device it is; but each container counts its own pseudo-terminals from 0. */
function isSame(one: Stats, other: Stats): boolean {
  const major = (other.rdev >> 8) & 0xfff;
  if (one.rdev !== other.rdev) return false;
  return major < FIRST_PTS || major > LAST_PTS || (one.dev === other.dev && one.ino === other.ino);
}

/** The process at the other end of a pseudo-terminal is the bridge, not a second opener. */
async function isMaster(files: readonly OpenFile[], ptsNumber: string | undefined): Promise<boolean> {
  if (ptsNumber === undefined) return false;
  for (const { link, target } of files) {
    if (!/^\/dev\/(pts\/)?ptmx$/.test(target)) continue;
    const info = await readFile(link.replace("/fd/", "/fdinfo/"), "utf8").catch(() => "");
    if (new RegExp(`^tty-index:\\s*${ptsNumber}$`, "m").test(info)) return true;
  }
  return false;
}

const AGENT = "facepay-agent";
const PACKAGED = "/etc/facepay-agent/config.toml";

/** "Stop facepay-agent" would be no help on a terminal where one is wanted: which of them it is. */
async function whatIs(directory: string): Promise<Omit<PortHolder, "pid">> {
  const name = await nameOf(directory);
  if (name !== AGENT) return { name };
  const read = (file: string) => readFile(path.join(directory, file), "utf8").catch(() => "");
  const cwd = await readlink(path.join(directory, "cwd")).catch(() => "/");
  const unit = /\/([^/\n]+\.service)$/m.exec(await read("cgroup"))?.[1];
  const config = path.resolve(cwd, configIn(await read("cmdline")) ?? PACKAGED);
  return { name, config, ...(unit === undefined ? {} : { unit }) };
}

/** Pure: of "node\0facepay-agent.js\0run\0--config\0/etc/x.toml". */
function configIn(cmdline: string): string | undefined {
  const words = cmdline.split("\0");
  const at = words.findIndex((word) => word === "--config" || word.startsWith("--config="));
  if (at < 0) return undefined;
  return words[at]?.slice("--config=".length) || words[at + 1];
}

async function nameOf(directory: string): Promise<string> {
  const read = (name: string) => readFile(path.join(directory, name), "utf8").catch(() => "?");
  const comm = await read("comm");
  // Node 24 gives every program this name; what it runs is called by its script.
  const name = comm.trim() === "MainThread" ? scriptIn(await read("cmdline")) : comm;
  return name.replace(/[\p{C}]+/gu, " ").trim();
}

/** Pure: "facepay-agent" out of "node\0--flag\0/usr/lib/facepay-agent/facepay-agent.cjs\0run". */
function scriptIn(cmdline: string): string {
  const words = cmdline.split("\0");
  const script = words.find((word) => /\.[cm]?[jt]s$/.test(word)) ?? words[0] ?? "?";
  return path.parse(script).name;
}

/** Programs that take every new serial port for a modem or a Braille display. */
const PROBERS = ["ModemManager", "brltty"];

/** Those of them that run. */
export async function runningProbers(root = "/"): Promise<PortHolder[]> {
  const proc = path.join(root, "proc");
  const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name));
  const named = await Promise.all(
    pids.map(async (pid) => ({ pid: Number(pid), name: await nameOf(path.join(proc, pid)) })),
  );
  return named.filter(({ name }) => PROBERS.includes(name));
}

/** Whether udev keeps ModemManager away from the device (`ID_MM_DEVICE_IGNORE`, `ID_MM_PORT_IGNORE`). */
export async function isIgnored(device: string, root = "/"): Promise<boolean> {
  const { rdev } = await stat(device);
  // As glibc's major(3) and minor(3), for numbers that a tty has.
  const name = `c${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`;
  const text = await readFile(path.join(root, "run/udev/data", name), "utf8").catch(() => "");
  return /^E:ID_MM_(DEVICE|PORT)_IGNORE=1$/m.test(text);
}
