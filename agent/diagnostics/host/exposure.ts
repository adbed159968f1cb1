import { readdir, readFile, readlink } from "node:fs/promises";

export interface Listener {
  readonly pid: number;
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

const LISTEN = "0A";
const NAME_OCTETS = 15;

/**
 * TCP listeners of the agent itself, which has none, and of processes that were given one of its sockets on their command line,
 * as a forwarder is: `socat TCP-LISTEN:8080,fork UNIX-CONNECT:/run/facepay-agent/api.sock`. Those on loopback count as well:
 * a web page reaches them. Undefined when the agent's descriptors may not be looked at.
 */
export async function listenersOf(agent: number, sockets: readonly string[]): Promise<Listener[] | undefined> {
  const own = await socketInodes(agent);
  if (own === undefined) return undefined;
  const found: Listener[] = await listeningAmong(agent, own);
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === agent || pid === process.pid) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
    if (!sockets.some((socket) => command.includes(socket))) continue;
    found.push(...(await listeningAmong(pid, (await socketInodes(pid)) ?? new Set())));
  }
  return found;
}

async function listeningAmong(pid: number, inodes: ReadonlySet<string>): Promise<Listener[]> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((table) => readFile(`/proc/${pid}/net/${table}`, "latin1").catch(() => "")),
  );
  const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "?")).trim().slice(0, NAME_OCTETS);
  return tables.flatMap((table) => listening(table, inodes).map((one) => ({ pid, name, ...one })));
}

/** Pure: the lines of /proc/net/tcp or tcp6 (proc(5)) in the state LISTEN whose socket is among these. */
export function listening(table: string, inodes: ReadonlySet<string>): { address: string; port: number }[] {
  return table.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = "", , state] = fields;
    if (state !== LISTEN || !inodes.has(fields[9] ?? "")) return [];
    const [address = "", port = ""] = local.split(":");
    return [{ address: addressOf(address), port: Number.parseInt(port, 16) }];
  });
}

/** Four or sixteen octets in words of the host's byte order, which is little-endian on every machine this runs on. */
function addressOf(hex: string): string {
  const octets = (hex.match(/.{8}/g) ?? []).map((word) => Buffer.from(word, "hex").reverse());
  const [only] = octets;
  if (octets.length === 1 && only !== undefined) return [...only].join(".");
  const groups = Buffer.concat(octets).toString("hex").match(/.{4}/g) ?? [];
  return `[${groups.map((group) => group.replace(/^0{1,3}/, "")).join(":")}]`;
}

async function socketInodes(pid: number): Promise<Set<string> | undefined> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => undefined);
  if (names === undefined) return undefined;
  const targets = await Promise.all(names.map((name) => readlink(`${directory}/${name}`).catch(() => "")));
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}
