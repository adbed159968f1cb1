import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);
const PATIENCE_MS = 300_000;

/**
 * Where a package of the lockfile lies. npm installs only those for this machine's processor; one for another is fetched the
 * first time it is wanted, with npm, and taken only if it is what the lockfile says.
 */
export async function packageDirectory(root: string, name: string): Promise<string> {
  const installed = path.join(root, "node_modules", name);
  if (existsSync(installed)) return installed;
  const lock = JSON.parse(await readFile(path.join(root, "package-lock.json"), "utf8"));
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (!version || !integrity) throw new Error(`the lockfile knows no ${name} with an integrity`);
  const cache = path.join(root, "node_modules/.cache/packages");
  const place = path.join(cache, `${name.replace("/", "+")}-${version}`);
  if (existsSync(place)) return place;
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(path.join(cache, "fetched-"));
  try {
    const archive = await fetchPackage(`${name}@${version}`, fresh);
    // Subresource Integrity, as npm writes it.
    const [algorithm = ""] = integrity.split("-");
    const digest = createHash(algorithm)
      .update(await readFile(archive))
      .digest("base64");
    if (`${algorithm}-${digest}` !== integrity) throw new Error(`${name}@${version} is not what the lockfile names`);
    await exec("tar", ["-xzf", archive, "-C", fresh], { timeout: PATIENCE_MS });
    await rename(path.join(fresh, "package"), place);
    return place;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function fetchPackage(spec: string, directory: string): Promise<string> {
  const npm = process.env.npm_execpath;
  const [command, first]: [string, string[]] = npm ? [process.execPath, [npm]] : ["npm", []];
  const wanted = [...first, "pack", spec, "--json", "--pack-destination", directory, "--loglevel=error"];
  const { stdout } = await exec(command, wanted, { timeout: PATIENCE_MS, cwd: directory });
  const [{ filename }] = JSON.parse(stdout);
  return path.join(directory, path.basename(filename));
}
