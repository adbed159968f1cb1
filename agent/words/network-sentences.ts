import type { SentencePattern } from "./sentence-pattern.ts";

const GATEWAY_WORDS =
  /^HTTP (\d+) (GATEWAY_[A-Z_]+): ((?:(?! \/ ).)*[\u4e00-\u9fff](?:(?! \/ ).)*) \/ ([^:…]*)(?:(?:: |…)(.*))?$/;

/** The English half of such words. */
export function gatewayWordsInEnglish(english: string): string {
  const [, status, code, , words, field = ""] = GATEWAY_WORDS.exec(english) ?? [];
  return status === undefined ? english : `HTTP ${status} ${code}: ${words}${field === "" ? "" : `: ${field}`}`;
}

/** What agent/wechatpay/ and agent/authinfo/ say about a failure, in Chinese. */
export const networkSentences: readonly SentencePattern[] = [
  // Our own gateway says it in both languages (agent/gateway/refusals.ts), and may name a field behind them.
  [GATEWAY_WORDS, "HTTP $1 $2：$3{:5}"],
  // What a server said in its error body stands behind its code.
  [/^HTTP (\d+) ([A-Z][A-Z0-9_]*): (.+)$/, "HTTP $1 $2：「$3」"],
  [/^HTTP (\d+) ([A-Z][A-Z0-9_]*)$/, "HTTP $1 $2"],
  [/^HTTP (\d+)$/, "HTTP $1"],
  [/^HTTP (\d+) ?(.+)$/, "HTTP $1：「$2」"],
  [/^the name could not be resolved$/, "域名无法解析"],
  [/^the name servers did not answer in time$/, "DNS 服务器没有及时应答"],
  [/^the connection was refused$/, "连接被拒绝"],
  [/^no connection within the time allowed$/, "在限定时间内没有建立连接"],
  [/^connected, but no answer to the TLS hello$/, "已连接，但没有 TLS 应答"],
  [/^there is no way to the host$/, "没有通往该主机的网络"],
  [/^the connection was lost before the answer was complete$/, "应答未收完连接就中断了"],
  [/^no complete answer within the time allowed$/, "在限定时间内没有收完应答"],
  [/^no complete answer within (.+) ms$/, "在 $1 毫秒内没有收完应答"],
  [/^the client has been closed$/, "连接已关闭"],
  [/^an exchange ended without an answer$/, "请求结束但没有应答"],
  [/^the request failed in a way nobody foresaw$/, "请求因未知原因失败"],
  [/^no base URL is configured$/, "没有配置 base_urls"],
  [/^direct mode needs the merchant's private key and its serial number$/, "直连模式需要商户私钥及其证书序列号"],
  // TLS and proxy.
  [/^the server's certificate is not issued by a trusted authority$/, "服务器证书不是由受信任的机构签发"],
  [/^the server's certificate is for another name$/, "服务器证书属于另一个域名"],
  [/^the server's certificate is not valid at this time$/, "服务器证书不在有效期内"],
  [
    /^the server's certificate is not valid at the time this terminal's clock shows, which is wrong$/,
    "按本机时间服务器证书不在有效期内：本机时间不对",
  ],
  [/^no secure connection could be agreed$/, "无法建立加密连接"],
  [/^this terminal's client certificate cannot be used or was refused$/, "终端证书无法使用或被拒绝"],
  [/^the proxy gave no connection$/, "代理没有建立连接"],
  [/^the proxy wants other credentials$/, "代理要求其他用户名或密码"],
  [/^the proxy refused the connection$/, "代理拒绝转发"],
  // Answers that are not believed.
  [/^WeChat Pay sent a probe with a wrong signature$/, "微信支付发来了签名错误的探测应答"],
  [/^the network answered with a page of its own$/, "网络用自己的网页代替了应答"],
  [/^the answer is not signed: it has no (.+)$/, "应答没有签名：缺少 $1"],
  [/^a success that nobody signed$/, "应答没有签名"],
  [/^a signature header came twice$/, "签名应答头重复"],
  [/^the signature is not base64$/, "签名不是 base64"],
  [/^the signed timestamp is no Unix time$/, "签名时间不是 Unix 时间"],
  [
    /^the answer is signed with a key that is not the configured public_key_id$/,
    "应答的签名公钥与配置的 public_key_id 不符",
  ],
  [/^this terminal's clock differs from WeChat Pay's by more than 300 s$/, "本机时间与微信支付相差超过 300 秒"],
  [
    /^the signed timestamp is (\d+) s behind this terminal's clock, over 300 s$/,
    "应答的签名时间比本机时间早 $1 秒，超过 300 秒",
  ],
  [
    /^the signed timestamp is (\d+) s ahead of this terminal's clock, over 300 s$/,
    "应答的签名时间比本机时间晚 $1 秒，超过 300 秒",
  ],
  [/^the signature does not fit the answer$/, "签名与应答不符"],
  [/^the answer is older than one already verified$/, "应答早于已验证过的应答"],
  [/^what came back is not HTTP$/, "收到的不是 HTTP 应答"],
  [/^the answer is larger than 64 KiB, or its headers than 16 KiB$/, "应答超过 64 KiB，或其头部超过 16 KiB"],
  [/^the answer is compressed, though plain text was asked for$/, "要求明文，应答却是压缩的"],
  [/^the answer is not UTF-8$/, "应答不是 UTF-8"],
  [/^the answer is no JSON object$/, "应答不是 JSON 对象"],
  [/^the answer is not JSON$/, "应答不是 JSON"],
  [/^the answer holds no authinfo$/, "应答中没有 authinfo"],
  [/^the authinfo is not one to sixteen thousand printable characters$/, "authinfo 不是可打印字符，或过长"],
  [/^expires_in is no whole number of seconds from 60 on$/, "expires_in 不是 60 以上的整数秒"],
  [/^WeChat Pay returned the same authinfo again, whose hour is over$/, "微信支付再次返回了已到期的 authinfo"],
  [
    /^WeChat Pay returned the same authinfo again, which the SDK has rejected$/,
    "微信支付再次返回了已被 SDK 拒绝的 authinfo",
  ],
  [/^WeChat Pay returned the same authinfo again, (.+)$/, "微信支付再次返回了同一个 authinfo"],
  [/^WeChat Pay asked to wait (.+) s more$/, "微信支付要求再等 $1 秒"],
];
