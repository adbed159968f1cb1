import { fstatSync, readFileSync } from "node:fs";

export interface InheritedSockets {
  readonly api?: number;
  readonly admin?: number;
}

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST_FD = 3;
const MAX_FDS = 64;

/**
 * The listening sockets that systemd hands over, by their `FileDescriptorName=`. None when they are meant for another
 * process: LISTEN_PID names the one that systemd started.
 */
export function inheritedSockets(env: Readonly<Record<string, string | undefined>>, pid: number): InheritedSockets {
  const { LISTEN_PID: forPid = "", LISTEN_FDS: count = "", LISTEN_FDNAMES: names = "" } = env;
  if (!/^\d+$/.test(forPid) || Number(forPid) !== pid || !/^\d+$/.test(count)) return {};
  const list = names.split(":").slice(0, Math.min(Number(count), MAX_FDS));
  const at = (name: string) => (list.includes(name) ? FIRST_FD + list.indexOf(name) : undefined);
  const api = at("api");
  const admin = at("admin");
  return { ...(api === undefined ? {} : { api }), ...(admin === undefined ? {} : { admin }) };
}

/** The kernel's list of unix sockets. Under `ProcSubset=pid` only a process's own directory shows it. */
const UNIX_SOCKETS = "/proc/self/net/unix";

/** The path on which an inherited socket listens, which Node has no call for; undefined when it cannot be told. */
export function socketPath(fd: number, list: string = UNIX_SOCKETS): string | undefined {
  try {
    const { ino } = fstatSync(fd);
    for (const line of readFileSync(list, "utf8").split("\n")) {
      // Num RefCount Protocol Flags Type St Inode Path
      const fields = line.trim().split(/ +/);
      if (fields[6] === String(ino) && fields[7]?.startsWith("/")) return fields.slice(7).join(" ");
    }
  } catch {
    // No such list here, or no such descriptor: listening on it reports the error.
  }
  return undefined;
}
