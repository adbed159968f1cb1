import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { chmod, copyFile, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const root = path.resolve(import.meta.dirname, "../../..");

/** Somebody else on this terminal. */
export interface Somebody {
  readonly uid: number;
  /** All groups he is in; the first is his own. */
  readonly groups: readonly [number, ...number[]];
}

/** What he met with: the answer's status and body, or the code of the system's refusal. */
export interface Met {
  readonly status?: number;
  readonly text: string;
}

/** Why nobody else can be played here; undefined when this process may change users and they can reach temporary files. */
export const noOtherUsers: string | undefined = hindrance();

function hindrance(): string | undefined {
  if (process.geteuid?.() !== 0) return "playing another user needs root";
  const closed = upwards(os.tmpdir()).find((directory) => (statSync(directory).mode & 0o001) === 0);
  return closed === undefined
    ? undefined
    : `playing another user needs a temporary directory that others reach: ${closed}`;
}

function upwards(directory: string): string[] {
  const parent = path.dirname(directory);
  return parent === directory ? [directory] : [directory, ...upwards(parent)];
}

/** The bundled program and the Node for it, for everybody to run. */
export interface ProgramForAll extends AsyncDisposable {
  readonly node: string;
  readonly program: string;
}

/** In a directory of its own: the project may be closed to others, as a clone in root's home is. */
export async function programForAll(): Promise<ProgramForAll> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-for-all-"));
  const node = path.join(directory, "node");
  const place = path.join(directory, "program");
  await promisify(execFile)(process.execPath, [path.join(root, "scripts/build.ts"), "--out", place]);
  await copyFile(process.execPath, node);
  for (const opened of [directory, node]) await chmod(opened, 0o755);
  return {
    node,
    program: path.join(place, "facepay-agent.cjs"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

const child = new URL("./as-user-child.ts", import.meta.url);

/** Does each of these as that user, in a process that has given up everything else before: "GET <socket> <target>" or "read <file>". */
export async function as(somebody: Somebody, deeds: readonly string[]): Promise<Met[]> {
  const process = fork(child, { execArgv: [], env: {} });
  process.send({ somebody, deeds });
  const [answer] = await once(process, "message");
  await once(process, "exit");
  return answer as Met[];
}
