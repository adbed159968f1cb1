import { readFileSync } from "node:fs";
import path from "node:path";

/** `struct rtentry` flags in /proc/net/route (route(8)). */
const RTF_UP = 0x1;
const NO_ADDRESS = /^0+$/;

interface Route {
  readonly card: string;
  readonly metric: number;
}

/**
 * The card that carries the default route, as `<name>-<MAC address>`, undefined while there is none: the SDK binds an authinfo to
 * it (the SDK's "AuthInfo License Error"). `root` is "/" but for tests.
 */
export function activeNetworkCard(root = "/"): string | undefined {
  // Under /proc/self, where a unit with ProcSubset=pid still finds it.
  const table = (name: string) => text(path.join(root, "proc/self/net", name));
  const card = defaultCard(table("route"), table("ipv6_route"));
  if (card === undefined) return undefined;
  const address = text(path.join(root, "sys/class/net", card, "address")).trim();
  return address === "" ? card : `${card}-${address}`;
}

/** The card of the default route that the kernel prefers: IPv4 before IPv6, then the lowest metric. */
export function defaultCard(ipv4: string, ipv6: string): string | undefined {
  return preferred(ipv4Defaults(ipv4)) ?? preferred(ipv6Defaults(ipv6));
}

function preferred(routes: readonly Route[]): string | undefined {
  return routes.toSorted((a, b) => a.metric - b.metric || a.card.localeCompare(b.card))[0]?.card;
}

function ipv4Defaults(table: string): Route[] {
  return rows(table).flatMap(([card = "", destination = "", , flags = "", , , metric = "", mask = ""]) => {
    const up = (Number.parseInt(flags, 16) & RTF_UP) !== 0;
    return up && NO_ADDRESS.test(destination) && NO_ADDRESS.test(mask) ? [{ card, metric: Number(metric) }] : [];
  });
}

/** The kernel lists its own unreachable default on `lo`. */
function ipv6Defaults(table: string): Route[] {
  return rows(table).flatMap(([destination = "", length = "", , , , metric = "", , , flags = "", card = ""]) => {
    const up = (Number.parseInt(flags, 16) & RTF_UP) !== 0;
    const isDefault = NO_ADDRESS.test(destination) && NO_ADDRESS.test(length);
    return up && isDefault && card !== "lo" ? [{ card, metric: Number.parseInt(metric, 16) }] : [];
  });
}

function rows(table: string): string[][] {
  return table.split("\n").map((line) => line.trim().split(/\s+/));
}

/** "" for what is not there: a card may go at any moment. */
function text(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
