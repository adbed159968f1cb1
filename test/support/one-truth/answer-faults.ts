import type { ErrorCode } from "../../../agent/common/errors.ts";
import { refusal } from "../../../agent/gateway/error-responses.ts";
import { catalogues } from "../../../agent/messages/catalogue.ts";
import { type AnswerFault, commonFaults } from "../../../agent/simulator/answer-faults.ts";
import type { TableFault } from "./agree.ts";

type OfAnswers = TableFault<AnswerFault>;

const said = (status: number, code: string, message: string): AnswerFault => ({
  status,
  body: JSON.stringify({ code, message }),
});

function refused(status: number, answerCode: string, message: string, code: ErrorCode, remedy?: RegExp): OfAnswers {
  const name = `HTTP ${status} ${answerCode} ${message}`;
  return { name, made: said(status, answerCode, message), code, ...(remedy === undefined ? {} : { remedy }) };
}

const answered = (
  name: string,
  made: AnswerFault,
  code: ErrorCode,
  more: Pick<OfAnswers, "remedy" | "unseenDead"> = {},
): OfAnswers => ({ name, made, code, ...more });

const unauthorized = (message: string, remedy: RegExp) =>
  refused(401, "SIGN_ERROR", message, "PAY_UNAUTHORIZED", remedy);
const forbidden = (message: string, remedy: RegExp, answerCode = "NO_AUTH") =>
  refused(403, answerCode, message, "PAY_FORBIDDEN", remedy);
const bad = (message: string, remedy: RegExp, answerCode = "PARAM_ERROR") =>
  refused(400, answerCode, message, "PAY_BAD_REQUEST", remedy);

/** What WeChat Pay refuses, in its own words (WeChat Pay APIv3: status codes and error codes). */
export const refusals: readonly OfAnswers[] = [
  unauthorized("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟", /set-ntp/),
  unauthorized("商户证书已过期", /has expired/),
  unauthorized("商户证书已作废", /revoked/),
  unauthorized("商户已更换证书，请使用新证书", /replaced/),
  unauthorized("商户未申请过证书", /no API certificate/),
  unauthorized("商户未设置APIv3密钥", /APIv3/),
  unauthorized("商户证书序列号有误", /merchant_serial_no is wrong/),
  unauthorized("Http头Authorization值格式错误", /Authorization header/),
  unauthorized("签名错误，请检查后再试", /does not belong/),
  forbidden("商户号该产品权限未开通，请前往商户平台>产品中心检查后重试", /face-pay product/),
  forbidden("受理关系不存在", /sub-merchant/),
  forbidden("该产品授权已被解除", /withdrawn/),
  forbidden("请求被拦截", /restrictions/, "REQUEST_BLOCKED"),
  forbidden("交易受限", /restrictions/, "RULE_LIMIT"),
  forbidden("该设备不属于当前商户", /device_id with it/),
  forbidden("设备未绑定", /device_id with it/),
  refused(403, "RATE_LIMITED", "请求过于频繁", "PAY_RATE_LIMITED", /busy/),
  bad("Http头中的Wechatpay-Serial有误", /public_key_id is wrong/),
  bad("平台证书序列号有误", /public_key_id is wrong/),
  bad("商户号不存在", /sp_mchid and sub_mchid/, "MCH_NOT_EXISTS"),
  bad("传入的mchid与签名的商户号不匹配", /sp_mchid does not fit/),
  bad("商户号与appid未绑定", /not bound/, "APPID_MCHID_NOT_MATCH"),
  bad("appid与商户号不匹配", /do not match/),
  bad("sub_appid不存在", /do not match/),
  bad("机构id不匹配", /organization_id/),
  bad("设备未通过出厂检测", /have the vendor register/),
  bad("设备未登记", /have the vendor register/),
  bad("raw_data解析失败", /raw_data is refused/),
  bad("RawData已过期", /raw_data is refused/),
  bad("参数错误", /refuses a parameter/),
  refused(404, "MCH_NOT_EXISTS", "商户号不存在", "PAY_NOT_FOUND", /No such merchant/),
  refused(404, "RESOURCE_NOT_EXISTS", "查询的资源不存在", "PAY_NOT_FOUND", /No such merchant/),
  refused(404, "NOT_FOUND", "请求的资源不存在", "PAY_NOT_FOUND", /no payment interface/),
  refused(405, "METHOD_NOT_ALLOWED", "不支持的请求方法", "PAY_CLIENT_ERROR", /no payment interface/),
  refused(406, "NOT_ACCEPTABLE", "无法生成应答", "PAY_CLIENT_ERROR"),
  refused(413, "TOO_LARGE", "请求过大", "PAY_CLIENT_ERROR"),
  refused(415, "PARAM_ERROR", "不支持的媒体类型", "PAY_CLIENT_ERROR"),
  refused(429, "RATELIMIT_EXCEEDED", "请求超过接口频率限制", "PAY_RATE_LIMITED", /busy/),
  refused(500, "SYSTEM_ERROR", "系统异常，请稍后重试", "PAY_SERVER_ERROR", /busy/),
  refused(501, "NOT_IMPLEMENTED", "未实现", "PAY_SERVER_ERROR", /busy/),
  answered("HTTP 502 with a page", { status: 502 }, "PAY_UNAVAILABLE", { remedy: /busy/ }),
  refused(503, "SERVICE_UNAVAILABLE", "服务不可用，过载保护", "PAY_UNAVAILABLE", /busy/),
  answered("HTTP 504 with a page", { status: 504 }, "PAY_UNAVAILABLE", { remedy: /busy/ }),
];

