import { BlockList, isIP } from "node:net";

/**
 * Whether `NO_PROXY` exempts a URL: entries between commas or spaces, each `*`, a host name (its subdomains included, a
 * leading dot or `*.` makes no difference), an address or a CIDR block, the first two perhaps with `:port`. As curl
 * and Go read it; there is no standard.
 */
export function isExempt(url: URL, noProxy: string): boolean {
  const host = bareName(url.hostname.toLowerCase());
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== "" && matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return inBlock(entry, host);
  const [, name = entry, itsPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (itsPort !== undefined && itsPort !== port) return false;
  const bare = bareName(name).replace(/^\*?\.+/, "");
  return bare !== "" && (host === bare || (isIP(host) === 0 && host.endsWith(`.${bare}`)));
}

/** Without the brackets of an IPv6 address and the dot that ends an absolute name. */
function bareName(name: string): string {
  return name.replace(/^\[|\]$|\.$/g, "");
}

function inBlock(entry: string, host: string): boolean {
  const [network = "", bits = ""] = entry.split("/");
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || !/^\d+$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const block = new BlockList();
  block.addSubnet(network, Number(bits), type);
  return block.check(host, type);
}
