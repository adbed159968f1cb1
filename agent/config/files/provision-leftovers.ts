import { lstat, readdir, rm, unlink } from "node:fs/promises";
import path from "node:path";
import { isTemporaryName } from "../../common/files/file-system.ts";

/** What a set-up that was killed has left beside the configuration: half a file, or, of a former version, a directory. Either may hold a key. */
export async function leftoversIn(home: string): Promise<string[]> {
  const names = await readdir(home).catch(() => []);
  return names
    .filter((name) => isTemporaryName(name) || /^\.provision\.[0-9a-f]+$/.test(name))
    .map((name) => path.join(home, name));
}

/**
 * Best effort: diagnose tells of what stays (cfg.perms), as where the packaged service may not write beside its configuration. A directory of
 * another user, as in /tmp, is left alone: who may exchange what is in it could choose what is deleted with our rights.
 */
export async function removeLeftovers(home: string): Promise<void> {
  const self = process.geteuid?.();
  for (const place of await leftoversIn(home)) {
    try {
      const found = await lstat(place);
      if (!found.isDirectory()) await unlink(place);
      else if (found.uid === 0 || found.uid === self) await rm(place, { recursive: true });
    } catch {
      // It has gone, or may not be removed.
    }
  }
}
