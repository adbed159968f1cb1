import path from "node:path";
import type { Random } from "../common/random.ts";
import type { Trial } from "../diagnostics/check.ts";
import { installFile, type Owner } from "./key-files.ts";

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
  readonly random: Random;
}

/** The draft as it is checked and tried: out of memory, so that whatever ends the trial leaves no copy of a key on the disk. */
export function onTrial({ target, text, files }: Draft): Trial {
  const home = path.dirname(target);
  return { text, files: new Map(files.map(({ name, bytes }) => [path.join(home, name), bytes])) };
}

/** Keys first, the configuration that names them last: a power cut in between leaves the former one in force. */
export async function write(draft: Draft, { owner, random }: Writer): Promise<void> {
  const home = path.dirname(draft.target);
  for (const { name, bytes, secret } of draft.files) {
    await installFile(path.join(home, name), bytes, { secret, owner }, random);
  }
  await installFile(draft.target, Buffer.from(draft.text), { secret: false, owner }, random);
}
