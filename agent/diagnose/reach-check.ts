import type { Bilingual } from "../language.ts";
import { checkRemedy } from "../remedies.ts";
import type { Probe } from "../wechatpay/probe.ts";
import { withPorts } from "../words/ports.ts";
import type { Check, Outcome } from "./check.ts";
import { found, withoutConfig } from "./outcomes.ts";
import { payProbes } from "./pay-probe.ts";
import { host, PROBE_MS } from "./way-checks.ts";

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
    return judgeReach(await payProbes(context), context.loaded.config.wechatpay.mode);
  },
};

const busy: Bilingual = {
  zh: "支付服务繁忙：请稍候，会自动重试；持续出现请联系支持。",
  en: "The payment service is busy: wait, retries go on. If it lasts, call support.",
};

const closed: Bilingual = {
  zh: "端口被拒绝：请在防火墙放行 443 出站，并核对 base_urls 的地址和端口。",
  en: "The port is refused: allow outbound TCP 443 in the firewall, and check address and port of base_urls.",
};

const lostRequest: Bilingual = {
  zh: "该地址没有支付接口（404）：请核对 base_urls。",
  en: "There is no payment interface at this address (404): check base_urls.",
};

export function judgeReach(probes: readonly Probe[], mode: "direct" | "gateway"): Outcome {
  const skewMs = probes.find((probe) => probe.skewMs !== undefined)?.skewMs;
  const hosts = probes.map(({ baseUrl, ms, error }) => ({
    base_url: baseUrl,
    ms,
    outcome: error?.code ?? "ok",
    status: error?.context.status,
  }));
  const value = { hosts, ...(skewMs === undefined ? {} : { skew_s: Math.round(skewMs) / 1_000 }) };
  const [primary] = probes;
  const good = probes.find((probe) => serves(probe, mode));
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
  const remedy = remedyOf(primary) ?? checkRemedy("pay.reach");
  const urls = probes.map(({ baseUrl }) => baseUrl);
  return found("fail", zh, words.map((each) => each.en).join("; "), { value, remedy: withPorts(remedy, urls) });
}

/** Whether HTTP has answered, and not that it cannot serve. */
function serves({ error, certificate }: Probe, mode: "direct" | "gateway"): boolean {
  // The certificate was good but for its dates, and HTTP behind it told the time.
  if (error === undefined || certificate?.dateMs !== undefined) return true;
  const { status } = error.context;
  if (typeof status !== "number" || status === 429 || status >= 500) return false;
  // WeChat Pay itself has this path; a gateway need not forward it.
  return status !== 404 || mode === "gateway";
}

function remedyOf({ error }: Probe): Bilingual | undefined {
  const status = error?.context.status;
  if (status === 404) return lostRequest;
  if (typeof status === "number") return busy;
  return error?.code === "PAY_CONNECT_REFUSED" ? closed : undefined;
}

function wordsOf(probe: Probe): Bilingual {
  const { error } = probe;
  const { status, requestId, answerMessage } = error?.context ?? {};
  const where = host(probe);
  if (typeof status === "number") {
    const more = [answerMessage, requestId === undefined ? undefined : `Request-ID ${requestId}`].filter(
      (part) => part !== undefined,
    );
    const tail = more.length === 0 ? "" : ` (${more.join(", ")})`;
    const zh = more.map((part) => (part === answerMessage ? `「${part}」` : part));
    return {
      zh: `${where} 应答 HTTP ${status}${zh.length === 0 ? "" : `（${zh.join("，")}）`}`,
      en: `${where} answers HTTP ${status}${tail}`,
    };
  }
  const [zh, en] = failures[error?.code ?? ""] ?? ["没有应答", "does not answer"];
  return { zh: `${where} ${zh}`, en: `${where} ${en}` };
}

const failures: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  PAY_DNS: ["无法解析", "is not resolved"],
  PAY_CONNECT_REFUSED: ["拒绝连接", "refuses the connection"],
  PAY_CONNECT_TIMEOUT: [
    "连接超时，没有应答（可能被防火墙丢弃）",
    "gives no connection in time (dropped on the way, or nobody answers)",
  ],
  PAY_UNREACHABLE: ["没有路由", "cannot be reached: no route"],
  PAY_CONNECTION_LOST: ["中断了连接", "breaks the connection off"],
  PAY_TIMEOUT: ["连接后没有应答", "does not answer in time"],
  PAY_ANSWER_NOT_HTTP: ["应答的不是 HTTP", "answers with something that is not HTTP"],
  PAY_ANSWER_TOO_LARGE: ["应答头过大", "answers with headers that are too large"],
};
