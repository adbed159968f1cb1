import type { Bilingual } from "../../common/language.ts";
import { failureText } from "../../messages/failure-text.ts";
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
  title: { zh: "支付服务", en: "Payment host" },
  dependsOn: ["net.tls"],
  threshold: { warn: "a backup alone answers", fail: "no HTTP answer, 429 or 5xx everywhere" },
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
    return found("pass", `${host(good)} 有应答，${good.ms} ms`, `${host(good)} answers, ${good.ms} ms`, { value });
  if (good !== undefined) {
    return found(
      "warn",
      `只有备用 ${host(good)} 有应答；${wordsOf(primary).zh}`,
      `only the backup ${host(good)} answers; ${wordsOf(primary).en}`,
      { value },
    );
  }
  const words = probes.map(wordsOf);
  const zh = words.map((each) => each.zh).join("；");
  const remedy = remedyFrom(primary.error, probes, mode);
  return found("fail", zh, words.map((each) => each.en).join("; "), { value, remedy });
}

/** Checks that look at what an answer says: whatever is theirs has come from whom it was asked of. */
const OF_ANSWERS: ReadonlySet<string> = new Set(["pay.auth", "pay.authinfo", "time.offset"]);

/** Whether HTTP has answered, and not that it cannot serve. */
function serves({ error, certificate }: Probe): boolean {
  // The certificate was good but for its dates, and HTTP behind it told the time.
  if (error === undefined || certificate?.dateMs !== undefined) return true;
  return OF_ANSWERS.has(error.rule.remedy);
}

function wordsOf(probe: Probe): Bilingual {
  const { error } = probe;
  const status = error?.httpStatus;
  const requestId = error?.context.requestId;
  const where = host(probe);
  if (error !== undefined && typeof status === "number") {
    // "HTTP 502 CODE: words", as status says it.
    const { zh, en } = failureText(error);
    return {
      zh: `${where} 应答 ${zh}${requestId === undefined ? "" : `（Request-ID ${requestId}）`}`,
      en: `${where} answers ${en}${requestId === undefined ? "" : ` (Request-ID ${requestId})`}`,
    };
  }
  const [zh, en] = failures[error?.context.system === "TLS_SILENT" ? "TLS_SILENT" : (error?.code ?? "")] ?? [
    "没有应答",
    "does not answer",
  ];
  return { zh: `${where} ${zh}`, en: `${where} ${en}` };
}

const failures: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  PAY_DNS: ["无法解析", "is not resolved"],
  PAY_CONNECT_REFUSED: ["拒绝连接", "refuses the connection"],
  PAY_CONNECT_TIMEOUT: [
    "连接超时，没有应答（可能被防火墙丢弃）",
    "gives no connection in time (dropped on the way, or nobody answers)",
  ],
  TLS_SILENT: ["已连接，但没有 TLS 应答", "takes the connection, but gives no TLS answer"],
  PAY_UNREACHABLE: ["没有路由", "cannot be reached: no route"],
  PAY_CONNECTION_LOST: ["中断了连接", "breaks the connection off"],
  PAY_TIMEOUT: ["连接后没有应答", "does not answer in time"],
  PAY_ANSWER_NOT_HTTP: ["应答的不是 HTTP", "answers with something that is not HTTP"],
  PAY_ANSWER_TOO_LARGE: ["应答头过大", "answers with headers that are too large"],
};
