/** Work that sits on a thread of the pool, where it cannot be called off. */
const ON_A_THREAD = /^(GetAddrInfo|GetNameInfo|FSReq)/;

/**
 * Ends the process with this code if something still holds it up; everything must have been written before. Node's own exit joins
 * its threads, and one of them may sit in getaddrinfo(3) for 20 s while the name servers are silent, or on a disk that hangs.
 * execve(2) puts another program in the place of this one and its threads; that one has nothing to do but to exit.
 */
export function leave(code: number, pending: boolean): void {
  if (process.getActiveResourcesInfo().some((kind) => ON_A_THREAD.test(kind))) {
    // That execve is an experiment of Node's is nothing that a technician should read.
    process.removeAllListeners("warning");
    process.execve?.("/bin/sh", ["sh", "-c", `exit ${code}`], {});
  }
  if (pending) process.exit(code);
}
