import { execFileSync } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";

/** Why no process can be given name servers of its own here; undefined when one can. */
export function noOwnResolver(): string | undefined {
  return without(["--mount", "mount", "--bind", "/etc/hosts", "/etc/hosts"], "no mount namespace");
}

/** Why no process can be given network cards of its own here; undefined when one can. */
export function noOwnCards(): string | undefined {
  return without(
    ["--net", "sh", "-c", `ip link set lo up; ${plug}`],
    "no network namespace with a veth pair (iproute2)",
  );
}

/** Why no process can be given a boot clock of its own here; undefined when one can. */
export function noOwnBootClock(): string | undefined {
  return without(["--time", "--boottime", "1000", "true"], "no time namespace");
}

/** A replacement for the node binary whose clocks since boot are 1000 s ahead of the rest of this machine. */
export async function nodeAhead(directory: string): Promise<string> {
  const script = path.join(directory, "node-ahead");
  const start = `exec unshare --time --boottime 1000 --monotonic 1000 --fork --kill-child "${process.execPath}" "$@"`;
  await writeFile(script, `#!/bin/sh\n${start}\n`);
  await chmod(script, 0o755);
  return script;
}

function without(args: readonly string[], lack: string): string | undefined {
  if (process.geteuid?.() !== 0) return "namespaces need root";
  try {
    execFileSync("unshare", args, { stdio: "ignore" });
    return undefined;
  } catch {
    return `this system grants ${lack}`;
  }
}

/** A replacement for the node binary that sees another /etc/resolv.conf and /etc/hosts than the rest of this machine. */
export async function nodeWithNameServer(directory: string, nameServer: string): Promise<string> {
  const withTimeout = (name: string) => path.join(directory, name);
  await writeFile(withTimeout("resolv.conf"), `nameserver ${nameServer}\n`);
  // Nothing at all: so localhost, for which the simulator has a certificate, is a name like any other.
  await writeFile(withTimeout("hosts"), "");
  const mounts = ["resolv.conf", "hosts"].map((name) => `mount --bind "${withTimeout(name)}" /etc/${name}`);
  return await nodeIn(directory, "--mount", mounts.join("; "));
}

/** A replacement for the node binary that has no network but loopback, until `plugCard`. */
export function nodeWithoutCards(directory: string): Promise<string> {
  return nodeIn(directory, "--net", "ip link set lo up");
}

const plug =
  "ip link add eth7 type veth peer name far7; ip link set far7 up; ip link set eth7 up; ip addr add 10.7.7.7/24 dev eth7";

/** A network card appears before that process, which was started with `nodeWithoutCards`. */
export function plugCard(pid: number): void {
  execFileSync("nsenter", ["--target", `${pid}`, "--net", "sh", "-ec", plug]);
}

/** The process stays the same one, so that signals reach it. */
async function nodeIn(directory: string, namespace: "--mount" | "--net", setUp: string): Promise<string> {
  const script = path.join(directory, `node-in${namespace}`);
  const start = `exec unshare ${namespace} sh -ec '${setUp}; exec "$0" "$@"' "${process.execPath}" "$@"`;
  await writeFile(script, `#!/bin/sh\n${start}\n`);
  await chmod(script, 0o755);
  return script;
}
