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
