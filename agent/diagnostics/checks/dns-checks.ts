import { isAgentError } from "../../common/errors.ts";
import { checkRemedy, remedyOf } from "../../messages/remedies/remedies.ts";
import type { Probe } from "../../wechatpay/health-probe.ts";
import { addressKind, isImpossible } from "../../wechatpay/transport/address-kind.ts";
import type { Check, Outcome } from "../check.ts";
import { hasAnswered, type NameReading } from "../host/dns.ts";
import { found, skipped, withoutConfig } from "../outcomes.ts";
import { hopNames, payProbes, ways } from "../pay-probe.ts";
import { PROBE_MS, remedyFrom } from "./endpoint-checks.ts";

const SLOW_RESOLVER_MS = 300;

export const dnsCheck: Check = {
  id: "net.dns",
  code: 503,
  section: "network",
  title: { id: "title.net.dns" },
  dependsOn: ["net.link"],
  threshold: { warn: { id: "limit.net.dns.warn" }, fail: { id: "limit.net.dns.fail" } },
  remedy: checkRemedy("net.dns"),
  needsNetwork: true,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const names = await hopNames(context);
    if (names.length === 0) return skipped({ id: "dns.numbers" });
    return judgeNames(names, ways(context)[0]?.hop.host);
  },
};

/** @param primary the host that is asked first */
export function judgeNames(names: readonly NameReading[], primary: string | undefined): Outcome {
  const value = { names };
  const unresolved = names.filter(({ failure }) => failure !== undefined);
  const list = unresolved.map(({ host, failure }) => `${host} (${failure})`).join(", ");
  if (unresolved.length === names.length) {
    return found(
      "fail",
      { id: "dns.unresolved", params: { names: list } },
      { value, remedy: remedyOfNames(unresolved) },
    );
  }
  if (unresolved.length > 0) {
    const id = unresolved.some(({ host }) => host === primary) ? "dns.primary_unresolved" : "dns.backup_unresolved";
    return found("warn", { id, params: { names: list } }, { value });
  }
  const resolvers = names.flatMap((name) => name.resolvers);
  const silent = resolvers.find((resolver) => !hasAnswered(resolver));
  if (silent !== undefined) {
    const { server, outcome } = silent;
    return found("warn", { id: "dns.resolver_fails", params: { server, outcome } }, { value });
  }
  const slow = resolvers.find(({ ms }) => ms >= SLOW_RESOLVER_MS);
  if (slow !== undefined) {
    return found(
      "warn",
      { id: "dns.resolver_slow", params: { server: slow.server, ms: slow.ms } },
      {
        value,
      },
    );
  }
  const good = names.map(({ host, addresses }) => `${host} ${addresses[0] ?? ""}`).join(", ");
  return found("pass", { id: "plain", params: { text: good } }, { value });
}

/** A resolver that answers "no such name" is at work: then it is the name, or what the resolver is made to say. */
function remedyOfNames(unresolved: readonly NameReading[]) {
  const unknown = unresolved.some(
    ({ failure, resolvers }) => failure === "ENOTFOUND" && resolvers.some(({ outcome }) => outcome === "ENOTFOUND"),
  );
  const baseUrls = unresolved.map(({ host }) => `https://${host}`);
  return remedyOf({ code: "PAY_DNS", baseUrls, ...(unknown ? { reason: "ENOTFOUND" } : {}) });
}

export const dnsSaneCheck: Check = {
  id: "net.dns_sane",
  code: 504,
  section: "network",
  title: { id: "title.net.dns_sane" },
  dependsOn: ["net.dns"],
  threshold: { fail: { id: "limit.net.dns_sane.fail" } },
  remedy: checkRemedy("net.dns_sane"),
  needsNetwork: true,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const names = await hopNames(context);
    if (names.length === 0) return skipped({ id: "dns.nothing_to_resolve" });
    return judgeAnswers(names);
  },
};

export function judgeAnswers(names: readonly NameReading[]): Outcome {
  const answers = names.flatMap(({ host, addresses }) =>
    addresses.map((address) => ({ host, address, kind: addressKind(address) })),
  );
  const odd = answers.filter(({ host, address }) => isImpossible(host, address));
  const value = { answers };
  const words = (list: typeof answers) => list.map(({ host, address }) => `${host} -> ${address}`).join(", ");
  if (odd.length === 0) return found("pass", { id: "plain", params: { text: words(answers) } }, { value });
  return found("fail", { id: "dns.impossible", params: { answers: words(odd) } }, { value });
}

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
