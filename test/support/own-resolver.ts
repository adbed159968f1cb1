import { execFileSync } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";

/** Why no process can be given name servers of its own here; undefined when one can. */
export function noOwnResolver(): string | undefined {
  if (process.geteuid?.() !== 0) return "name servers of its own need root: a mount namespace and port 53";
  try {
    execFileSync("unshare", ["--mount", "mount", "--bind", "/etc/hosts", "/etc/hosts"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "this system grants no mount namespace (unshare --mount)";
  }
}

/** A stand-in for the node binary that sees another /etc/resolv.conf and /etc/hosts than the rest of this machine. */
export async function nodeWithNameServer(directory: string, nameServer: string): Promise<string> {
  const within = (name: string) => path.join(directory, name);
  await writeFile(within("resolv.conf"), `nameserver ${nameServer}\n`);
  // Nothing at all: so localhost, for which the stand-in has a certificate, is a name like any other.
  await writeFile(within("hosts"), "");
  const mounts = ["resolv.conf", "hosts"].map((name) => `mount --bind "${within(name)}" /etc/${name}`);
  const script = within("node-with-name-server");
  await writeFile(
    script,
    `#!/bin/sh\nexec unshare --mount sh -ec '${mounts.join("; ")}; exec "$0" "$@"' "${process.execPath}" "$@"\n`,
  );
  await chmod(script, 0o755);
  return script;
}
