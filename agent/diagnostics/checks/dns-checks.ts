import { checkRemedy, remedyOf } from "../../messages/remedies/remedies.ts";
import { addressKind, isImpossible } from "../../wechatpay/transport/address-kind.ts";
import type { Check, Outcome } from "../check.ts";
import { hasAnswered, type NameReading } from "../host/dns.ts";
import { found, skipped, withoutConfig } from "../outcomes.ts";
import { hopNames, ways } from "../pay-probe.ts";

const SLOW_RESOLVER_MS = 300;

export const dnsCheck: Check = {
  id: "net.dns",
  code: 503,
  section: "network",
  title: { zh: "域名解析", en: "DNS" },
  dependsOn: ["net.link"],
  threshold: { warn: "a resolver fails or takes >= 300 ms", fail: "no name of a configured host is resolved" },
  remedy: checkRemedy("net.dns"),
  needsNetwork: true,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const names = await hopNames(context);
    if (names.length === 0)
      return skipped("配置的地址是 IP，不需要域名解析", "the configured hosts are given by number");
    return judgeNames(names, ways(context)[0]?.hop.host);
  },
};

/** @param primary the host that is asked first */
export function judgeNames(names: readonly NameReading[], primary: string | undefined): Outcome {
  const value = { names };
  const unresolved = names.filter(({ failure }) => failure !== undefined);
  const list = unresolved.map(({ host, failure }) => `${host} (${failure})`).join(", ");
  if (unresolved.length === names.length) {
    return found("fail", `无法解析 ${list}`, `not resolved: ${list}`, { value, remedy: remedyOfNames(unresolved) });
  }
  if (unresolved.length > 0) {
    const first = unresolved.some(({ host }) => host === primary);
    return found(
      "warn",
      `${first ? "主" : "备用"}域名无法解析：${list}`,
      `${first ? "the primary" : "a backup"} is not resolved: ${list}`,
      { value },
    );
  }
  const resolvers = names.flatMap((name) => name.resolvers);
  const silent = resolvers.find((resolver) => !hasAnswered(resolver));
  if (silent !== undefined) {
    const { server, outcome } = silent;
    return found(
      "warn",
      `DNS 服务器 ${server} 无应答（${outcome}），其他可用`,
      `resolver ${server} fails (${outcome}), another works`,
      { value },
    );
  }
  const slow = resolvers.find(({ ms }) => ms >= SLOW_RESOLVER_MS);
  if (slow !== undefined) {
    return found("warn", `DNS 服务器 ${slow.server} 用了 ${slow.ms} ms`, `resolver ${slow.server} took ${slow.ms} ms`, {
      value,
    });
  }
  const good = names.map(({ host, addresses }) => `${host} ${addresses[0] ?? ""}`).join(", ");
  return found("pass", good, good, { value });
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
  title: { zh: "解析结果", en: "DNS answers" },
  dependsOn: ["net.dns"],
  threshold: { fail: "private, loopback or 198.18/15 address for a public payment host" },
  remedy: checkRemedy("net.dns_sane"),
  needsNetwork: true,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const names = await hopNames(context);
    if (names.length === 0) return skipped("没有需要解析的域名", "no name has to be resolved");
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
  if (odd.length === 0) return found("pass", words(answers), words(answers), { value });
  return found("fail", `解析到不可能的地址：${words(odd)}`, `an address that cannot be: ${words(odd)}`, { value });
}
