import { type ProblemCode, problemTable, type Reply } from "../http/problem.ts";
import { say } from "../language.ts";

/** Everything the gateway itself can refuse with, beside what the guard of every HTTP server here finds. */
const ownTable = {
  CREDENTIALS_MISSING: { status: 401, zh: "没有出示证书或令牌", en: "no certificate and no token was shown" },
  CERTIFICATE_MISSING: {
    status: 401,
    zh: "登记册要求此终端出示证书",
    en: "the register asks this terminal for a certificate",
  },
  CERTIFICATE_FOREIGN: { status: 401, zh: "终端证书不是本网关认可的 CA 签发", en: "the certificate is of no known CA" },
  CERTIFICATE_EXPIRED: {
    status: 401,
    zh: "终端证书不在有效期内",
    en: "the certificate is not valid at this time",
  },
  CERTIFICATE_REVOKED: { status: 401, zh: "终端证书已吊销", en: "the certificate has been revoked" },
  TOKEN_MISSING: { status: 401, zh: "登记册要求此终端出示令牌", en: "the register asks this terminal for a token" },
  TOKEN_UNKNOWN: { status: 401, zh: "令牌不对", en: "the token is not in the register" },
  DEVICE_UNKNOWN: { status: 401, zh: "证书不在登记册中", en: "the certificate is not in the register" },
  CREDENTIALS_DIFFER: {
    status: 401,
    zh: "证书和令牌属于不同的终端",
    en: "certificate and token belong to two terminals",
  },
  NOT_THIS_DEVICE: {
    status: 403,
    zh: "请求与登记册中该终端的内容不符",
    en: "the request differs from this terminal's line in the register",
  },
  RATE_LIMITED: { status: 429, zh: "此终端请求过于频繁", en: "this terminal asks too often" },
  UPSTREAM_FAILED: { status: 502, zh: "未能取得微信支付的完整应答", en: "WeChat Pay gave no whole answer" },
  BUSY: { status: 503, zh: "网关繁忙", en: "the gateway is busy" },
  UPSTREAM_TIMEOUT: { status: 504, zh: "微信支付未在限定时间内应答", en: "WeChat Pay did not answer in time" },
} as const satisfies Record<string, { status: number; zh: string; en: string }>;

export type RefusalCode = keyof typeof ownTable | ProblemCode;

const own: Readonly<Record<string, { status: number; zh: string; en: string }>> = ownTable;

/**
 * A refusal in the shape of WeChat Pay's own errors, which every terminal reads and shows: `code` says that the gateway
 * spoke. It never repeats what the caller sent.
 * @param detail a name from a fixed list
 */
export function refusal(code: RefusalCode, detail = "", retryAfterS?: number): Reply {
  const { status, words } = look(code);
  const message = `${say(words, "both")}${detail === "" ? "" : `: ${detail}`}`;
  return {
    status,
    contentType: "application/json; charset=utf-8",
    body: JSON.stringify({ code: `GATEWAY_${code}`, message }),
    ...(retryAfterS === undefined ? {} : { retryAfterS: Math.max(1, Math.ceil(retryAfterS)) }),
  };
}

function look(code: RefusalCode) {
  const found = own[code];
  if (found !== undefined) return { status: found.status, words: found };
  const { status, title, zh } = problemTable[code as ProblemCode];
  return { status, words: { zh, en: title } };
}
