import { isAgentError } from "../../common/errors.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Probe } from "../../wechatpay/health-probe.ts";
import type { Check, Outcome } from "../check.ts";
import { found, withoutConfig } from "../outcomes.ts";
import { payProbes } from "../pay-probe.ts";
import { PROBE_MS, remedyFrom } from "./endpoint-checks.ts";

export const ipVersionCheck: Check = {
  id: "net.ipv6",
  code: 506,
  section: "network",
  title: { id: "title.net.ipv6" },
  dependsOn: ["net.dns"],
  threshold: {
    warn: { id: "limit.net.ipv6.warn" },
    fail: { id: "limit.net.ipv6.fail" },
  },
  remedy: checkRemedy("net.ipv6"),
  needsNetwork: true,
  timeoutMs: PROBE_MS,
  async run(context) {
    return context.loaded === undefined ? withoutConfig() : judgeFamilies(await payProbes(context));
  },
};

/** A name that has addresses, none of which this machine's network knows a way to. */
export function judgeFamilies(probes: readonly Probe[]): Outcome {
  const barred = probes.flatMap(({ error }) => (isAgentError(error, "PAY_IP_VERSION") ? [error] : []));
  const [first] = barred;
  if (first === undefined) return found("pass", { id: "ip_version.in_use" });
  const { host, missing } = first.params;
  const value = { host, missing };
  return found(barred.length < probes.length ? "warn" : "fail", first, { value, remedy: remedyFrom(first, probes) });
}
