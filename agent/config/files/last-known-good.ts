import path from "node:path";
import { AgentError, systemCode } from "../../common/errors.ts";
import { type FileSystem, nodeFileSystem, replaceDurably } from "../../common/files/file-system.ts";
import { readGuarded } from "../../common/files/guarded-file.ts";
import { type Random, systemRandom } from "../../common/random.ts";
import type { Memory } from "../effective.ts";
import type { LoadResult } from "../load.ts";
import type { Environment } from "../settings.ts";

const NAME = "config.remembered.json";
const FORMAT = 1;
const LARGEST = 512 * 1024;

/**
 * Keeps a valid configuration in the state directory (specification 1), durably and mode 0600, for the day when the present one
 * is not valid. Writes nothing when it is there already, to spare the flash. Rejects with STORE_WRITE.
 */
export async function saveLastKnownGood(
  directory: string,
  loaded: { readonly hash: string; readonly memory: Memory },
  random: Random = systemRandom,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const { hash, memory } = loaded;
  const file = path.join(directory, NAME);
  const bytes = Buffer.from(`${JSON.stringify({ format: FORMAT, hash, ...memory }, undefined, 1)}\n`);
  if (readPresent(file)?.equals(bytes)) return;
  try {
    await replaceDurably(fileSystem, file, bytes, { what: "config", random: random.bytes(8) });
  } catch (error) {
    const errno = systemCode(error) ?? "unknown error";
    throw new AgentError("STORE_WRITE.config", { directory, errno }, { cause: error });
  }
}

/**
 * The remembered configuration, through all the checks of a present one; undefined when there is none or it cannot be
 * read. Of `env` only systemd's directories count: the rest is remembered.
 */
export async function readLastKnownGood(directory: string, env: Environment): Promise<LoadResult | undefined> {
  const file = path.join(directory, NAME);
  const bytes = readPresent(file);
  if (bytes === undefined) return undefined;
  const [{ isTable }, { checkLayers }] = await Promise.all([import("../keys/fields.ts"), import("../load.ts")]);
  const memory = parseMemory(bytes, isTable);
  if (memory === undefined) return undefined;
  const { STATE_DIRECTORY, CREDENTIALS_DIRECTORY } = env;
  return await checkLayers([{ table: memory.settings, directory, originOf: () => file }], {
    mainFile: file,
    files: [],
    env: { ...memory.environment, STATE_DIRECTORY, CREDENTIALS_DIRECTORY },
    problems: [],
  });
}

type IsTable = (value: unknown) => value is Readonly<Record<string, unknown>>;

function parseMemory(bytes: Buffer, isTable: IsTable): Memory | undefined {
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString("utf8"));
  } catch {
    // Damaged: worth as much as none. The caller says that nothing is remembered.
    return undefined;
  }
  if (!isTable(content) || content.format !== FORMAT || !isTable(content.settings)) return undefined;
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(isTable(content.environment) ? content.environment : {})) {
    if (typeof value === "string") environment[name] = value;
  }
  return { settings: content.settings, environment };
}

/** Only a file that is ours or root's and closed to everyone else is believed. */
function readPresent(file: string): Buffer | undefined {
  const guard = { secret: true, most: LARGEST, uid: process.geteuid?.(), credentialsDirectory: undefined };
  const read = readGuarded(file, guard);
  return read.ok ? read.bytes : undefined;
}
