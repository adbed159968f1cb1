import type { AgentError, FailureRecord } from "../../common/errors.ts";
import type { Text } from "../../messages/message.ts";
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
  title: { id: "title.pay.auth" },
  // With a wrong clock the best of signatures is refused, and the best of answers not believed.
  dependsOn: ["pay.reach", "time.offset"],
  threshold: {
    warn: { id: "limit.pay.auth.warn" },
    fail: { id: "limit.pay.auth.fail" },
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
  if (tried.kind === "obtained") return found("pass", { id: "auth.obtained" });
  const { error } = tried;
  return refused(failureOf(error, place), error, valuesOf(error));
}

/** What was not tried is said. */
function withoutRequest(judged: Outcome): Outcome {
  return { ...judged, detail: { id: "auth.not_requested", params: { detail: judged.detail } } };
}

function unknown(): Outcome {
  return skipped({ id: "auth.unknown" });
}

/** What the running agent's last request came to; undefined when that tells nothing. */
export function judgeAgentsWord(agent: DiagnoseContext["agent"]): Outcome | undefined {
  if (agent.kind !== "running") return undefined;
  const { last_error: last, wechatpay } = agent.status;
  if (last && REFUSALS.has(last.code)) {
    const { code, http_status: status, reason, since } = last;
    const value = { error: code, status, code: reason };
    const outcome = refused(failureIn(last, wechatpay), last, value);
    return asOf(since, outcome);
  }
  const accepted = wechatpay?.base_urls?.some(({ last_outcome }) => last_outcome === "ok");
  return accepted ? found("pass", { id: "auth.accepted" }) : undefined;
}

/** The verdict of the probe; undefined when it tells nothing of the merchant. */
function judgeAuth(probe: Probe | undefined, place: Place): Outcome | undefined {
  if (probe === undefined) return undefined;
  const { error, signed } = probe;
  if (error === undefined) return found("pass", { id: "auth.test_accepted" });
  if (!signed) return skipped({ id: "auth.no_key" }, "key.file");
  if (error.code === "CLOCK_WRONG" || error.code === "PAY_SIGNATURE_EXPIRED") {
    return skipped({ id: "auth.clock" }, "time.offset");
  }
  if (isLost(error, place)) return undefined;
  // What WeChat Pay has signed it has also accepted.
  if (error.rule.remedy === "pay.authinfo") return found("pass", { id: "auth.test_accepted" });
  const failure = failureOf(error, place);
  // Which keys they are is in the failure's own words.
  const precise: Text | undefined = error.code === "PAY_SIGNATURE_SERIAL" ? error : byCode[error.code];
  if (precise !== undefined) return found("fail", precise, { value: valuesOf(error), remedy: remedyOf(failure) });
  return failure.httpStatus === undefined ? undefined : refused(failure, error, valuesOf(error));
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
    { id: "auth.path", params: { path } },
    { value: valuesOf(probe.error), remedy: remedyOf(failureOf(probe.error, place)) },
  );
}

/** The words have been bounded where they came in, and a code in capitals is no secret. */
function refused(failure: Failure, shown: FailureRecord, value: unknown): Outcome {
  return found("fail", { id: "auth.refused", params: { failure: shown } }, { value, remedy: remedyOf(failure) });
}

function valuesOf({ code, httpStatus, params, context }: AgentError): unknown {
  return { error: code, status: httpStatus, code: params.answerCode, request_id: context.requestId };
}

/** Failures that are told in words of their own. */
const byCode: Readonly<Record<string, Text>> = {
  PAY_SIGNATURE_INVALID: { id: "auth.bad_signature" },
  PAY_SIGNATURE_MALFORMED: { id: "auth.bad_headers" },
  PAY_UNSIGNED: { id: "auth.unsigned" },
  PAY_CLIENT_CERTIFICATE: { id: "auth.client_certificate" },
};
