import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Metafile } from "esbuild";

/** An npm package of which something is in the program. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX, as the package itself says. */
  readonly license: string;
  /** Of the archive on the registry, from the lockfile. */
  readonly integrity?: string;
  readonly directory: string;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

/** The packages whose code has come through into the outputs, sorted by name and version. */
export async function packagesIn({ outputs }: Metafile, root: string): Promise<BundledPackage[]> {
  const lock: Lock = JSON.parse(await readFile(path.join(root, "package-lock.json"), "utf8"));
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  // Those with a namespace, "name:", are made by the build.
  const files = inputs.filter(([file, { bytesInOutput }]) => bytesInOutput > 0 && file.includes("node_modules/"));
  const found = new Map<string, BundledPackage>();
  for (const [file] of files) {
    const described = await packageOf(path.resolve(root, file));
    const { name, version } = described;
    const locked = Object.entries(lock.packages).find(
      ([place, entry]) => place.endsWith(`node_modules/${name}`) && entry.version === version,
    );
    const integrity = locked?.[1].integrity;
    found.set(`${name} ${version}`, { ...described, ...(integrity === undefined ? {} : { integrity }) });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, described]) => described);
}

/** The nearest package.json that names a package: some have a second one inside, for the type of its files alone. */
async function packageOf(file: string): Promise<BundledPackage> {
  for (let directory = path.dirname(file); directory !== path.dirname(directory); directory = path.dirname(directory)) {
    const text = await readFile(path.join(directory, "package.json"), "utf8").catch(() => "{}");
    const { name, version, license } = JSON.parse(text);
    if (typeof name !== "string" || typeof version !== "string") continue;
    if (typeof license !== "string") throw new Error(`${name} ${version} does not say under which licence it is`);
    return { name, version, license, directory };
  }
  throw new Error(`${file} belongs to no package`);
}
