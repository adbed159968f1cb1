import type { AnyMessage } from "../../messages/message.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Probe } from "../../wechatpay/health-probe.ts";
import type { Check, Outcome } from "../check.ts";
import { found, needsSudo, withoutConfig } from "../outcomes.ts";
import { payProbes } from "../pay-probe.ts";
import { host, isTlsFailure, mayMisjudgeTls, PROBE_MS, remedyFrom } from "./endpoint-checks.ts";

export const reachCheck: Check = {
  id: "pay.reach",
  code: 510,
  section: "network",
  title: { id: "title.pay.reach" },
  dependsOn: ["net.tls", "net.mtu"],
  threshold: { warn: { id: "limit.pay.reach.warn" }, fail: { id: "limit.pay.reach.fail" } },
  remedy: checkRemedy("pay.reach"),
  needsNetwork: true,
  timeoutMs: PROBE_MS,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const probes = await payProbes(context);
    const outcome = judgeReach(probes, context.loaded.config.wechatpay.mode);
    const suspect = outcome.status !== "pass" && probes.some(isTlsFailure);
    return suspect && (await mayMisjudgeTls(context)) ? needsSudo : outcome;
  },
};

export function judgeReach(probes: readonly Probe[], mode: "direct" | "gateway"): Outcome {
  const skewMs = probes.find((probe) => probe.skewMs !== undefined)?.skewMs;
  const hosts = probes.map(({ baseUrl, ms, error }) => ({
    base_url: baseUrl,
    ms,
    outcome: error?.code ?? "ok",
    status: error?.httpStatus,
  }));
  const value = { hosts, ...(skewMs === undefined ? {} : { skew_s: Math.round(skewMs) / 1_000 }) };
  const [primary] = probes;
  const good = probes.find(serves);
  if (primary === undefined) return withoutConfig();
  if (good === primary)
    return found("pass", { id: "reach.answers", params: { host: host(good), ms: good.ms } }, { value });
  if (good !== undefined) {
    return found(
      "warn",
      { id: "reach.backup_only", params: { host: host(good), primary: wordsOf(primary) } },
      { value },
    );
  }
  const remedy = remedyFrom(primary.error, probes, mode);
  return found("fail", { id: "reach.list", params: { hosts: probes.map(wordsOf) } }, { value, remedy });
}

/** Checks that look at what an answer says: whatever is theirs has come from whom it was asked of. */
const OF_ANSWERS: ReadonlySet<string> = new Set(["pay.auth", "pay.authinfo", "time.offset"]);

/** Whether HTTP has answered, and not that it cannot serve. */
function serves({ error, certificate }: Probe): boolean {
  // The certificate was good but for its dates, and HTTP behind it told the time.
  if (error === undefined || certificate?.dateMs !== undefined) return true;
  return OF_ANSWERS.has(error.rule.remedy);
}

function wordsOf(probe: Probe): AnyMessage {
  const { error } = probe;
  const where = host(probe);
  const requestId = error?.context.requestId;
  if (error !== undefined && typeof error.httpStatus === "number") {
    // "HTTP 502 CODE: words", as status says it.
    return typeof requestId === "string"
      ? { id: "reach.failure_id", params: { host: where, failure: error, requestId } }
      : { id: "reach.failure", params: { host: where, failure: error } };
  }
  const id = error?.context.system === "TLS_SILENT" ? "reach.tls_silent" : failures[error?.code ?? ""];
  return { id: id ?? "reach.no_answer", params: { host: where } };
}

const failures: Readonly<
  Partial<
    Record<string, `reach.${"dns" | "refused" | "timeout" | "no_route" | "lost" | "silent" | "not_http" | "large"}`>
  >
> = {
  PAY_DNS: "reach.dns",
  PAY_CONNECT_REFUSED: "reach.refused",
  PAY_CONNECT_TIMEOUT: "reach.timeout",
  PAY_UNREACHABLE: "reach.no_route",
  PAY_CONNECTION_LOST: "reach.lost",
  PAY_TIMEOUT: "reach.silent",
  PAY_ANSWER_NOT_HTTP: "reach.not_http",
  PAY_ANSWER_TOO_LARGE: "reach.large",
};
