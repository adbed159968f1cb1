import { type AgentError, isAgentError } from "../../common/errors.ts";
import type { Text } from "../../messages/message.ts";
import { checkRemedy, failureOf, remedyOf } from "../../messages/remedies/remedies.ts";
import type { Probe } from "../../wechatpay/health-probe.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { secretsOf } from "../facts.ts";
import { found, needsSudo, skipped, withoutConfig } from "../outcomes.ts";
import { payProbes, ways } from "../pay-probe.ts";

/** The agent may need as long for its own two tries; the probes end by deadlines of their own. */
export const PROBE_MS = 14_000;

/** Codes of answers that come from somebody in between. */
const PORTAL_CODES = new Set([
  "PAY_CAPTIVE_PORTAL",
  "PAY_REDIRECTED",
  "PAY_ANSWER_TOO_LARGE",
  "PAY_ANSWER_ENCODED",
  "PAY_ANSWER_CHARSET",
]);

export function host({ baseUrl }: { readonly baseUrl: string }): string {
  return new URL(baseUrl).host;
}

export const proxyCheck: Check = {
  id: "net.proxy",
  code: 507,
  section: "network",
  title: { id: "title.net.proxy" },
  dependsOn: ["net.dns"],
  threshold: { warn: { id: "limit.net.proxy.warn" }, fail: { id: "limit.net.proxy.fail" } },
  remedy: checkRemedy("net.proxy"),
  needsNetwork: true,
  timeoutMs: PROBE_MS,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const { proxy } = context.loaded.config.wechatpay;
    if (proxy === undefined) return found("pass", { id: "proxy.none" });
    if (ways(context).every(({ proxied }) => !proxied)) {
      return found("warn", { id: "proxy.exempt", params: { proxy } });
    }
    return judgeProxy(proxy, await payProbes(context));
  },
};

function judgeProxy(proxy: string, probes: readonly Probe[]): Outcome {
  const failures = probes
    .map(({ error }) => error)
    .filter((error) => error?.code === "PAY_PROXY" || error?.code === "PAY_PROXY_AUTH");
  const [error] = failures;
  if (error === undefined || failures.length < probes.length)
    return found("pass", { id: "proxy.good", params: { proxy } }, { value: { proxy } });
  const { httpStatus: proxyStatus } = error;
  const remedy = remedyFrom(error, probes);
  if (error.code === "PAY_PROXY_AUTH") {
    return found(
      "fail",
      { id: "proxy.authentication", params: { proxy } },
      {
        value: { proxy, status: 407 },
        remedy,
      },
    );
  }
  if (typeof proxyStatus === "number") {
    return found(
      "fail",
      { id: "proxy.refuses", params: { proxy, status: proxyStatus } },
      {
        value: { proxy, status: proxyStatus },
        remedy,
      },
    );
  }
  return found(
    "fail",
    { id: "proxy.unreachable", params: { proxy } },
    {
      value: { proxy },
      remedy,
    },
  );
}

/** What to do about one probe's failure, among all that are configured. */
export function remedyFrom(
  error: AgentError | undefined,
  probes: readonly Probe[],
  mode?: "direct" | "gateway",
): Text | undefined {
  return error && remedyOf(failureOf(error, { mode, baseUrls: probes.map(({ baseUrl }) => baseUrl) }));
}

export const captiveCheck: Check = {
  id: "net.captive",
  code: 505,
  section: "network",
  title: { id: "title.net.captive" },
  dependsOn: ["net.dns_sane", "net.ipv6", "net.proxy"],
  threshold: { fail: { id: "limit.net.captive.fail" } },
  remedy: checkRemedy("net.captive"),
  needsNetwork: true,
  timeoutMs: PROBE_MS,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    return judgeCaptive(await payProbes(context), context.loaded.config.wechatpay.mode);
  },
};

