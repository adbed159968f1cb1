/** What the machine itself has to say when somebody looks; read by the command line, never by the running agent. */
export interface Host {
  readonly os: string;
  readonly memory: { readonly availableBytes: number; readonly totalBytes: number };
  /** The file system that holds the state directory. */
  readonly disk?: {
    readonly mount: string;
    readonly availableBytes: number;
    readonly usedPercent: number;
    readonly writable: boolean;
  };
}

/**
 * Facts from systeminformation, which reads /proc and runs `df`. Rejects when they take longer than `timeoutMs`: a
 * file system that hangs must not hang the technician.
 */
export async function readHost(directory: string, timeoutMs: number): Promise<Host> {
  const { default: si } = await import("systeminformation");
  const late = Promise.withResolvers<never>();
  const signal = AbortSignal.timeout(timeoutMs);
  signal.addEventListener("abort", () => late.reject(signal.reason), { once: true });
  const [memory, disks, system] = await Promise.race([Promise.all([si.mem(), si.fsSize(), si.osInfo()]), late.promise]);
  const disk = holderOf(directory, disks);
  return {
    os: `${system.distro} ${system.release} ${system.arch}`.trim(),
    memory: { availableBytes: memory.available, totalBytes: memory.total },
    ...(disk === undefined
      ? {}
      : {
          disk: {
            mount: disk.mount,
            availableBytes: disk.available,
            usedPercent: disk.use,
            // null where `mount` does not tell.
            writable: disk.rw !== false,
          },
        }),
  };
}

/** The mount point that is the longest beginning of the path. */
export function holderOf<M extends { readonly mount: string }>(directory: string, mounts: readonly M[]): M | undefined {
  const holds = ({ mount }: M) => mount === "/" || directory === mount || directory.startsWith(`${mount}/`);
  return mounts.filter(holds).sort((a, b) => b.mount.length - a.mount.length)[0];
}
