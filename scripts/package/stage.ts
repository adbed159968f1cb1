import { chmod, copyFile, lstat, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { Entry } from "./manifest.ts";

/** Lays the entries out below `tree` with modes and times that do not depend on who builds, when and with which umask. */
export async function stage(entries: readonly Entry[], tree: string, at: Date): Promise<void> {
  for (const entry of entries) await place(entry, path.join(tree, entry.to));
  for (const file of await everything(tree)) {
    const stat = await lstat(file);
    const mode = stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644;
    await chmod(file, mode);
    await utimes(file, at, at);
  }
}

async function place({ from, text, mode, gzip }: Entry, target: string): Promise<void> {
  if (from === undefined && text === undefined) {
    await mkdir(target, { recursive: true });
    return;
  }
  if (from !== undefined && (await lstat(from)).isDirectory()) {
    for (const name of await readdir(from))
      await place({ to: "", from: path.join(from, name) }, path.join(target, name));
    return;
  }
  await mkdir(path.dirname(target), { recursive: true });
  const content = text ?? (from !== undefined && gzip ? await readFile(from) : undefined);
  if (content !== undefined) await writeFile(target, gzip ? gzipSync(content, { level: 9 }) : content);
  else if (from !== undefined) await copyFile(from, target);
  await chmod(target, mode ?? 0o644);
}

/** The tree and all that is in it, children before their directory, in the order of their names. */
export async function everything(tree: string): Promise<string[]> {
  const entries = await readdir(tree, { withFileTypes: true });
  const nested = await Promise.all(
    entries
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) => {
        const file = path.join(tree, entry.name);
        return entry.isDirectory() ? everything(file) : [file];
      }),
  );
  return [...nested.flat(), tree];
}
