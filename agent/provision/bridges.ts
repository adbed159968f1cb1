import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { UsbDevice } from "../../drivers/line/serial-lookup.ts";

/** A line on which a bridge may be. */
export interface Candidate {
  readonly type: "serial" | "socket";
  readonly path: string;
}

/** A bridge's name and version, or the code of what came instead. */
export type Greeting = { readonly bridge: string; readonly deviceId?: string } | { readonly code: string };

export type Answer = Greeting & { readonly candidate: Candidate };

/** Asks one candidate, in bounded time; gives its line back before it resolves. */
export type AskBridge = (candidate: Candidate) => Promise<Greeting>;

/** Where the packaged reference bridge listens. */
const PACKAGED_BRIDGE = "run/facepay-bridge/bridge.sock";
/** Serial lines of boards. A ttyS is there on every PC, mostly with nothing behind it: it has to be named. */
const ON_BOARD = /^tty(AMA|mxc)\d+$/;

/**
 * Where a bridge may be: serial adapters, by the name that stays when they are plugged in anew, serial lines of the board but for the
 * consoles of this machine, and the packaged bridge's socket. `root` is "/" but for tests.
 */
export async function candidates(adapters: readonly UsbDevice[], root = "/"): Promise<Candidate[]> {
  const consoles = await consolesOf(root);
  const onBoard = (await entries(path.join(root, "dev"))).filter(
    (name) => ON_BOARD.test(name) && !consoles.includes(name),
  );
  const lines = [
    ...adapters.map(({ byId, tty }) => byId ?? tty),
    ...onBoard.map((name) => path.join(root, "dev", name)),
  ];
  const serial = lines.sort().map((line): Candidate => ({ type: "serial", path: line }));
  const socket = path.join(root, PACKAGED_BRIDGE);
  const kind = await kindOf(socket);
  return kind === "socket" ? [...serial, { type: "socket", path: socket }] : serial;
}

/** What stands at a path; undefined for nothing, or for what is no line at all. */
export async function kindOf(line: string): Promise<Candidate["type"] | undefined> {
  const found = await stat(line).catch(() => undefined);
  if (found?.isSocket()) return "socket";
  return found?.isCharacterDevice() ? "serial" : undefined;
}

/** One after the other: two openings of one line, under two names, would disturb each other. */
export async function askAll(found: readonly Candidate[], ask: AskBridge): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const candidate of found) answers.push({ ...(await ask(candidate)), candidate });
  return answers;
}

async function consolesOf(root: string): Promise<string[]> {
  const text = await readFile(path.join(root, "proc/consoles"), "utf8").catch(() => "");
  return text.split("\n").map((line) => line.split(/\s/)[0] ?? "");
}

async function entries(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}
