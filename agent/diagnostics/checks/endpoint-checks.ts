import { type AgentError, isAgentError } from "../../common/errors.ts";
import type { Bilingual } from "../../common/language.ts";
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
  title: { zh: "网络代理", en: "Proxy" },
  dependsOn: ["net.dns"],
  threshold: { warn: "set but not used", fail: "407, refused or no tunnel" },
  remedy: checkRemedy("net.proxy"),
  needsNetwork: true,
  timeoutMs: PROBE_MS,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const { proxy } = context.loaded.config.wechatpay;
    if (proxy === undefined) return found("pass", "未使用代理", "no proxy is configured");
    if (ways(context).every(({ proxied }) => !proxied)) {
      return found(
        "warn",
        `设置了代理 ${proxy}，但 NO_PROXY 排除了全部地址`,
        `${proxy} is set, but NO_PROXY exempts every base URL`,
      );
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
    return found("pass", `${proxy} 可用`, `${proxy} lets us through`, { value: { proxy } });
  const { httpStatus: proxyStatus } = error;
  const remedy = remedyFrom(error, probes);
  if (error.code === "PAY_PROXY_AUTH") {
    return found("fail", `代理 ${proxy} 要求认证（407）`, `${proxy} wants other credentials (407)`, {
      value: { proxy, status: 407 },
      remedy,
    });
  }
  if (typeof proxyStatus === "number") {
    return found("fail", `代理 ${proxy} 拒绝转发（${proxyStatus}）`, `${proxy} refuses the tunnel (${proxyStatus})`, {
      value: { proxy, status: proxyStatus },
      remedy,
    });
  }
  return found("fail", `无法连接代理 ${proxy}`, `${proxy} cannot be reached`, {
    value: { proxy },
    remedy,
  });
}

/** What to do about one probe's failure, among all that are configured. */
export function remedyFrom(
  error: AgentError | undefined,
  probes: readonly Probe[],
  mode?: "direct" | "gateway",
): Bilingual | undefined {
  return error && remedyOf(failureOf(error, { mode, baseUrls: probes.map(({ baseUrl }) => baseUrl) }));
}

export const captiveCheck: Check = {
  id: "net.captive",
  code: 505,
  section: "network",
  title: { zh: "网页登录", en: "Login page" },
  dependsOn: ["net.dns_sane", "net.ipv6", "net.proxy"],
  threshold: { fail: "a login page or HTML in place of the answer" },
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
  if (first === undefined) return found("pass", "没有网页登录", "no login page in between");
  if (caught.length < probes.length) {
    return found(
      "warn",
      `${host(first)} 的应答不像支付服务`,
      `${host(first)} is answered by something else; another base URL is not`,
    );
  }
  const status = first.portal?.status ?? first.error?.httpStatus;
  const where = first.portal?.host === undefined ? "" : ` -> ${first.portal.host}`;
  if (mode === "gateway" && first.portal === undefined && first.error !== undefined && status !== 511) {
    return found(
      "fail",
      `${host(first)} 的应答不是支付接口的（HTTP ${status}）`,
      `what answers for ${host(first)} is no payment interface (HTTP ${status})`,
      { value: { status }, remedy: remedyFrom(first.error, probes, mode) },
    );
  }
  return found(
    "fail",
    `${host(first)} 由网络中的网页应答（HTTP ${status}${where}）`,
    `a page of the network answers for ${host(first)} (HTTP ${status}${where})`,
    {
      value: { status, host: first.portal?.host },
    },
  );
}

export const tlsCheck: Check = {
  id: "net.tls",
  code: 508,
  section: "network",
  title: { zh: "HTTPS 证书", en: "TLS" },
  dependsOn: ["net.captive"],
  threshold: { fail: "intercepted, name mismatch or not valid" },
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
    return met
      ? found("pass", "证书可信", "the certificate is trusted")
      : skipped("没有建立连接", "no connection came about");
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
    return skipped(
      "证书只是与本机时间不符，见 202 time.offset",
      "only this machine's clock speaks against the certificate: see 202 time.offset",
    );
  }
  if (byDate && certificate !== undefined && clock.wall() < certificate.validFromMs) {
    return found(
      status,
      "按本机时间证书尚未生效：本机时间不对",
      "by this machine's clock the certificate is not valid yet: the clock is wrong",
      {
        value,
        remedy: checkRemedy("time.offset"),
      },
    );
  }
  if (byDate) {
    return found(status, `${host(probe)} 的证书已过期`, `the certificate of ${host(probe)} has expired`, {
      value,
      remedy,
    });
  }
  if (error?.code === "PAY_TLS_NAME") {
    return found(
      status,
      `${host(probe)} 的证书属于 ${certificate?.subject ?? "?"}`,
      `the certificate of ${host(probe)} is for ${certificate?.subject ?? "?"}`,
      { value, remedy },
    );
  }
  // A merchant's own gateway may well have a certificate of the merchant's own.
  if (error?.code === "PAY_TLS_UNTRUSTED" && mode === "gateway") {
    return found(
      status,
      `${host(probe)} 的证书由 ${issuer} 签发，本终端不信任它`,
      `the certificate of ${host(probe)} is issued by ${issuer}, which this terminal does not trust`,
      { value, remedy },
    );
  }
  if (error?.code === "PAY_TLS_UNTRUSTED") {
    return found(
      status,
      `HTTPS 被拦截：${host(probe)} 的证书由 ${issuer} 签发`,
      `HTTPS is intercepted: the certificate of ${host(probe)} is issued by ${issuer}`,
      {
        value,
        remedy,
      },
    );
  }
  return found(status, `${host(probe)} 无法建立加密连接`, `no secure connection with ${host(probe)} could be agreed`, {
    value,
    remedy,
  });
}