/** Answers that claim success and are not believed, or that something in between has made. */
export const wrongAnswers: readonly OfAnswers[] = [
  answered("an answer signed with another key", { signature: "unknown-serial" }, "PAY_SIGNATURE_SERIAL", {
    remedy: /not the key in use/,
  }),
  answered("an answer whose signature does not fit", { signature: "bad" }, "PAY_SIGNATURE_INVALID", {
    remedy: /public_key_file is not the key/,
  }),
  answered("an answer that nobody signed", { signature: "none" }, "PAY_UNSIGNED", { remedy: /drops the Wechatpay/ }),
  answered("a probe of WeChat Pay's", { signature: "probe" }, "PAY_SIGNATURE_PROBE"),
  answered("a nonce that is missing", { headers: { "Wechatpay-Nonce": "" } }, "PAY_UNSIGNED"),
  answered("a signature that is not base64", { headers: { "Wechatpay-Signature": "!!" } }, "PAY_SIGNATURE_MALFORMED"),
  answered("a signed time that is none", { headers: { "Wechatpay-Timestamp": "soon" } }, "PAY_SIGNATURE_MALFORMED"),
  answered("a login page with 200", commonFaults.captivePortal, "PAY_CAPTIVE_PORTAL"),
  answered("a way to a login page", commonFaults.redirect, "PAY_REDIRECTED"),
  answered(
    "HTTP 301 elsewhere",
    { status: 301, headers: { Location: "https://other.invalid/" }, body: "" },
    "PAY_REDIRECTED",
  ),
  answered(
    "HTTP 307 elsewhere",
    { status: 307, headers: { Location: "https://other.invalid/" }, body: "" },
    "PAY_REDIRECTED",
  ),
  answered("HTTP 511", { status: 511, body: "<html>login</html>" }, "PAY_CAPTIVE_PORTAL"),
  answered("a compressed answer", { gzip: true }, "PAY_ANSWER_ENCODED"),
  answered("100 MB in place of an answer", { delivery: "huge" }, "PAY_ANSWER_TOO_LARGE"),
  answered("a connection that is reset", { delivery: "reset" }, "PAY_CONNECTION_LOST"),
  answered("a connection that ends before the answer", { delivery: "close" }, "PAY_CONNECTION_LOST"),
  answered("a connection that ends within the answer", { delivery: "close-in-body" }, "PAY_CONNECTION_LOST"),
  answered("chunks that never end", { delivery: "truncated-chunks" }, "PAY_CONNECTION_LOST"),
  answered("an answer in GBK", commonFaults.otherCharset, "PAY_ANSWER_CHARSET"),
  answered("an answer that is no object", { json: [1] }, "PAY_ANSWER_NOT_JSON", { unseenDead: true }),
  answered("no authinfo", commonFaults.missingAuthinfo, "PAY_AUTHINFO_MISSING", { unseenDead: true }),
  answered("an authinfo that is a number", { authinfo: 7 }, "PAY_AUTHINFO_INVALID", { unseenDead: true }),
  answered("an authinfo that is empty", { authinfo: "" }, "PAY_AUTHINFO_INVALID", { unseenDead: true }),
  answered("an authinfo in two lines", { authinfo: "AAAA\nBBBB" }, "PAY_AUTHINFO_INVALID", { unseenDead: true }),
  answered("a lifetime in words", { expiresIn: "soon" }, "PAY_EXPIRES_IN_INVALID", { unseenDead: true }),
  answered("a lifetime of five seconds", { expiresIn: 5 }, "PAY_EXPIRES_IN_INVALID", { unseenDead: true }),
];

/** Every refusal of the reference gateway, and those of others in front of WeChat Pay. */
export const gatewayAnswers: readonly OfAnswers[] = [
  ...(Object.keys(catalogues.en.gatewayRefusals) as (keyof typeof catalogues.en.gatewayRefusals)[]).map((code) => {
    const { status, body } = refusal(code);
    const codes: Readonly<Record<number, ErrorCode>> = {
      ...{ 401: "PAY_UNAUTHORIZED", 403: "PAY_FORBIDDEN", 429: "PAY_RATE_LIMITED" },
      ...{ 502: "PAY_UNAVAILABLE", 503: "PAY_UNAVAILABLE", 504: "PAY_UNAVAILABLE" },
    };
    return answered(`GATEWAY_${code}`, { status, body: String(body) }, codes[status] ?? "PAY_CLIENT_ERROR");
  }),
  refused(404, "GATEWAY_NOT_FOUND", "此路径不存在 / There is nothing", "PAY_NOT_FOUND", /base_path/),
  refused(401, "SIGN_ERROR", "签名错误", "PAY_UNAUTHORIZED", /the gateway's merchant key/),
  refused(401, "BEARER_TOKEN", "the bearer token is wrong", "PAY_UNAUTHORIZED", /new token or client certificate/),
  refused(403, "NO_AUTH", "商户号该产品权限未开通", "PAY_FORBIDDEN", /what the gateway allows/),
  refused(403, "FORBIDDEN", "blocked by the firewall", "PAY_FORBIDDEN", /what the gateway allows/),
  refused(400, "PARAM_ERROR", "参数错误", "PAY_BAD_REQUEST", /gateway's log/),
  { ...refused(404, "NOT_FOUND", "no such route", "PAY_NOT_FOUND", /check the path/), unseenDead: true },
  answered("the gateway's own page with 200", commonFaults.captivePortal, "PAY_CAPTIVE_PORTAL", {
    remedy: /check the path/,
  }),
  answered("the gateway's way to another page", commonFaults.redirect, "PAY_REDIRECTED", { remedy: /check the path/ }),
  answered("a gateway that drops the signature", { signature: "none" }, "PAY_UNSIGNED", { remedy: /forward headers/ }),
  answered("a gateway that cuts the connection", { delivery: "close" }, "PAY_CONNECTION_LOST", {
    remedy: /accepts this terminal/,
  }),
];
