import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

export interface Repository {
  /** Created when it is missing. Packages of earlier versions in it stay on offer. */
  readonly directory: string;
  /** The packages to add. */
  readonly debs: readonly string[];
  /** Of a secret key in the user's gpg keyring (GNUPGHOME): its fingerprint. */
  readonly signKey: string;
  /** The time that the lists bear. */
  readonly at: Date;
}

const SUITE = "stable";
const COMPONENT = "main";
const POOL = `pool/${COMPONENT}/f/facepay-agent`;
const architectures = ["amd64", "arm64"] as const;
export const KEYRING = "facepay-agent-archive-keyring.asc";

/**
 * A Debian repository (https://wiki.debian.org/DebianRepository/Format) of plain files, for any web server or a USB stick: the packages, their
 * lists with SHA-256 sums, and the signed list of lists. apt takes nothing that these sums do not cover. What is there is replaced last
 * and as a whole. Throws an Error when gpg has no such key.
 */
export async function makeRepository({ directory, debs, signKey, at }: Repository): Promise<void> {
  const pool = path.join(directory, POOL);
  await mkdir(pool, { recursive: true });
  // Asked for first, so that nothing has changed when the key is missing.
  const keyring = gpg(["--armor", "--export", signKey]);
  if (keyring.length === 0) throw new Error(`gpg has no key ${signKey}: gpg --list-secret-keys shows those it has`);
  for (const deb of debs) await copyFile(deb, path.join(pool, path.basename(deb)));
  const work = await mkdtemp(path.join(directory, ".new-"));
  try {
    const suite = path.join(work, SUITE);
    const sums = await writeLists(pool, suite);
    await writeFile(path.join(suite, "Release"), releaseText(sums, at));
    const release = path.join(suite, "Release");
    gpg(["--clearsign", "--digest-algo", "SHA256", "--output", path.join(suite, "InRelease"), release], signKey);
    const detached = ["--armor", "--detach-sign", "--digest-algo", "SHA256"];
    gpg([...detached, "--output", path.join(suite, "Release.gpg"), release], signKey);
    await writeFile(path.join(directory, KEYRING), keyring);
    const dists = path.join(directory, "dists");
    await rm(dists, { recursive: true, force: true });
    await rename(work, dists);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
}

/** `Packages` and its compressed form for each processor. Returns what Release says of them. */
async function writeLists(pool: string, suite: string): Promise<string[]> {
  const stanzas = await Promise.all(
    (await readdir(pool))
      .filter((name) => name.endsWith(".deb"))
      .sort()
      .map((name) => stanzaOf(path.join(pool, name), name)),
  );
  const sums: string[] = [];
  for (const architecture of architectures) {
    const place = `${COMPONENT}/binary-${architecture}`;
    await mkdir(path.join(suite, place), { recursive: true });
    const list = stanzas.filter((stanza) => stanza.includes(`\nArchitecture: ${architecture}\n`)).join("\n");
    for (const [name, content] of [
      ["Packages", Buffer.from(list)],
      ["Packages.gz", gzipSync(list, { level: 9 })],
    ] as const) {
      await writeFile(path.join(suite, place, name), content);
      sums.push(` ${sha256(content)} ${content.length} ${place}/${name}`);
    }
  }
  return sums;
}

async function stanzaOf(deb: string, name: string): Promise<string> {
  const control = execFileSync("dpkg-deb", ["--field", deb], { encoding: "utf8" }).trimEnd();
  const content = await readFile(deb);
  const { size } = await stat(deb);
  return `${control}\nFilename: ${POOL}/${name}\nSize: ${size}\nSHA256: ${sha256(content)}\n`;
}

function releaseText(sums: readonly string[], at: Date): string {
  const head = {
    Origin: "facepay-agent",
    Label: "facepay-agent",
    Suite: SUITE,
    Codename: SUITE,
    Date: at.toUTCString().replace("GMT", "UTC"),
    Architectures: architectures.join(" "),
    Components: COMPONENT,
    Description: "facepay-agent for WeChat Pay face-pay terminals",
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
  return `${[...lines, "SHA256:", ...sums].join("\n")}\n`;
}

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

function gpg(args: readonly string[], signKey?: string): Buffer {
  const as = signKey === undefined ? [] : ["--local-user", signKey];
  return execFileSync("gpg", ["--batch", "--yes", ...as, ...args], { stdio: ["ignore", "pipe", "inherit"] });
}
