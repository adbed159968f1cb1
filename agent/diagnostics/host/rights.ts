import { lstat, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { systemCode } from "../../common/errors.ts";
import type { ServiceUser } from "../check.ts";

/** What is wanted of a file: to read it, to write it, or (of a directory) to pass through it or make files in it. */
export type Want = "r" | "w" | "rw" | "x" | "rwx";

export type Access =
  | { readonly kind: "granted" }
  | { readonly kind: "missing"; readonly at: string }
  /** `at` is what bars the way: the file itself, or a directory above it. */
  | { readonly kind: "denied"; readonly at: string; readonly mode: string; readonly uid: number; readonly gid: number }
  /** The calling user may not even look. */
  | { readonly kind: "unknown"; readonly reason: string };

interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whether the service's user may do this, independent of the calling user. Computed from owner, group and mode of the file and of every directory
 * above it, not tried: so it works for a technician who cannot become that user, blocks on nothing, has no effect on a
 * serial line, and names the very directory that bars the way. What it does not see: access control lists, which can only
 * grant more or less than the mode says on a terminal that somebody has set up so by hand.
 */
export async function accessOf(user: ServiceUser, file: string, want: Want): Promise<Access> {
  try {
    const real = await realpath(file);
    for (const directory of ancestors(real)) {
      const found = await stat(directory);
      if (!allows(found, user, "x")) return denied(directory, found);
    }
    const found = await stat(real);
    return allows(found, user, want) ? { kind: "granted" } : denied(real, found);
  } catch (error) {
    return await unresolved(file, error);
  }
}

/** unix permissions, as path_resolution(7) says: root may do everything except execute a file without any x bit. */
export function allows({ mode, uid, gid }: Owned, user: ServiceUser, want: Want): boolean {
  const asked = (want.includes("r") ? 4 : 0) | (want.includes("w") ? 2 : 0) | (want.includes("x") ? 1 : 0);
  if (user.uid === 0) return (asked & 1) === 0 || (mode & 0o170000) === 0o040000 || (mode & 0o111) !== 0;
  // The first class that fits decides: an owner whom the mode bars is not let in as one of the group.
  const shift = uid === user.uid ? 6 : gid === user.gid || user.gids.includes(gid) ? 3 : 0;
  return ((mode >> shift) & asked) === asked;
}

/** Every directory that has to be passed, from the root down. */
export function ancestors(file: string): string[] {
  const directories: string[] = [];
  for (let at = path.dirname(path.resolve(file)); ; at = path.dirname(at)) {
    directories.unshift(at);
    if (at === path.dirname(at)) return directories;
  }
}

function denied(at: string, { mode, uid, gid }: Owned): Access {
  return { kind: "denied", at, mode: octal(mode), uid, gid };
}

export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

async function unresolved(file: string, error: unknown): Promise<Access> {
  const code = systemCode(error) ?? "unknown error";
  if (code !== "ENOENT" && code !== "ENOTDIR") return { kind: "unknown", reason: code };
  // Which part is missing, so that the technician looks at the right place.
  for (const at of [...ancestors(file), path.resolve(file)]) {
    const there = await lstat(at).then(
      () => true,
      () => false,
    );
    if (!there) return { kind: "missing", at };
  }
  return { kind: "missing", at: file };
}
