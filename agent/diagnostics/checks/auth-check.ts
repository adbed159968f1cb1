import type { AgentError } from "../../common/errors.ts";
import type { Bilingual } from "../../common/language.ts";
import { failureText } from "../../messages/failure-text.ts";
import { checkRemedy, failureIn, failureOf, remedyOf } from "../../messages/remedies/remedies.ts";
import type { Failure } from "../../messages/remedies/remedy-rule.ts";
import type { Probe } from "../../wechatpay/health-probe.ts";
import type { BridgeLine } from "../bridge-line.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { asOf, found, skipped, withoutConfig } from "../outcomes.ts";
import { payProbes } from "../pay-probe.ts";
import { REQUEST_MS, type Tried, tryRequest } from "../trial-request.ts";
import { PROBE_MS } from "./endpoint-checks.ts";

/** Failures of the agent's own requests for an authinfo that the harmless probe may not show: a permission is given by interface. */
const REFUSALS = new Set([
  "PAY_UNAUTHORIZED",
  "PAY_FORBIDDEN",
  "PAY_BAD_REQUEST",
  "PAY_NOT_FOUND",
  "PAY_STATUS_UNEXPECTED",
  "PAY_CLIENT_ERROR",
]);

type Place = Pick<Failure, "mode" | "baseUrls">;

export const authCheck = (line: BridgeLine): Check => ({
  id: "pay.auth",
  code: 511,
  section: "network",
  title: { zh: "商户鉴权", en: "Authentication" },
  // With a wrong clock the best of signatures is refused, and the best of answers not believed.
  dependsOn: ["pay.reach", "time.offset"],
  threshold: {
    warn: "404 to the self-test, which a gateway need not forward",
    fail: "401, 403, 404 to the agent itself, or an answer whose signature does not verify",
  },
  remedy: checkRemedy("pay.auth"),
  needsNetwork: true,
  timeoutMs: REQUEST_MS + PROBE_MS,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const { mode, baseUrls } = context.loaded.config.wechatpay;
    const tried = context.trial && judgeTried(await tryRequest(context, line), { mode, baseUrls });
    if (tried !== undefined) return tried;
    const told = judgeAgentsWord(context.agent);
    if (told?.status === "fail") return told;
    const probes = await payProbes(context);
    const answered = probes.find(({ error }) => error === undefined || error.httpStatus !== undefined) ?? probes[0];
    const judged =
      judgeAuth(answered, { mode, baseUrls }) ?? told ?? judgeLost(answered, { mode, baseUrls }) ?? unknown();
    return context.trial ? withoutRequest(judged) : judged;
  },
});

/** Of a trial: what came of the request itself; undefined when it could not be made. */
function judgeTried(tried: Tried, place: Place): Outcome | undefined {
  if (tried.kind === "untried") return undefined;
  if (tried.kind === "obtained")
    return found("pass", "用新配置成功获取了刷脸凭证", "an authinfo was obtained with this configuration");
  const { error } = tried;
  return refused(failureOf(error, place), failureText(error), valuesOf(error));
}

/** What was not tried is said. */
function withoutRequest(judged: Outcome): Outcome {
  const zh = `${judged.detail.zh}；没有 raw_data，未实际请求刷脸凭证`;
  const en = `${judged.detail.en}; without raw_data the request for an authinfo itself was not tried`;
  return { ...judged, detail: { zh, en } };
}

function unknown(): Outcome {
  return skipped("没有得到可判断的应答", "no answer that could be judged");
}

/** What the running agent's last request came to; undefined when that tells nothing. */
export function judgeAgentsWord(agent: DiagnoseContext["agent"]): Outcome | undefined {
  if (agent.kind !== "running") return undefined;
  const { last_error: last, wechatpay } = agent.status;
  if (last && REFUSALS.has(last.code)) {
    const { code, http_status: status, reason, since } = last;
    const value = { error: code, status, code: reason };
    const outcome = refused(failureIn(last, wechatpay), failureText(last), value);
    return asOf(since, outcome);
  }
  const accepted = wechatpay?.base_urls?.some(({ last_outcome }) => last_outcome === "ok");
  return accepted ? found("pass", "服务最近一次请求已被接受", "the agent's last request was accepted") : undefined;
}

