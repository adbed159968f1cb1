/**
 * `npm run package [-- --arch amd64|arm64|all] [--out DIR] [--compression xz|zstd|none] [--deb-version V] [--maintainer "N <M>"] [--lint]
 * [--apt DIR --sign-key FINGERPRINT]`:
 * Debian packages, for both processors unless told, each the same to the last bit when it is built again from the same commit.
 * xz is what every dpkg unpacks, and takes minutes; zstd is quick, larger, and needs dpkg 1.21.18 (Debian 12). With --lint
 * Debian's lintian looks at each, and an error of its ends the run badly. With --apt they are added to a signed apt repository, too.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { packageDirectory } from "./build/package-directory.ts";
import { makeRepository } from "./package/apt-repository.ts";
import { writeControl } from "./package/control.ts";
import { copyrightText } from "./package/copyright.ts";
import { type MadeTexts, manifest } from "./package/manifest.ts";
import { completionText, manualText, readHelp } from "./package/manual.ts";
import { type BundleList, sbomText } from "./package/sbom.ts";
import { stage } from "./package/stage.ts";
import { readOptions } from "./read-options.ts";

const root = path.resolve(import.meta.dirname, "..");
const processors = { amd64: "x64", arm64: "arm64" } as const;
type Architecture = keyof typeof processors;
/** https://github.com/nodejs/release#release-schedule. */
const END_OF_SUPPORT: Readonly<Record<string, string>> = { 24: "2028-04-30" };

class Refusal extends Error {}

function options() {
  const { values, refuse } = readOptions("package", {
    arch: { type: "string", default: "all", choices: ["amd64", "arm64", "all"] },
    out: { type: "string", shown: "DIR" },
    compression: { type: "string", default: "xz", choices: ["xz", "zstd", "none"] },
    "deb-version": { type: "string", shown: "V" },
    lint: { type: "boolean", default: false },
    apt: { type: "string", shown: "DIR" },
    "sign-key": { type: "string", shown: "FINGERPRINT" },
    maintainer: {
      type: "string",
      default: "facepay-agent maintainers <facepay-agent@packages.example.org>",
      shown: "'NAME <MAIL>'",
    },
  });
  const { apt, "sign-key": signKey } = values;
  if ((apt === undefined) !== (signKey === undefined)) refuse("--apt and --sign-key need each other");
  const repository = apt === undefined || signKey === undefined ? undefined : { directory: path.resolve(apt), signKey };
  const wanted: Architecture[] = values.arch === "all" ? ["amd64", "arm64"] : [values.arch];
  return { ...values, wanted, repository, out: path.resolve(values.out ?? path.join(root, "dist")) };
}

/** The time that everything in the package bears: SOURCE_DATE_EPOCH, else that of the commit. */
function sourceDate(): Date {
  const given = process.env.SOURCE_DATE_EPOCH;
  const git = () => spawnSync("git", ["log", "-1", "--format=%ct"], { cwd: root, encoding: "utf8" }).stdout?.trim();
  const seconds = given ?? git();
  if (!seconds || !/^\d+$/.test(seconds)) {
    throw new Refusal(
      "this is no git checkout: set SOURCE_DATE_EPOCH to the time the package shall bear (Unix seconds)",
    );
  }
  return new Date(Number(seconds) * 1_000);
}