function judgeCaptive(probes: readonly Probe[], mode: "direct" | "gateway"): Outcome {
  const caught = probes.filter(({ error, portal }) => portal !== undefined || PORTAL_CODES.has(error?.code ?? ""));
  const [first] = caught;
  if (first === undefined) return found("pass", { id: "captive.none" });
  if (caught.length < probes.length) {
    return found("warn", { id: "captive.one", params: { host: host(first) } });
  }
  const status = first.portal?.status ?? first.error?.httpStatus;
  if (mode === "gateway" && first.portal === undefined && first.error !== undefined && status !== 511) {
    return found(
      "fail",
      { id: "captive.not_payment", params: { host: host(first), status: `${status ?? "?"}` } },
      { value: { status }, remedy: remedyFrom(first.error, probes, mode) },
    );
  }
  return found(
    "fail",
    first.portal?.host === undefined
      ? { id: "captive.page", params: { host: host(first), status: `${status ?? "?"}` } }
      : { id: "captive.page_at", params: { host: host(first), status: `${status ?? "?"}`, at: first.portal.host } },
    {
      value: { status, host: first.portal?.host },
    },
  );
}

export const tlsCheck: Check = {
  id: "net.tls",
  code: 508,
  section: "network",
  title: { id: "title.net.tls" },
  dependsOn: ["net.captive"],
  threshold: { fail: { id: "limit.net.tls.fail" } },
  remedy: checkRemedy("net.tls"),
  needsNetwork: true,
  timeoutMs: PROBE_MS,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const outcome = judgeTls(await payProbes(context), context, context.loaded.config.wechatpay.mode);
    return outcome.status !== "pass" && (await mayMisjudgeTls(context)) ? needsSudo : outcome;
  },
};

/** Asked without the root and the client certificate that only the service's user may read, a server may well refuse. */
export async function mayMisjudgeTls(context: DiagnoseContext): Promise<boolean> {
  return !context.privileged && (await secretsOf(context)).secrets === undefined;
}

/** Whether a probe failed over TLS, before any HTTP. */
export function isTlsFailure({ error }: Probe): boolean {
  if (!isAgentError(error)) return false;
  return /^PAY_TLS_/.test(error.code) || (error.code === "CLOCK_WRONG" && error.httpStatus === undefined);
}

/** Beyond this it is our clock that a certificate's dates speak of. */
const MISLEADING_SKEW_MS = 120_000;

export function judgeTls(
  probes: readonly Probe[],
  { clock }: Pick<DiagnoseContext, "clock">,
  mode: "direct" | "gateway",
): Outcome {
  const failed = probes.filter(isTlsFailure);
  const [probe] = failed;
  if (probe === undefined) {
    const met = probes.some(
      ({ error }) => error === undefined || error.httpStatus !== undefined || error.code === "PAY_CLIENT_CERTIFICATE",
    );
    return met ? found("pass", { id: "tls.trusted" }) : skipped({ id: "tls.no_connection" });
  }
  const { certificate, error, skewMs } = probe;
  const issuer = certificate?.issuer ?? "?";
  const value = {
    code: error?.code,
    issuer: certificate?.issuer,
    subject: certificate?.subject,
    distrust: certificate?.distrust,
  };
  const status = failed.length < probes.length ? "warn" : "fail";
  const remedy = remedyFrom(error, probes);
  const byDate = error?.code === "PAY_TLS_EXPIRED" || error?.code === "CLOCK_WRONG";
  if (byDate && skewMs !== undefined && Math.abs(skewMs) > MISLEADING_SKEW_MS) {
    return skipped({ id: "tls.see_clock" });
  }
  if (byDate && certificate !== undefined && clock.wall() < certificate.validFromMs) {
    return found(
      status,
      { id: "tls.clock_wrong" },
      {
        value,
        remedy: checkRemedy("time.offset"),
      },
    );
  }
  if (byDate) {
    return found(
      status,
      { id: "tls.expired", params: { host: host(probe) } },
      {
        value,
        remedy,
      },
    );
  }
  if (error?.code === "PAY_TLS_NAME") {
    return found(
      status,
      { id: "tls.other_name", params: { host: host(probe), subject: certificate?.subject ?? "?" } },
      { value, remedy },
    );
  }
  // A merchant's own gateway may well have a certificate of the merchant's own, where ca_file does not name its authority.
  if (error?.id === "PAY_TLS_UNTRUSTED" && mode === "gateway") {
    return found(status, { id: "tls.untrusted", params: { host: host(probe), issuer } }, { value, remedy });
  }
  if (error?.code === "PAY_TLS_UNTRUSTED") {
    return found(
      status,
      { id: "tls.intercepted", params: { host: host(probe), issuer } },
      {
        value,
        remedy,
      },
    );
  }
  return found(
    status,
    { id: "tls.failed", params: { host: host(probe) } },
    {
      value,
      remedy,
    },
  );
}
