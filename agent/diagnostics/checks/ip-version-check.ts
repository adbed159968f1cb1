import { isAgentError } from "../../common/errors.ts";
import { failureText } from "../../messages/failure-text.ts";
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
  title: { zh: "IP 地址类型", en: "IP version" },
  dependsOn: ["net.dns"],
  threshold: {
    warn: "true of some hosts only",
    fail: "the hosts have IPv4 addresses only and this terminal has IPv6 only, or the reverse",
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
  if (first === undefined)
    return found("pass", "地址类型可用", "the hosts have addresses of a kind that is in use here");
  const { zh, en } = failureText(first);
  const { host, missing } = first.params;
  const value = { host, missing };
  return found(barred.length < probes.length ? "warn" : "fail", zh, en, { value, remedy: remedyFrom(first, probes) });
}