/** Resolves to the package. */
async function build(architecture: Architecture, work: string, asked: ReturnType<typeof options>): Promise<string> {
  const at = sourceDate();
  const processor = processors[architecture];
  const program = path.join(work, `program-${architecture}`);
  const buildScript = path.join(root, "scripts/build.ts");
  execFileSync(process.execPath, [buildScript, "--out", program, "--arch", processor], { stdio: ["ignore", 2, 2] });
  const node = await packageDirectory(root, `node-linux-${processor}`);
  const list: BundleList = JSON.parse(await readFile(path.join(program, "packages.json"), "utf8"));
  const runtime = JSON.parse(await readFile(path.join(node, "package.json"), "utf8"));
  const { packages: locked } = JSON.parse(await readFile(path.join(root, "package-lock.json"), "utf8"));
  const { integrity } = locked[`node_modules/${runtime.name}`] ?? {};
  const version = asked["deb-version"] ?? list.program.version;
  const help = readHelp(root);
  const made: MadeTexts = {
    copyright: await copyrightText(root, program, node),
    sbom: sbomText(list, { ...runtime, integrity, node: runtime.version }, at),
    changelog: changelogText(version, asked.maintainer, at),
    manual: manualText(help, version, at),
    completion: completionText(help),
    // Nothing on the terminal is called "node" for it: the wrapper and the units name theirs.
    program: (await readFile(path.join(program, "facepay-agent.cjs"), "utf8")).replace(/^#!.*\n/, ""),
    runtime: runtimeText(runtime.version),
  };
  const tree = path.join(work, `tree-${architecture}`);
  await mkdir(tree);
  await stage(manifest({ root, program, node, made }), tree, at);
  const facts = { version, architecture, maintainer: asked.maintainer };
  const installedKib = await writeControl(tree, path.join(root, "scripts/package/debian"), facts);
  const name = `facepay-agent_${version}_${architecture}.deb`;
  const deb = path.join(work, name);
  const how = [`-Z${asked.compression}`, ...(asked.compression === "xz" ? ["--threads-max=1"] : [])];
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(at.getTime() / 1_000) };
  execFileSync("dpkg-deb", ["--root-owner-group", ...how, "--build", tree, deb], { env, stdio: ["ignore", 2, 2] });
  if (asked.lint) lint(deb);
  // Only a whole package gets its name.
  await mkdir(asked.out, { recursive: true });
  const whole = path.join(asked.out, name);
  await copyFile(deb, whole);
  const megabytes = (octets: number) => `${(octets / 1e6).toFixed(1)} MB`;
  const { size } = await stat(deb);
  process.stdout.write(
    `${whole}: ${megabytes(size)}, installed ${megabytes(installedKib * 1024)}, Node ${runtime.version} inside (supported until ${endOfSupport(runtime.version)})\n`,
  );
  return whole;
}

function lint(deb: string): void {
  // lintian knows no zstd yet, since Debian's own archive takes none.
  const how = ["--fail-on", "error", "--suppress-tags", "malformed-deb-archive", "--allow-root"];
  const { status, error } = spawnSync("lintian", [...how, deb], { stdio: ["ignore", 2, 2] });
  if (error) throw new Refusal("--lint needs lintian (Debian package lintian)");
  if (status !== 0) throw new Error("lintian has found errors, see above");
}

const endOfSupport = (version: string) => END_OF_SUPPORT[version.split(".")[0] ?? ""] ?? "see nodejs.org";

function runtimeText(version: string): string {
  const end = endOfSupport(version);
  return `Node.js ${version} is in /usr/lib/facepay-agent/bin, for facepay-agent alone. Its makers fix faults in this line until
${end}; a package with a newer line has to be there by then. Nothing else on the terminal uses or changes it.

本软件包自带 Node.js ${version}（/usr/lib/facepay-agent/bin），仅供 facepay-agent 使用。官方支持到 ${end}，
在此之前须换用带更新版本的软件包。
`;
}

function changelogText(version: string, maintainer: string, at: Date): string {
  const date = at.toUTCString().replace("GMT", "+0000");
  return `facepay-agent (${version}) stable; urgency=medium\n\n  * Built from the project's sources.\n\n -- ${maintainer}  ${date}\n`;
}

try {
  const asked = options();
  if (spawnSync("dpkg-deb", ["--version"]).error) {
    throw new Refusal("npm run package needs dpkg-deb (Debian and Ubuntu have it; elsewhere install the package dpkg)");
  }
  const work = await mkdtemp(path.join(os.tmpdir(), "facepay-package-"));
  try {
    const debs: string[] = [];
    for (const architecture of asked.wanted) debs.push(await build(architecture, work, asked));
    if (asked.repository !== undefined) {
      const { directory } = asked.repository;
      await makeRepository({ ...asked.repository, debs, at: sourceDate() });
      process.stdout.write(
        `${directory}: signed apt repository with ${debs.map((deb) => path.basename(deb)).join(", ")}\n`,
      );
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof Refusal ? 64 : 1;
}
