import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { Clock } from "../../common/clock.ts";
import { runProgram } from "./program.ts";

/** What a router has shown of itself. */
export type RouterReading =
  | { readonly kind: "pinged"; readonly lossPercent: number; readonly ms?: number }
  /** It is there, by its answer to ARP; how quickly is not known. */
  | { readonly kind: "neighbour" }
  | { readonly kind: "silent"; readonly by: "ping" | "arp" }
  | { readonly kind: "unknown" };

const PING_MS = 2_500;
const ARP_MS = 1_200;
const ARP_EVERY_MS = 100;
/** ATF_COM of <linux/if_arp.h>: the entry is complete. */
const COMPLETE = 0x2;

/** `ping` where there is one, for it has the privilege that ICMP takes; else whether the router answers ARP. */
export async function readRouter(gateway: string, clock: Clock, signal: AbortSignal): Promise<RouterReading> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(PING_MS)]);
  const args = ["-n", "-q", "-c", "3", "-i", "0.2", "-W", "1", gateway];
  const result = await runProgram("ping", args, { signal: deadline });
  const pinged = result.kind === "ended" ? parsePing(result.stdout) : undefined;
  if (pinged !== undefined && pinged.lossPercent < 100) return { kind: "pinged", ...pinged };
  const neighbour = isIP(gateway) === 4 ? await answersArp(gateway, clock, signal) : undefined;
  // Many routers are told not to answer a ping: one that answers ARP is there.
  if (neighbour === true) return { kind: "neighbour" };
  if (pinged !== undefined) return { kind: "silent", by: "ping" };
  return neighbour === false ? { kind: "silent", by: "arp" } : { kind: "unknown" };
}

/** The summary of iputils' ping, or of busybox's. */
export function parsePing(stdout: string): { readonly lossPercent: number; readonly ms?: number } | undefined {
  const [, loss] = /(\d+(?:\.\d+)?)% packet loss/.exec(stdout) ?? [];
  if (loss === undefined) return undefined;
  const [, ms] = /min\/avg\/max[^=]*= *[\d.]+\/([\d.]+)\//.exec(stdout) ?? [];
  return { lossPercent: Math.round(Number(loss)), ...(ms === undefined ? {} : { ms: Number(ms) }) };
}

/** Undefined when the table cannot be read. */
export function inArpTable(table: string, address: string): boolean | undefined {
  if (!table.startsWith("IP address")) return undefined;
  const row = table
    .split("\n")
    .map((line) => line.split(/\s+/))
    .find(([ip]) => ip === address);
  return row !== undefined && (Number(row[2]) & COMPLETE) !== 0;
}

/** Any datagram makes the kernel ask who has the address. */
async function answersArp(address: string, clock: Clock, signal: AbortSignal): Promise<boolean | undefined> {
  const read = async () => inArpTable(await readFile("/proc/net/arp", "utf8").catch(() => ""), address);
  const socket = createSocket("udp4");
  socket.on("error", () => {
    // No route, or a router that refuses the port: the table is what counts.
  });
  // Port 9 is "discard" (RFC 863).
  socket.send(Buffer.of(0), 9, address, () => {
    // As above.
  });
  try {
    let answers = await read();
    for (let waited = 0; answers === false && waited < ARP_MS; waited += ARP_EVERY_MS) {
      await clock.sleep(ARP_EVERY_MS, signal);
      answers = await read();
    }
    return answers;
  } finally {
    socket.close();
  }
}
