import type { LibraryHandle } from "koffi";

/**
 * What `pick` takes of the C library, be it glibc or musl. Node itself has no call for some things of Linux (datagrams of the unix
 * kind, pseudo-terminals); koffi is loaded only here.
 */
export async function loadLibc<Calls>(pick: (library: LibraryHandle) => Calls): Promise<Calls & { errno(): number }> {
  const { default: koffi } = await import("koffi");
  const names = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];
  const failures: string[] = [];
  for (const name of names) {
    try {
      return { ...pick(koffi.load(name)), errno: () => koffi.errno() };
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`no C library that could be loaded: ${failures.join("; ")}`);
}
