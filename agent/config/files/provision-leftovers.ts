import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { isTemporaryName } from "../../common/files/file-system.ts";

/** What a set-up that was killed has left beside the configuration: half a file, or, of a former version, a directory. Either may hold a key. */
export async function leftoversIn(home: string): Promise<string[]> {
  const names = await readdir(home).catch(() => []);
  return names
    .filter((name) => isTemporaryName(name) || /^\.provision\.[0-9a-f]+$/.test(name))
    .map((name) => path.join(home, name));
}

/** Best effort: diagnose tells of what stays (cfg.perms). */
export async function removeLeftovers(home: string): Promise<void> {
  for (const place of await leftoversIn(home)) await rm(place, { recursive: true, force: true }).catch(() => undefined);
}
