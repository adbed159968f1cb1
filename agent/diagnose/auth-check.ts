import type { AgentError } from "../errors.ts";
import type { Bilingual } from "../language.ts";
import { peerWords } from "../log/peer-words.ts";
import { checkRemedy, remedyFor } from "../remedies.ts";
import type { Probe } from "../wechatpay/probe.ts";
import { sentence } from "../words/sentences.ts";
import { parseRefusal, type Refusal, refusalRemedy } from "./auth-remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "./check.ts";
import { found, skipped, withoutConfig } from "./outcomes.ts";
import { payProbes } from "./pay-probe.ts";
import { PROBE_MS } from "./way-checks.ts";

/** Failures of the agent's own requests for an authinfo that the harmless probe may not show: a permission is given by interface. */
const REFUSALS = new Set(["PAY_UNAUTHORIZED", "PAY_FORBIDDEN", "PAY_BAD_REQUEST", "PAY_CLIENT_ERROR"]);

export const authCheck: Check = {
  id: "pay.auth",
  code: 511,
  section: "network",
  title: { zh: "商户鉴权", en: "Authentication" },
  // With a wrong clock the best of signatures is refused, and the best of answers not believed.
  dependsOn: ["pay.reach", "time.offset"],
  threshold: { fail: "401, 403 or an answer whose signature does not verify" },
  remedy: checkRemedy("pay.auth"),
  needsNetwork: true,
  timeoutMs: PROBE_MS,
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const { mode } = context.loaded.config.wechatpay;
    const told = judgeAgentsWord(context.agent, mode);
    if (told?.status === "fail") return told;
    const probes = await payProbes(context);
    const answered = probes.find(({ error }) => error === undefined || error.context.status !== undefined);
    return judgeAuth(answered ?? probes[0], mode) ?? told ?? unknown();
  },
};

function unknown(): Outcome {
  return skipped("没有得到可判断的应答", "no answer that could be judged");
}

/** What the running agent's last request came to; undefined when that tells nothing. */
export function judgeAgentsWord(agent: DiagnoseContext["agent"], mode: Refusal["mode"]): Outcome | undefined {
  if (agent.kind !== "running") return undefined;
  const { last_error: last, wechatpay } = agent.status as {
    last_error?: { code?: string; detail?: string } | null;
    wechatpay?: { base_urls?: readonly { last_outcome?: string | null }[] } | null;
  };
  if (last?.code !== undefined && REFUSALS.has(last.code)) {
    return refused(parseRefusal(last.detail ?? "", mode) ?? { status: 0, mode }, last.detail ?? last.code);
  }
  const accepted = wechatpay?.base_urls?.some(({ last_outcome }) => last_outcome === "ok");
  return accepted ? found("pass", "服务最近一次请求已被接受", "the agent's last request was accepted") : undefined;
}

/** The verdict of the probe; undefined when it tells nothing of the merchant. */
export function judgeAuth(probe: Probe | undefined, mode: Refusal["mode"]): Outcome | undefined {
  if (probe === undefined) return undefined;
  const { error, signed } = probe;
  if (error === undefined) return found("pass", "签名自检通过", "the signed self-test was accepted");
  if (!signed) return skipped("没有读到可用的密钥，无法签名", "no usable key could be read to sign with", "key.file");
  const { status, answerCode, answerMessage } = error.context;
  if (error.code === "CLOCK_WRONG" || error.code === "PAY_SIGNATURE_EXPIRED") {
    return skipped("本机时间不对", "this machine's clock is wrong", "time.offset");
  }
  if (error.code === "PAY_NOT_FOUND" && mode === "gateway") {
    return skipped(
      "商户网关没有转发自检接口 /v3/security/echo",
      "the gateway does not forward the self-test /v3/security/echo",
    );
  }
  const precise = byCode[error.code];
  if (precise !== undefined)
    return found("fail", precise.zh, precise.en, { value: factsOf(error), remedy: precise.remedy });
  if (typeof status !== "number") return undefined;
  const refusal = { status, code: text(answerCode), message: text(answerMessage), mode };
  return refused(refusal, error.message, error);
}

function refused(refusal: Refusal, words: string, error?: AgentError): Outcome {
  const { status, code } = refusal;
  const shown = sentence(peerWords(words, 200));
  return found("fail", `被拒绝：${shown.zh}`, `refused: ${shown.en}`, {
    value: error === undefined ? { status, code } : factsOf(error),
    remedy: refusalRemedy(refusal) ?? (error && remedyFor(error.code)),
  });
}

function factsOf({ code, context }: AgentError): unknown {
  return { error: code, status: context.status, code: context.answerCode, request_id: context.requestId };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

interface Verdict extends Bilingual {
  readonly remedy: Bilingual;
}

/** Failures that name their cause without the peer's words. */
const byCode: Readonly<Record<string, Verdict>> = {
  PAY_SIGNATURE_SERIAL: {
    zh: "应答由另一把微信支付公钥签名",
    en: "the answer is signed with another key than public_key_id",
    remedy: {
      zh: "public_key_id 与微信支付使用的公钥不符：请总部重新下发公钥 ID 和公钥文件。",
      en: "public_key_id is not the key in use: have headquarters deploy id and key file again.",
    },
  },
  PAY_SIGNATURE_INVALID: {
    zh: "应答的签名与公钥文件不符",
    en: "the answer's signature does not fit public_key_file",
    remedy: {
      zh: "public_key_file 不是 public_key_id 的公钥：请总部重新下发；若经过代理，请确认其不改写应答。",
      en: "public_key_file is not the key of public_key_id: deploy it again; if there is a proxy, it must not rewrite answers.",
    },
  },
  PAY_SIGNATURE_MALFORMED: {
    zh: "应答的 Wechatpay-* 头重复或已损坏",
    en: "the answer's Wechatpay-* headers come twice or are damaged",
    remedy: {
      zh: "网关或代理重复添加或改写了 Wechatpay-* 应答头：请让其原样转发，每个头只出现一次。",
      en: "A gateway or proxy adds or rewrites Wechatpay-* headers: have it forward each of them once, unchanged.",
    },
  },
  PAY_UNSIGNED: {
    zh: "应答没有微信支付的签名",
    en: "the answer bears no signature of WeChat Pay's",
    remedy: {
      zh: "网关或代理去掉了 Wechatpay-* 应答头：请让其原样转发应答头和正文。",
      en: "A gateway or proxy drops the Wechatpay-* headers: have it forward headers and body unchanged.",
    },
  },
  PAY_CLIENT_CERTIFICATE: {
    zh: "商户网关拒绝了终端证书",
    en: "the gateway refused this terminal's client certificate",
    remedy: {
      zh: "终端证书不被认可：请总部核对或重新下发 client_cert_file 和 client_key_file。",
      en: "The client certificate is not accepted: have headquarters check it, or deploy certificate and key again.",
    },
  },
  KEY_FILE: {
    zh: "没有商户私钥或序列号",
    en: "the merchant's key or serial number is missing",
    remedy: {
      zh: "请配置 merchant_private_key_file 和 merchant_serial_no。",
      en: "Set merchant_private_key_file and merchant_serial_no.",
    },
  },
};
