import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Probe } from "../../wechatpay/health-probe.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { isNumeric } from "../endpoint.ts";
import { type PacketReading, probePacketSizes } from "../host/packet-sizes.ts";
import { found, withoutConfig } from "../outcomes.ts";
import { hopNames, payProbes, ways } from "../pay-probe.ts";
import { PROBE_MS } from "./endpoint-checks.ts";

const SIZES_MS = 6_000;

export const pathMtuCheck: Check = {
  id: "net.mtu",
  code: 509,
  section: "network",
  title: { id: "title.net.mtu" },
  dependsOn: ["net.captive"],
  threshold: { warn: { id: "limit.net.mtu.warn" }, fail: { id: "limit.net.mtu.fail" } },
  remedy: checkRemedy("net.mtu"),
  needsNetwork: true,
  timeoutMs: PROBE_MS + SIZES_MS,
  async run(context, signal) {
    if (context.loaded === undefined) return withoutConfig();
    const probes = await payProbes(context);
    const silent = probes.filter(isSilent);
    for (const probe of silent) {
      const peer = await peerOf(probe, context);
      if (peer === undefined) continue;
      const outcome = judgeSizes(peer.host, await probePacketSizes(peer, signal), silent.length === probes.length);
      if (outcome !== undefined) return outcome;
    }
    return found("pass", { id: silent.length === 0 ? "mtu.answers" : "mtu.not_the_size" });
  },
};

/** The host has taken the connection, whose packets are small, and nothing larger came back. */
function isSilent({ error }: Probe): boolean {
  return error?.code === "PAY_TIMEOUT" || error?.context.system === "TLS_SILENT";
}

/** Undefined behind a proxy, which has a network of its own, and when the name's address is not known. */
async function peerOf({ baseUrl }: Probe, context: DiagnoseContext) {
  const way = ways(context).find((one) => one.baseUrl === baseUrl);
  if (way === undefined || way.proxied) return undefined;
  const { host, port } = way.hop;
  if (isNumeric(host)) return { host, address: host, port };
  const address = (await hopNames(context)).find((name) => name.host === host)?.addresses[0];
  return address === undefined ? undefined : { host, address, port, servername: host };
}

/** Undefined unless small packets alone come through: then it is neither the host nor a firewall. */
export function judgeSizes(host: string, sizes: readonly PacketReading[], everywhere: boolean): Outcome | undefined {
  const passing = sizes.flatMap(({ mtu, answered }) => (answered && mtu !== undefined ? [mtu] : []));
  const usual = sizes.some(({ mtu, answered }) => mtu === undefined && answered);
  if (usual || passing.length === 0) return undefined;
  const octets = Math.max(...passing);
  const value = { host, mtu: octets };
  return found(everywhere ? "fail" : "warn", { id: "mtu.large_lost", params: { host, octets } }, { value });
}