/** The verdict of the probe; undefined when it tells nothing of the merchant. */
function judgeAuth(probe: Probe | undefined, place: Place): Outcome | undefined {
  if (probe === undefined) return undefined;
  const { error, signed } = probe;
  if (error === undefined) return found("pass", "签名自检通过", "the signed self-test was accepted");
  if (!signed) return skipped("没有读到可用的密钥，无法签名", "no usable key could be read to sign with", "key.file");
  if (error.code === "CLOCK_WRONG" || error.code === "PAY_SIGNATURE_EXPIRED") {
    return skipped("本机时间不对", "this machine's clock is wrong", "time.offset");
  }
  if (isLost(error, place)) return undefined;
  // What WeChat Pay has signed it has also accepted.
  if (error.rule.remedy === "pay.authinfo") return found("pass", "签名自检通过", "the signed self-test was accepted");
  const failure = failureOf(error, place);
  const precise = byCode[error.code];
  if (precise !== undefined)
    return found("fail", precise.zh, precise.en, { value: valuesOf(error), remedy: remedyOf(failure) });
  return failure.httpStatus === undefined ? undefined : refused(failure, failureText(error), valuesOf(error));
}

/** A gateway need not forward the self-test, and a wrong path looks just the same, unless it is one of ours, which does. */
function isLost({ code, params }: AgentError, { mode }: Place): boolean {
  return code === "PAY_NOT_FOUND" && mode === "gateway" && !`${params.answerCode ?? ""}`.startsWith("GATEWAY_");
}

/** Where no request of the agent's own has told more. */
function judgeLost(probe: Probe | undefined, place: Place): Outcome | undefined {
  if (probe?.error === undefined || !isLost(probe.error, place)) return undefined;
  const path = `${new URL(probe.baseUrl).pathname.replace(/\/+$/, "")}/v3/security/echo`;
  return found(
    "warn",
    `HTTP 404：${path} 不存在：base_urls 的路径不对，或网关没有转发自检接口`,
    `HTTP 404 for ${path}: the path in base_urls is wrong, or the gateway does not forward the self-test`,
    { value: valuesOf(probe.error), remedy: remedyOf(failureOf(probe.error, place)) },
  );
}

/** The words have been bounded where they came in, and a code in capitals is no secret. */
function refused(failure: Failure, shown: Bilingual, value: unknown): Outcome {
  return found("fail", `被拒绝：${shown.zh}`, `refused: ${shown.en}`, { value, remedy: remedyOf(failure) });
}

function valuesOf({ code, httpStatus, params, context }: AgentError): unknown {
  return { error: code, status: httpStatus, code: params.answerCode, request_id: context.requestId };
}

/** Failures that are told in words of their own. */
const byCode: Readonly<Record<string, Bilingual>> = {
  PAY_SIGNATURE_SERIAL: {
    zh: "应答由另一把微信支付公钥签名",
    en: "the answer is signed with another key than public_key_id",
  },
  PAY_SIGNATURE_INVALID: {
    zh: "应答的签名与公钥文件不符",
    en: "the answer's signature does not fit public_key_file",
  },
  PAY_SIGNATURE_MALFORMED: {
    zh: "应答的 Wechatpay-* 头重复或已损坏",
    en: "the answer's Wechatpay-* headers come twice or are damaged",
  },
  PAY_UNSIGNED: { zh: "应答没有微信支付的签名", en: "the answer bears no signature of WeChat Pay's" },
  PAY_CLIENT_CERTIFICATE: {
    zh: "商户网关拒绝了终端证书",
    en: "the gateway refused this terminal's client certificate",
  },
};
