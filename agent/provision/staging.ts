import { chmod, chown, mkdir, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { fieldOf } from "../config/keys/schema.ts";
import type { Entropy } from "../entropy.ts";
import { editToml, type TomlValue } from "./edit-toml.ts";
import { installFile, type Owner } from "./key-files.ts";
import { valuesIn } from "./present.ts";

/** A file that goes beside the configuration. */
export interface KeptFile {
  /** Its name there. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly secret: boolean;
}

/** All that is to be written: complete in memory before the first octet is. */
export interface Draft {
  /** Absolute: the main configuration file. */
  readonly target: string;
  readonly text: string;
  readonly files: readonly KeptFile[];
}

export interface Writer {
  readonly owner: Owner;
  readonly entropy: Entropy;
}

/**
 * The draft in a directory of its own beside the configuration, with the drop-ins that apply, so that it can be checked and tried as a
 * whole while nothing of what is in force has changed. Removed by `remove`.
 */
export async function stage(draft: Draft, writer: Writer): Promise<{ readonly file: string; remove(): Promise<void> }> {
  const home = path.dirname(draft.target);
  const directory = path.join(home, `.provision.${writer.entropy.bytes(8).toString("hex")}`);
  await mkdir(directory, { mode: 0o700 });
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    if (writer.owner !== undefined) {
      await chown(directory, 0, writer.owner.gid);
      await chmod(directory, 0o750);
    }
    await symlink(path.join(home, "config.d"), path.join(directory, "config.d"));
    const file = path.join(directory, path.basename(draft.target));
    await write({ ...draft, target: file, text: withAbsolutePaths(draft, home) }, writer);
    return { file, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Keys first, the configuration that names them last: a power cut in between leaves the former one in force. */
export async function write(draft: Draft, { owner, entropy }: Writer): Promise<void> {
  const home = path.dirname(draft.target);
  for (const { name, bytes, secret } of draft.files) {
    await installFile(path.join(home, name), bytes, { secret, owner }, entropy);
  }
  await installFile(draft.target, Buffer.from(draft.text), { secret: false, owner }, entropy);
}

/** Files that are not part of the draft stay where they are; relative paths to them start elsewhere now. */
function withAbsolutePaths({ text, files }: Draft, home: string): string {
  const own = new Set(files.map(({ name }) => name));
  const changes = new Map<string, TomlValue>();
  for (const [key, value] of valuesIn(text)) {
    if (!fieldOf(key)?.isPath || typeof value !== "string") continue;
    if (!path.isAbsolute(value) && !own.has(value)) changes.set(key, path.join(home, value));
  }
  return editToml(text, changes, () => undefined).text;
}
