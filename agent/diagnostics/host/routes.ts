import { readdir, readFile } from "node:fs/promises";
import { isIP } from "node:net";
import os from "node:os";
import path from "node:path";

/** One line of the kernel's main routing table. */
export interface RouteEntry {
  readonly family: 4 | 6;
  readonly iface: string;
  /** Network and next hop as octets; a next hop of zeros is none. */
  readonly network: Buffer;
  readonly bits: number;
  readonly gateway?: string;
}

export interface Card {
  readonly name: string;
  /** As sysfs says: up, down, unknown, dormant, ... */
  readonly state: string;
  /** Addresses the card can be reached by now: a card without a carrier has none. */
  readonly addresses: readonly string[];
  /** Of a wireless card, 0 to 100. */
  readonly signalPercent?: number;
}

/** What this machine has of a network, at one moment. */
export interface NetworkState {
  readonly cards: readonly Card[];
  readonly routes: readonly RouteEntry[];
}

/** RTF_UP and RTF_REJECT of <linux/route.h>. */
const UP = 0x1;
const REJECT = 0x200;
/** /proc/net/wireless gives the link quality out of 70 (cfg80211). */
const BEST_QUALITY = 70;

export async function readNetwork(root = "/", interfaces = os.networkInterfaces): Promise<NetworkState> {
  const text = (file: string) => readFile(path.join(root, file), "utf8").catch(() => "");
  const [ipv4, ipv6, wireless] = await Promise.all(
    ["proc/net/route", "proc/net/ipv6_route", "proc/net/wireless"].map(text),
  );
  const running = interfaces();
  // Those that have no carrier stand in sysfs alone; where that is hidden or another one's, those that run are known all the same.
  const listed = await readdir(path.join(root, "sys/class/net")).catch(() => []);
  const names = [...new Set([...listed, ...Object.keys(running)])].filter((name) => name !== "lo");
  const cards = await Promise.all(
    names.map(async (name): Promise<Card> => {
      const state = (await text(`sys/class/net/${name}/operstate`)).trim() || "unknown";
      const addresses = (running[name] ?? []).map(({ address }) => address);
      const signalPercent = parseWireless(wireless ?? "").get(name);
      return { name, state, addresses, ...(signalPercent === undefined ? {} : { signalPercent }) };
    }),
  );
  return { cards, routes: [...parseRoutes(ipv4 ?? ""), ...parseIpv6Routes(ipv6 ?? "")] };
}

/** /proc/net/route: addresses are 32-bit words in the byte order of the machine, which is little-endian on all of ours. */
export function parseRoutes(text: string): RouteEntry[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [iface, destination, gateway, flags, , , , mask] = line.trim().split(/\s+/);
      if (!iface || !destination || !gateway || !flags || !mask || !usable(flags)) return [];
      const bits = octets(mask).reduce((sum, octet) => sum + octet.toString(2).replaceAll("0", "").length, 0);
      const hop = octets(gateway).join(".");
      return [{ family: 4, iface, network: octets(destination), bits, ...(hop === "0.0.0.0" ? {} : { gateway: hop }) }];
    });
}

/** /proc/net/ipv6_route: network byte order throughout. */
export function parseIpv6Routes(text: string): RouteEntry[] {
  return text.split("\n").flatMap((line) => {
    const [destination, bits, , , hop, , , , flags, iface] = line.trim().split(/\s+/);
    if (!destination || !bits || !hop || !flags || !iface || iface === "lo" || !usable(flags)) return [];
    const gateway = /^0+$/.test(hop) ? {} : { gateway: hop.replace(/(.{4})(?!$)/g, "$1:") };
    return [
      { family: 6, iface, network: Buffer.from(destination, "hex"), bits: Number.parseInt(bits, 16), ...gateway },
    ];
  });
}

/** Link quality in percent by card. */
export function parseWireless(text: string): Map<string, number> {
  const found = [...text.matchAll(/^\s*(\S+):\s+\d+\s+(\d+)\.?\s/gm)];
  return new Map(found.map(([, name = "", quality]) => [name, Math.round((Number(quality) / BEST_QUALITY) * 100)]));
}

/** The most exact route to an address over a card that is up. */
export function routeTo(address: string, { routes, cards }: NetworkState): RouteEntry | undefined {
  const family = isIP(address) === 6 ? 6 : 4;
  const target = octetsOf(address);
  if (target === undefined) return undefined;
  const fit = routes.filter((route) => route.family === family && covers(route, target) && isUp(route.iface, cards));
  return fit.reduce<RouteEntry | undefined>(
    (best, route) => (best && best.bits >= route.bits ? best : route),
    undefined,
  );
}

export function hasDefaultRoute({ routes, cards }: NetworkState): boolean {
  return routes.some(({ bits, iface }) => bits === 0 && isUp(iface, cards));
}

/** An address that can be used: not a link-local one that a card gives itself without DHCP. */
export function isAssigned(address: string): boolean {
  return !/^(169\.254\.|fe80:)/i.test(address);
}

function isUp(iface: string, cards: readonly Card[]): boolean {
  return cards.some(({ name, addresses }) => name === iface && addresses.length > 0);
}

function covers({ network, bits }: RouteEntry, target: Buffer): boolean {
  for (let bit = 0; bit < bits; bit++) {
    const mask = 0x80 >> (bit & 7);
    if ((((network[bit >> 3] ?? 0) ^ (target[bit >> 3] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

function octetsOf(address: string): Buffer | undefined {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  if (isIP(address) !== 6 || address.includes(".")) return undefined;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const words = (part: string) => part.split(":").filter((word) => word !== "");
  const middle = tail === undefined ? [] : Array(8 - words(head).length - words(tail).length).fill("0");
  const all = [...words(head), ...middle, ...words(tail ?? "")];
  return Buffer.from(all.map((word) => word.padStart(4, "0")).join(""), "hex");
}

function octets(word: string): Buffer {
  return Buffer.from(word, "hex").reverse();
}

function usable(flags: string): boolean {
  const value = Number.parseInt(flags, 16);
  return (value & UP) !== 0 && (value & REJECT) === 0;
}
