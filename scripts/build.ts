/**
 * `npm run build [-- --out DIR] [--arch x64|arm64]`: the whole program in one directory, which needs nothing besides but Node:
 * `facepay-agent.cjs`, what that loads with the compiled parts for one processor in `lib/`, and what it is made of:
 * `packages.json` for programs, `LICENSES.txt` for people.
 */
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { bundle } from "./build/bundle.ts";
import { licenceTexts } from "./build/licences.ts";
import { likeNode } from "./build/like-node.ts";
import { type Arch, natives } from "./build/natives.ts";
import { packagesIn } from "./build/packages.ts";
import { readOptions } from "./read-options.ts";

const root = path.resolve(import.meta.dirname, "..");
const MANIFEST = "packages.json";
const arches: readonly Arch[] = ["x64", "arm64"];

/** Fills an empty directory. */
async function fill(directory: string, arch: Arch): Promise<void> {
  const { version, license } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  const { first, files, metafile } = await bundle(root, [await natives(root, arch), likeNode(root)]);
  const packages = await packagesIn(metafile, root);
  const within = (...names: string[]) => path.join(directory, ...names);
  // An empty `cache` beside the program is where compiled code goes unless systemd names another place.
  for (const name of ["lib", "cache", "docs"]) await mkdir(within(name));
  for (const [name, content] of files) await writeFile(within("lib", name), content);
  const launcher = await readFile(path.join(root, "scripts/build/launcher.cjs"), "utf8");
  await writeFile(within("facepay-agent.cjs"), launcher.replace("lib/agent.cjs", `lib/${first}`));
  for (const example of ["docs/config.example.toml", "docs/gateway.example.toml"]) {
    await cp(path.join(root, example), within(example));
  }
  await copyFile(path.join(root, "LICENSE"), within("LICENSE"));
  await writeFile(within("LICENSES.txt"), await licenceTexts(packages));
  const program = { name: "facepay-agent", version, license, arch, node: process.versions.node };
  const listed = packages.map(({ directory: _, ...rest }) => rest);
  await writeFile(within(MANIFEST), `${JSON.stringify({ program, packages: listed }, null, 2)}\n`);
}

/** Whether `out` may be replaced: it is not there, is empty, or holds an earlier build. */
async function replaceable(out: string): Promise<boolean> {
  try {
    const names = await readdir(out);
    return names.length === 0 || names.includes(MANIFEST);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
}

const { values, refuse } = readOptions("build", {
  out: { type: "string", default: path.join(root, "dist"), shown: "DIR" },
  arch: { type: "string", choices: arches },
});
const out = path.resolve(values.out);
// Whoever builds it: the service runs it as a user of its own.
process.umask(0o022);
const arch =
  values.arch ?? arches.find((name) => name === process.arch) ?? refuse(`there is no build for ${process.arch}`);
try {
  if (!(await replaceable(out))) throw new Error(`${out} holds something else: name another directory, or empty it`);
  await mkdir(path.dirname(out), { recursive: true });
  const fresh = await mkdtemp(`${out}.new-`);
  try {
    await fill(fresh, arch);
    await chmod(fresh, 0o755);
    await rm(out, { recursive: true, force: true });
    await rename(fresh, out);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  process.stdout.write(`${out}: facepay-agent.cjs for ${arch}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
