import { constants } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { systemCode } from "../errors.ts";

export interface FileRights {
  readonly mode: number;
  readonly gid?: number;
}

/**
 * Writes a file that others read, so that they find the old text or the new one, never a part, and never a moment with
 * wider rights. Not for state: nothing is flushed to the disk, for what is written here is written anew after a start.
 * One writer per path.
 */
export async function replaceFile(path: string, text: string, { mode, gid }: FileRights): Promise<void> {
  const temporary = `${path}.tmp`;
  const handle = await openFresh(temporary);
  try {
    try {
      await handle.writeFile(text);
      if (gid !== undefined) await handle.chown(-1, gid);
      await handle.chmod(mode);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await remove(temporary);
    throw error;
  }
}

/** O_EXCL follows no symlink that somebody may have put there; what a killed writer left is removed first. */
async function openFresh(path: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    await unlink(path);
    return await open(path, flags, 0o600);
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    // The reason why the file could not be replaced is the one to report, unless this is another one.
    if (systemCode(error) !== "ENOENT" && systemCode(error) !== "EROFS") throw error;
  }
}
