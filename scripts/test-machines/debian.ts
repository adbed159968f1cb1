import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

export const root = path.resolve(import.meta.dirname, "../..");
const cache = path.join(root, ".cache/machines");
const suites = { "11": "bullseye", "12": "bookworm", "13": "trixie" } as const;
export type DebianVersion = keyof typeof suites;
export const debianVersions = Object.keys(suites) as DebianVersion[];
export type Architecture = "amd64" | "arm64";
/** This machine's own. */
export const ownArchitecture: Architecture = process.arch === "arm64" ? "arm64" : "amd64";
const INCLUDED = ["systemd", "systemd-sysv", "dbus", "udev", "libpam-systemd"];
/** What the initial RAM disk of a virtual machine needs: with every driver there is, an emulated one unpacks it for long. */
const DISK_MODULES = ["virtio_pci", "virtio_blk", "ext4"];

/** Ends the program, naming everything that is missing, when this machine cannot run such a test. */
export function require(what: string, tools: Readonly<Record<string, string>>, foreign?: Architecture): void {
  const missing = Object.entries(tools).filter(([tool]) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0);
  const packages = [...new Set(missing.map(([, from]) => from))];
  const problems = [
    ...(process.getuid?.() === 0 ? [] : ["root (chroot, and the machine's own files belong to it)"]),
    ...missing.map(([tool, from]) => `${tool} (Debian package ${from})`),
    ...(foreign === undefined || runsForeign(foreign) ? [] : [`the kernel to run ${foreign} programs by qemu-user`]),
  ];
  if (problems.length === 0) return;
  process.stderr.write(`${what} needs ${problems.join(", ")}; it is not part of npm test\n`);
  if (packages.length > 0) process.stderr.write(`  apt-get install ${packages.join(" ")}\n`);
  if (foreign !== undefined && !runsForeign(foreign)) {
    const mount = `mountpoint -q ${BINFMT} || mount -t binfmt_misc binfmt_misc ${BINFMT}`;
    process.stderr.write(`  ${mount}; update-binfmts --enable ${qemuUserOf(foreign)}\n`);
  }
  process.exit(69);
}

const BINFMT = "/proc/sys/fs/binfmt_misc";
export const qemuUserOf = (architecture: Architecture) => `qemu-${architecture === "arm64" ? "aarch64" : "x86_64"}`;

/** Whether a chroot of that processor works here: binfmt_misc, with the interpreter kept open (flag F). */
function runsForeign(architecture: Architecture): boolean {
  if (architecture === ownArchitecture) return true;
  const entry = `${BINFMT}/${qemuUserOf(architecture)}`;
  if (!existsSync(entry)) return false;
  const told = readFileSync(entry, "latin1");
  return told.startsWith("enabled") && /^flags: .*F/m.test(told);
}

/** A minimal Debian, made once and kept in .cache. Never changed: every test works on a copy. */
export async function debian(version: DebianVersion, architecture = ownArchitecture): Promise<string> {
  return await once(`debian-${version}-${architecture}`, async (directory) => {
    tell(`debootstrap of Debian ${version} for ${architecture}, once ...`);
    const how = [`--arch=${architecture}`, "--variant=minbase", `--include=${INCLUDED.join(",")}`];
    run("debootstrap", [...how, suites[version], directory]);
  });
}

/** The same with a kernel, for a virtual machine: Debian's "cloud" kernel has few drivers, its usual one all of them. */
export async function debianWithKernel(
  version: DebianVersion,
  architecture: Architecture,
  drivers: "cloud" | "all",
): Promise<string> {
  const base = await debian(version, architecture);
  return await once(`debian-${version}-${architecture}-${drivers}`, async (directory) => {
    tell(`a kernel for Debian ${version} on ${architecture}, once ...`);
    run("cp", ["-a", "--reflink=auto", `${base}/.`, directory]);
    const settings = path.join(directory, "etc/initramfs-tools");
    await mkdir(path.join(settings, "conf.d"), { recursive: true });
    await writeFile(path.join(settings, "conf.d/virtual-machine"), "MODULES=list\n");
    await writeFile(path.join(settings, "modules"), `${DISK_MODULES.join("\n")}\n`);
    const kernel = drivers === "cloud" ? `linux-image-cloud-${architecture}` : `linux-image-${architecture}`;
    const install = `apt-get update -qq && apt-get install -qq -y --no-install-recommends ${kernel} && apt-get clean`;
    // By itself it would be made twice, which takes minutes for a foreign processor.
    const initrd = "update-initramfs -c -k $(ls /lib/modules)";
    chroot(directory, `export DEBIAN_FRONTEND=noninteractive; INITRD=No sh -ec '${install}'; ${initrd}`);
  });
}

export function kernelOf(directory: string): { readonly kernel: string; readonly initrd: string } {
  const names = readdirSync(path.join(directory, "boot"));
  const find = (prefix: string) => path.join(directory, "boot", names.find((name) => name.startsWith(prefix)) ?? "");
  return { kernel: find("vmlinuz-"), initrd: find("initrd.img-") };
}

async function once(name: string, make: (directory: string) => Promise<void>): Promise<string> {
  const place = path.join(cache, name);
  if (existsSync(place)) return place;
  const fresh = `${place}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  await make(fresh);
  await rename(fresh, place);
  return place;
}

/** A directory for one run. It goes when the process ends, also when it is told to end. */
export function workDirectory(name: string, keep = false): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), `facepay-${name}-`));
  process.once("exit", () => {
    if (keep) tell(`kept: ${directory}`);
    else rmSync(directory, { recursive: true, force: true });
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  return directory;
}

export function tell(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

const BARE: NodeJS.ProcessEnv = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };

/** Runs a program; what it says is shown only when it fails. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = BARE): string {
  try {
    return execFileSync(command, [...args], { encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`.trim());
  }
}

export function chroot(directory: string, script: string): string {
  return run("chroot", [directory, "sh", "-ec", script]);
}
