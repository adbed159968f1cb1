import { createHash } from "node:crypto";
import { closeSync, constants, openSync, readdirSync, readSync, statSync } from "node:fs";
import module from "node:module";
import path from "node:path";
import { readGuarded } from "../common/files/guarded-file.ts";
import { readSources } from "./files/sources.ts";
import type { LoadedConfig } from "./load.ts";
import type { Environment } from "./settings.ts";

/** A check that may be kept for the next start: where it belongs, and what it depends on. */
export interface Check {
  /** A digest of everything the check looks at, files it is led to apart; undefined when nothing can be kept. */
  readonly mark?: string;
  readonly place?: string;
  /** What the same check found the last time; undefined when something is different now, or nothing is kept. */
  readonly found?: LoadedConfig;
}

interface Kept {
  readonly mark: string;
  /** Files the check was led to by the configuration, with a digest of what they held. */
  readonly witnesses: readonly (readonly [file: string, digest: string])[];
  readonly loaded: LoadedConfig;
}

const LARGEST = 512 * 1024;
const LARGEST_WITNESS = 64 * 1024;
/** What of the environment counts, besides every FACEPAY_*. */
const COUNTS = ["https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"];
const GROUP_FILE = "/etc/group";

/**
 * Looks for the outcome of an earlier check of exactly these texts, in this environment, by this program. A start need not
 * check again what has not changed: reading TOML and the tables of keys costs more than all the rest before the sockets
 * open. It is kept beside the compile cache and believed as that is: whoever can write there can write our code. The
 * files with keys and certificates are no part of it; they are looked at in every start.
 * @param directory where outcomes are kept; undefined keeps none
 */
export function recallCheck(
  file: string,
  env: Environment,
  directory: string | undefined = module.getCompileCacheDir(),
): Check {
  if (directory === undefined) return {};
  const mainFile = path.resolve(file);
  // One of 256 names, so that agents side by side (in tests) seldom displace each other's and the files stay few.
  const place = path.join(directory, `configuration-${sha256(mainFile).slice(0, 2)}.json`);
  const mark = markOf(mainFile, env);
  if (mark === undefined) return {};
  const kept = readKept(place);
  if (kept?.mark !== mark) return { mark, place };
  for (const [witness, digest] of kept.witnesses) {
    if (sha256(readWitness(witness)) !== digest) return { mark, place };
  }
  return { mark, place, found: kept.loaded };
}

/** Keeps a good outcome. To be called when nobody waits. A failure costs the next start a few milliseconds, nothing else. */
export async function keepCheck(check: Check, loaded: LoadedConfig): Promise<void> {
  const { mark, place, found } = check;
  if (mark === undefined || place === undefined || found !== undefined) return;
  const witnesses: [string, string][] = [];
  for (const [witness, holds] of witnessesOf(loaded)) {
    const content = readWitness(witness);
    // It has changed since the check: the outcome is of yesterday.
    if (!content.includes(holds)) return;
    witnesses.push([witness, sha256(content)]);
  }
  const text = JSON.stringify({ mark, witnesses, loaded }, (_key, value: unknown) =>
    value instanceof Map ? { entries: [...value] } : value,
  );
  try {
    // Loaded only now: a start that finds an outcome writes nothing.
    const { replaceFile } = await import("../common/files/replace-file.ts");
    // Under one temporary name: what a killed agent has left half-written is removed by the next one.
    await replaceFile(place, text, { mode: 0o600 });
  } catch {
    // A read-only or full disk: the next start checks again.
    return;
  }
}

function markOf(mainFile: string, env: Environment): string | undefined {
  const { present, texts, problems } = readSources(mainFile);
  if (!present || problems.length > 0) return undefined;
  const code = program();
  if (code === undefined) return undefined;
  const counts = Object.entries(env).filter(([name]) => name.startsWith("FACEPAY_") || COUNTS.includes(name));
  counts.sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([code, mainFile, texts, counts]));
}

/** The bundled program's first file: its name holds a digest of the program (scripts/build/bundle.ts). */
const BUNDLE = /^agent-[0-9a-f]{16}\.cjs$/;

/** Changes with the code of the check: in a checkout by its files, in a package by the bundle. Undefined when unknown. */
function program(): unknown {
  const own = path.basename(import.meta.filename);
  if (BUNDLE.test(own)) return own;
  try {
    return filesUnder(import.meta.dirname);
  } catch {
    // A file that vanished in between, or code that lies in no directory: then nothing is kept.
    return undefined;
  }
}

/** Every file with its size and time. `readdir` can go down by itself, but takes half a millisecond longer. */
function filesUnder(directory: string): unknown[] {
  return readdirSync(directory).flatMap((name) => {
    const file = path.join(directory, name);
    const stat = statSync(file);
    return stat.isDirectory() ? filesUnder(file) : [[file, stat.size, stat.mtimeMs]];
  });
}

function readKept(place: string): Kept | undefined {
  const guard = { secret: true, most: LARGEST, uid: process.geteuid?.(), credentialsDirectory: undefined };
  const read = readGuarded(place, guard);
  if (!read.ok) return undefined;
  try {
    const { mark, witnesses, loaded } = JSON.parse(read.bytes.toString("utf8"));
    const { named, origins, ...rest } = loaded;
    return { mark, witnesses, loaded: { ...rest, named: new Map(named.entries), origins: new Map(origins.entries) } };
  } catch {
    // Half a file: worth as much as none.
    return undefined;
  }
}

/** What a file of the configuration's choice holds; nothing when it cannot be read. */
function readWitness(file: string): Buffer {
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(LARGEST_WITNESS);
      return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    // An outcome that needed it was kept with its content, which differs.
    return Buffer.alloc(0);
  }
}

/** The files beside the texts that a good outcome rests on, and what was found in them. */
function witnessesOf({ config, effective }: LoadedConfig): [file: string, holds: string][] {
  const found: [string, string][] = [];
  const deviceIdFile = effective.find(({ key }) => key === "identity.device_id_file")?.value;
  if (typeof deviceIdFile === "string") found.push([deviceIdFile, config.identity.deviceId ?? ""]);
  // Where the names of groups are looked up.
  if (effective.some(({ key }) => key.endsWith("group"))) found.push([GROUP_FILE, ""]);
  return found;
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
