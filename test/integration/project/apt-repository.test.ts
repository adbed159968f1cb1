import { execFile, execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEYRING, makeRepository } from "../../../scripts/package/apt-repository.ts";
import { missing } from "../../support/fixtures/tools.ts";

const run = promisify(execFile);
const why = missing("gpg", "apt-get", "dpkg-deb");
const architecture = process.arch === "arm64" ? "arm64" : "amd64";
const at = new Date("2026-11-30T00:00:00Z");

let work: string;
let keys: readonly string[];
let server: http.Server;
let url: string;

/** A key of the operator's, and one that somebody else has. */
function makeKey(name: string): string {
  const uid = `${name} <${name}@example.org>`;
  const quick = ["--batch", "--passphrase", "", "--quick-generate-key", uid, "ed25519", "sign", "never"];
  execFileSync("gpg", quick, { stdio: "ignore" });
  const listed = execFileSync("gpg", ["--batch", "--with-colons", "--list-secret-keys", name], { encoding: "utf8" });
  return /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1] ?? "";
}

/** A package that is small: what apt checks is not in it. */
async function makeDeb(version: string): Promise<string> {
  const tree = path.join(work, `tree-${version}`);
  await mkdir(path.join(tree, "DEBIAN"), { recursive: true });
  const control = { Package: "facepay-agent", Version: version, Architecture: architecture };
  const lines = Object.entries({ ...control, Maintainer: "x <x@example.org>", Description: "for a test" });
  await writeFile(path.join(tree, "DEBIAN/control"), `${lines.map((line) => line.join(": ")).join("\n")}\n`);
  const deb = path.join(work, `facepay-agent_${version}_${architecture}.deb`);
  execFileSync("dpkg-deb", ["-Znone", "--root-owner-group", "--build", tree, deb], { stdio: "ignore" });
  return deb;
}

/** apt of this machine with directories of its own, as a terminal with that keyring would run it. */
async function apt(repository: string, keyring: string) {
  const root = await mkdtemp(path.join(work, "apt-"));
  for (const name of ["lists/partial", "archives/partial", "parts"])
    await mkdir(path.join(root, name), { recursive: true });
  await writeFile(path.join(root, "status"), "");
  const source = {
    Types: "deb",
    URIs: `${url}/${repository}`,
    Suites: "stable",
    Components: "main",
    "Signed-By": keyring,
  };
  const stanza = Object.entries(source).map((line) => line.join(": "));
  await writeFile(path.join(root, "parts/facepay-agent.sources"), `${stanza.join("\n")}\n`);
  const settings = {
    "Dir::State::lists": path.join(root, "lists"),
    "Dir::State::status": path.join(root, "status"),
    "Dir::Cache": root,
    "Dir::Cache::archives": path.join(root, "archives"),
    "Dir::Etc::sourcelist": "/dev/null",
    "Dir::Etc::sourceparts": path.join(root, "parts"),
    "Dir::Etc::main": "/dev/null",
    "Dir::Etc::parts": "/dev/null",
    "APT::Architecture": architecture,
    "APT::Architectures": architecture,
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Debug::NoLocking": "1",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const env = { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" };
  const get = (...words: readonly string[]) => run("apt-get", [...options, "-q", ...words], { env, cwd: root });
  return { root, get };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "",
    ({ stdout = "", stderr = "" }: { stdout?: string; stderr?: string }) => `${stdout}${stderr}`,
  );
}

async function repositoryOf(name: string, versions: readonly string[], signKey = keys[0] ?? "") {
  const directory = path.join(work, "www", name);
  const debs = await Promise.all(versions.map(makeDeb));
  await makeRepository({ directory, debs, signKey, at });
  return { directory, keyring: path.join(directory, KEYRING) };
}

beforeAll(async () => {
  if (why !== undefined) return;
  work = await mkdtemp(path.join(os.tmpdir(), "facepay-apt-"));
  process.env.GNUPGHOME = path.join(work, "gnupg");
  await mkdir(process.env.GNUPGHOME, { mode: 0o700 });
  keys = ["operator", "stranger"].map(makeKey);
  server = http.createServer(async (request, response) => {
    const file = path.join(work, "www", decodeURIComponent(request.url ?? ""));
    const content = await readFile(file).catch(() => undefined);
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  if (why !== undefined) return;
  server.close();
  execFileSync("gpgconf", ["--kill", "all"], { stdio: "ignore" });
  delete process.env.GNUPGHOME;
  await rm(work, { recursive: true, force: true });
});

describe.skipIf(why !== undefined)(`the apt repository${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  it("gives apt the newest package, and an earlier one by its version", async () => {
    const { directory, keyring } = await repositoryOf("good", ["0.1.0"]);
    const added = await makeDeb("0.2.0");
    await makeRepository({ directory, debs: [added], signKey: keys[0] ?? "", at });
    const { root, get } = await apt("good", keyring);
    await get("update");
    await get("download", "facepay-agent");
    await get("download", "facepay-agent=0.1.0");
    const got = (await readdir(root)).filter((name) => name.endsWith(".deb"));
    expect(got.sort()).toEqual(["0.1.0", "0.2.0"].map((version) => `facepay-agent_${version}_${architecture}.deb`));
    expect((await readdir(directory)).sort()).toEqual(["dists", KEYRING, "pool"].sort());
  });

  it("is refused by a terminal that trusts another key", async () => {
    await repositoryOf("foreign", ["0.1.0"], keys[1]);
    const { keyring } = await repositoryOf("own", ["0.1.0"]);
    const { get } = await apt("foreign", keyring);
    expect(await refusal(get("update"))).toMatch(/NO_PUBKEY|not signed/);
  });

  it.each(["dists/stable/InRelease", `dists/stable/main/binary-${architecture}/Packages.gz`])(
    "is refused when %s was changed",
    async (file) => {
      const { directory, keyring } = await repositoryOf("changed", ["0.1.0"]);
      const changed = path.join(directory, file);
      const content = await readFile(changed);
      await writeFile(
        changed,
        file.endsWith("InRelease")
          ? content.toString().replace("facepay-agent", "facepay-evil")
          : Buffer.concat([content, Buffer.of(0)]),
      );
      await rm(path.join(directory, "dists/stable/Release.gpg"));
      if (file.endsWith(".gz")) await rm(changed.replace(".gz", ""));
      const { get } = await apt("changed", keyring);
      expect(await refusal(get("update"))).toMatch(/BADSIG|invalid|Hash Sum mismatch|unexpected size/);
    },
  );

  it("is refused when the package itself was changed", async () => {
    const { directory, keyring } = await repositoryOf("tampered", ["0.1.0"]);
    await appendFile(path.join(directory, `pool/main/f/facepay-agent/facepay-agent_0.1.0_${architecture}.deb`), "x");
    const { get } = await apt("tampered", keyring);
    await get("update");
    expect(await refusal(get("download", "facepay-agent"))).toMatch(/unexpected size|Hash Sum mismatch/);
  });

  it("stays as it was when gpg has no such key", async () => {
    const { directory } = await repositoryOf("kept", ["0.1.0"]);
    const before = await readFile(path.join(directory, "dists/stable/InRelease"), "utf8");
    const debs = [await makeDeb("0.2.0")];
    await expect(makeRepository({ directory, debs, signKey: "0".repeat(40), at })).rejects.toThrow(/gpg has no key/);
    expect(await readFile(path.join(directory, "dists/stable/InRelease"), "utf8")).toBe(before);
    expect(await readdir(path.join(directory, "pool/main/f/facepay-agent"))).toHaveLength(1);
  });
});
