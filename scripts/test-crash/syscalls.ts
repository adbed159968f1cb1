import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { silentLog } from "../../agent/common/log/log.ts";
import { openStore } from "../../agent/store/store.ts";
import { tamper } from "../../test/support/faults/tampered.ts";
import { parts, stateOf } from "../../test/support/fixtures/store-fixture.ts";

const CHILD = path.resolve(import.meta.dirname, "../../test/support/children/store-step-child.ts");
const CALLS = ["openat", "read", "write", "fsync", "close", "link", "rename", "unlink", "getdents64", "statx"] as const;
const CHANGING = ["openat", "write", "fsync", "close", "link", "rename", "unlink"] as const;
const ERRNOS = ["EIO", "ENOSPC", "EROFS", "EDQUOT", "EMFILE", "EACCES", "EINTR"] as const;
const WRITES = 2;
const MOST = 400;
const PATIENCE_MS = 30_000;
const BEGINNINGS = ["nothing", "one state", "two states", "a leftover"] as const;

interface Run {
  readonly lines: readonly string[];
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  /** strace says that it has tampered with a call. */
  readonly fired: boolean;
}

export interface Tally {
  runs: number;
  fired: number;
  /** The error ended the process, as libuv does when it can no longer wake its own loop. */
  ended: number;
  readonly violations: string[];
}

/** SIGKILL at every system call of a start and two writes, one after the other until none is left to be killed at. */
export async function killEverywhere(): Promise<Tally> {
  return await everywhere(BEGINNINGS, CALLS, ["signal=KILL"]);
}

/** Each errno at every one of the calls that open, change or sync something. */
export async function failEverywhere(): Promise<Tally> {
  return await everywhere(
    ["two states"],
    CHANGING,
    ERRNOS.map((errno) => `error=${errno}`),
  );
}

async function everywhere(
  beginnings: readonly (typeof BEGINNINGS)[number][],
  calls: readonly string[],
  faults: readonly string[],
): Promise<Tally> {
  const tally: Tally = { runs: 0, fired: 0, ended: 0, violations: [] };
  const templates = await mkdtemp(path.join(os.tmpdir(), "facepay-begin-"));
  for (const beginning of beginnings) await prepare(path.join(templates, beginning), beginning);
  const jobs = beginnings.flatMap((beginning) =>
    calls.flatMap((call) => faults.map((fault) => ({ beginning, call, fault }))),
  );
  // A child waits more than it works: two at a time.
  const worker = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const { beginning, call, fault } = job;
      for (let when = 1; when <= MOST; when++) {
        const where = `${beginning}: ${fault} at ${call} number ${when}`;
        const again = await attempt(path.join(templates, beginning), `${call}:${fault}:when=${when}`, where, tally);
        if (!again) break;
      }
    }
  };
  await Promise.all([worker(), worker()]);
  await rm(templates, { recursive: true });
  return tally;
}

async function prepare(directory: string, beginning: (typeof BEGINNINGS)[number]): Promise<void> {
  await mkdir(directory, { mode: 0o700 });
  if (beginning === "nothing") return;
  const store = await openStore({ directory, ...parts, log: silentLog });
  await store.write(stateOf(1));
  if (beginning === "two states") await store.write(stateOf(2));
  await store.close();
  if (beginning === "a leftover") {
    await writeFile(path.join(directory, ".state.00ff00ff00ff00ff.tmp"), "half", { mode: 0o600 });
  }
}

/** False when no call was tampered with: there is none of this number. */
async function attempt(template: string, injection: string, where: string, tally: Tally): Promise<boolean> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-step-"));
  try {
    await cp(template, directory, { recursive: true });
    const { lines, fired, signal, code } = await run(directory, injection);
    tally.runs++;
    if (fired) tally.fired++;
    if (fired && signal !== null && !injection.includes("KILL")) tally.ended++;
    const complaint = await judge(directory, template, lines);
    if (complaint !== undefined) tally.violations.push(`${where}: ${complaint} (${lines.join(", ")})`);
    const ended = signal === null ? code === 0 && lines.includes("done") : fired;
    if (!ended) tally.violations.push(`${where}: ended with ${signal ?? code} (${lines.join(", ")})`);
    return fired;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function run(directory: string, injection: string): Promise<Run> {
  // One thread does all the work on files, so that the calls have one order.
  const env = { PATH: process.env.PATH ?? "", UV_THREADPOOL_SIZE: "1" };
  const child = spawn(process.execPath, [CHILD, directory, String(WRITES)], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  child.stdin.on("error", () => undefined);
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  await Promise.race([once(child.stdout, "data"), closed]);
  const tampering = await tamper(child.pid ?? 0, injection);
  child.stdin.write("go\n");
  const [code, signal] = await closed;
  clearTimeout(timer);
  await tampering.ended;
  const fired = signal === "SIGKILL" || tampering.fired;
  return { lines: text.split("\n").filter((line) => line !== ""), code, signal, fired };
}

/** What the next start finds, against what the process had said; undefined when all is well. */
async function judge(directory: string, template: string, lines: readonly string[]): Promise<string | undefined> {
  const before = { nothing: 0, "one state": 1, "two states": 2, "a leftover": 1 }[path.basename(template)] ?? 0;
  const numbers = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.split(" ")[1]));
  const kept = Math.max(before, ...numbers("kept"));
  const tried = Math.max(before, ...numbers("try"));
  for (const again of [false, true]) {
    const store = await openStore({ directory, ...parts, log: silentLog });
    const { state } = store;
    const { loaded, quarantined } = store.status();
    await store.close();
    const what = `found ${state.generation} (${loaded})${again ? " at the second start" : ""}`;
    if (state.generation < kept || state.generation > tried) return `${what}, kept ${kept}, tried ${tried}`;
    if (state.generation > 0 && !isDeepStrictEqual(state, stateOf(state.generation))) return `${what}, not as written`;
    if (loaded !== (state.generation === 0 ? "empty" : "current") || quarantined > 0)
      return `${what}, ${quarantined} aside`;
    const names = (await readdir(directory)).filter((name) => !/^(state(\.prev)?\.sealed|store\.key)$/.test(name));
    if (names.length > 0) return `${what}, left behind ${names.join(" ")}`;
  }
  return undefined;
}
