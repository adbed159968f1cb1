import { BlockList, isIP } from "node:net";
import { isTencentName } from "../../common/tencent-hosts.ts";

/**
 * Where an address lies. `local`: the shop's own network (RFC 1918, 6598, 4193, link-local). `fake`: an address that no public host
 * has (RFC 2544 benchmarks, which proxies hand out in place of real ones, and 0.0.0.0).
 */
export type AddressKind = "loopback" | "local" | "fake" | "public";

const blocks: readonly (readonly [AddressKind, readonly string[]])[] = [
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  [
    "local",
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10"],
  ],
  [
    "fake",
    ["0.0.0.0/8", "198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "::/128"],
  ],
];

const lists = blocks.map(([kind, subnets]) => {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = "", bits] = subnet.split("/");
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? "ipv6" : "ipv4");
  }
  return [kind, list] as const;
});

export function addressKind(address: string): AddressKind {
  const type = isIP(address) === 6 ? "ipv6" : "ipv4";
  return lists.find(([, list]) => list.check(address, type))?.[0] ?? "public";
}

/**
 * Whether a name cannot have this address, so that the name servers have been made to say so. A name of the merchant's own may well lead
 * into the shop's network; one of WeChat Pay's never does.
 */
export function isImpossible(host: string, address: string): boolean {
  const kind = addressKind(address);
  return kind === "fake" || (isTencentName(host) && kind !== "public");
}
