import { readFile, statfs } from "node:fs/promises";
import os from "node:os";

/** What the machine itself has to say when somebody looks; read by the command line, never by the running agent. */
export interface Host {
  readonly os: string;
  readonly memory: { readonly availableBytes: number; readonly totalBytes: number };
  /** The file system that holds the state directory; absent while that does not exist. */
  readonly disk?: { readonly availableBytes: number; readonly usedPercent: number };
}

/**
 * Facts from systeminformation, and of the disk from the kernel, which knows every mount. Rejects when the signal
 * aborts: a file system that hangs must not hang the technician.
 */
export async function readHost(directory: string, signal: AbortSignal): Promise<Host> {
  const { default: si } = await import("systeminformation");
  signal.throwIfAborted();
  const late = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => late.reject(signal.reason), { once: true });
  const work = Promise.all([si.mem(), readOperatingSystem(), statfs(directory).catch(() => undefined)]);
  const [memory, system, disk] = await Promise.race([work, late.promise]);
  return {
    os: `${system.distro} ${system.release} ${system.arch}`.trim(),
    memory: { availableBytes: memory.available, totalBytes: memory.total },
    ...(disk === undefined
      ? {}
      : {
          disk: {
            availableBytes: disk.bavail * disk.bsize,
            usedPercent: Math.round((1 - disk.bfree / Math.max(disk.blocks, 1)) * 100),
          },
        }),
  };
}

const PATIENCE_MS = 5_000;

/** The same for a screen: what the machine says of itself is a help there, not a condition. */
export async function tryHost(directory = "/"): Promise<Host | undefined> {
  return await readHost(directory, AbortSignal.timeout(PATIENCE_MS)).catch(() => undefined);
}

export interface OperatingSystem {
  readonly distro: string;
  readonly release: string;
  readonly kernel: string;
  readonly arch: string;
}

/**
 * From os-release(5). Not `osInfo` of systeminformation: that one asks `hostname -f` and waits for it, which blocks the whole
 * process for 20 s while the name servers are silent: just when somebody wants to know why.
 */
export async function readOperatingSystem(): Promise<OperatingSystem> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return { ...releaseOf(text), kernel: os.release(), arch: os.arch() };
}

/** Pure: name and version out of the text of os-release. */
export function releaseOf(text: string): Pick<OperatingSystem, "distro" | "release"> {
  const value = (name: string) => new RegExp(`^${name}=(["']?)(.*)\\1$`, "m").exec(text)?.[2] ?? "";
  return { distro: value("NAME") || "Linux", release: value("VERSION_ID") };
}
