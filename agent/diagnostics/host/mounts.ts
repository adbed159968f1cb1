import { readFile, realpath } from "node:fs/promises";
import path from "node:path";

export interface Mount {
  readonly point: string;
  readonly type: string;
  readonly source: string;
  readonly readOnly: boolean;
}

/** Pure: the mount that holds an absolute path, out of the text of /proc/self/mountinfo (proc(5)). */
export function mountOf(mountinfo: string, file: string): Mount | undefined {
  let found: Mount | undefined;
  for (const line of mountinfo.split("\n")) {
    const [own = "", rest = ""] = line.split(" - ");
    const [, , , , point, options = ""] = own.split(" ");
    const [type = "", source = "", superOptions = ""] = rest.split(" ");
    if (point === undefined) continue;
    const at = plain(point);
    // The last one that covers it is on top.
    if (!covers(at, file) || (found !== undefined && at.length < found.point.length)) continue;
    const readOnly = [options, superOptions].some((list) => list.split(",").includes("ro"));
    found = { point: at, type, source: plain(source), readOnly };
  }
  return found;
}

/** The mount below a path that may not exist yet: then of the nearest directory above it. */
export async function findMount(file: string): Promise<Mount | undefined> {
  const text = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  return mountOf(text, await nearest(file));
}

/** The path itself, or the nearest directory above it that exists; symbolic links followed. */
export async function nearest(file: string): Promise<string> {
  for (let at = path.resolve(file); ; at = path.dirname(at)) {
    const real = await realpath(at).catch(() => undefined);
    if (real !== undefined) return real;
    if (at === path.dirname(at)) return at;
  }
}

function covers(point: string, file: string): boolean {
  return point === "/" || file === point || file.startsWith(`${point}/`);
}

/** Space, tab, line feed and backslash stand there as octal numbers. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
