import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";

export const root = path.resolve(import.meta.dirname, "../..");
const cache = path.join(root, ".cache/machines");
const suites = { "12": "bookworm", "13": "trixie" } as const;
export type DebianVersion = keyof typeof suites;
export const debianVersions = Object.keys(suites) as DebianVersion[];
const INCLUDED = ["systemd", "systemd-sysv", "dbus", "udev", "libpam-systemd"];

/** Ends the program, naming everything that is missing, when this machine cannot run such a test. */
export function require(what: string, tools: Readonly<Record<string, string>>): void {
  const missing = Object.entries(tools).filter(([tool]) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0);
  const problems = [
    ...(process.getuid?.() === 0 ? [] : ["root (chroot, and the machine's own files belong to it)"]),
    ...missing.map(([tool, from]) => `${tool} (Debian package ${from})`),
  ];
  if (problems.length === 0) return;
  process.stderr.write(`${what} needs ${problems.join(", ")}; it is not part of npm test\n`);
  process.exit(69);
}

/** A minimal Debian, made once and kept in .cache. Never changed: every test works on a copy. */
export async function debian(version: DebianVersion): Promise<string> {
  return await once(`debian-${version}`, async (directory) => {
    tell(`debootstrap of Debian ${version}, once ...`);
    run("debootstrap", ["--variant=minbase", `--include=${INCLUDED.join(",")}`, suites[version], directory]);
  });
}

/** Debian 12 with a kernel, for a virtual machine. */
export async function debianWithKernel(): Promise<string> {
  const base = await debian("12");
  return await once("debian-12-kernel", async (directory) => {
    tell("a kernel for it, once ...");
    run("cp", ["-a", "--reflink=auto", `${base}/.`, directory]);
    const install = "apt-get update -qq && apt-get install -qq -y --no-install-recommends linux-image-cloud-";
    chroot(directory, `export DEBIAN_FRONTEND=noninteractive; ${install}$(dpkg --print-architecture)`);
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

export function tell(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

/** Runs a program; what it says is shown only when it fails. */
export function run(command: string, args: readonly string[], options: { readonly input?: string } = {}): string {
  const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };
  try {
    return execFileSync(command, [...args], { encoding: "utf8", env, stdio: ["pipe", "pipe", "pipe"], ...options });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`.trim());
  }
}

export function chroot(directory: string, script: string): string {
  return run("chroot", [directory, "sh", "-ec", script]);
}
