import { describe, expect, it } from "vitest";
import type { AgentError, ErrorCode } from "../../../agent/common/errors.ts";
import { failureRules } from "../../../agent/common/failures.ts";
import { SecretSearch } from "../../../agent/common/log/redact.ts";
import { warningCodes } from "../../../agent/common/warnings.ts";
import { type RefusalCode, refusal } from "../../../agent/gateway/error-responses.ts";
import { failureIn, failureOf, remedyFor, remedyOf, remedyRules } from "../../../agent/messages/remedies/remedies.ts";
import type { RemedyRule } from "../../../agent/messages/remedies/remedy-rule.ts";
import { gatewayRefusalsEn } from "../../../agent/messages/replies-en.ts";
import { textById, textOf } from "../../../agent/messages/text-of.ts";
import { classifyStatus } from "../../../agent/wechatpay/failure-classes.ts";
import { failureWith } from "../../support/checks/failures.ts";

describe("remedies", () => {
  it.each(Object.keys(failureRules))("tell in both languages what to do about %s", (code) => {
    const remedy = remedyFor(code);
    expect(remedy?.zh).toMatch(/[\u4e00-\u9fff]/);
    expect(remedy?.en).toMatch(/^[A-Z].*(\.|:\n {2}[\s\S]+)$/);
  });

  it("are not invented for a code of another version", () => {
    expect(remedyFor("NEVER_HEARD_OF")).toBeUndefined();
  });

  it.each(warningCodes)("say what the warning %s means", (code) => {
    const text = textOf(textById(`warning.${code}`, code));
    expect(text.zh).toMatch(/[\u4e00-\u9fff]/);
    expect(text.en).toMatch(/[a-z]/);
  });
});

describe("what the SDK or the line has said itself", () => {
  const told = (code: string, params: object) => remedyOf(failureIn({ code, params: { ...params } }, undefined));

  it.each([
    ["SDK_ERROR", { errCode: 271378577, said: "open camera failed" }, /Camera fault/],
    ["SDK_ERROR", { errCode: 33 }, /SDK's network times out/],
    ["SDK_ERROR", { said: "Unable to get device SN" }, /serial number/],
    ["SDK_NOT_INITIALISED", { variant: "initialising" }, /wait a minute/],
    ["SDK_NOT_INITIALISED", {}, /face service runs/],
    ["SDK_NATIVE_ERROR", { status: 193 }, /WxpayFaceService/],
    ["DEVICE_ID_MISMATCH", { bridge: "A", configured: "B" }, /connect the former one/],
    ["DEVICE_ID_MISSING", {}, /Write device_id under/],
    ["SDK_RAWDATA_INVALID", { variant: "empty" }, /update the bridge's program/],
    ["BRIDGE_OPEN_FAILED", { variant: "not_serial", path: "/dev/video0" }, /driver\.type and driver\.path/],
    ["STORE_WRITE", { errno: "ENOENT", syscall: "open" }, /has been removed: restart/],
    [
      "STORE_WRITE",
      { errno: "EPERM", syscall: "open", directory: "/data/x" },
      /lsattr -d \/data\/x[\s\S]*chattr[\s\S]*security module/,
    ],
    ["STORE_WRITE", { errno: "EACCES", syscall: "open" }, /security module/],
  ])("%s, %s: has its remedy in a status, too", (code, params, remedy) => {
    expect(told(code, params)?.en).toMatch(remedy);
    expect(told(code, params)?.zh).toMatch(/[\u4e00-\u9fff]/);
  });

  it("is left to the check where it says no more than the code", () => {
    expect(told("SDK_ERROR", { errCode: 5 })).toEqual(remedyFor("SDK_ERROR"));
    expect(told("STORE_WRITE", { errno: "ENOSPC", syscall: "write" })).toEqual(remedyFor("STORE_WRITE"));
  });
});

type Mode = "gateway" | "direct";
const places = {
  gateway: { mode: "gateway", baseUrls: ["https://gw.shop.example:8443/pay"] },
  direct: { mode: "direct", baseUrls: ["https://api.mch.weixin.qq.com"] },
} as const;

/** The answer of a server, as the agent's client makes an error of it. */
function answered(status: number, body: object | string = "", headers: Record<string, string> = {}): AgentError {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return classifyStatus({ status, headers, body: Buffer.from(text), wallMs: 0, secrets: new SecretSearch([]) });
}

/** What diagnose says, which has the error itself; and what status and refresh say, which have what the agent tells of it. */
function bothWays(error: AgentError, mode: Mode) {
  const place = places[mode];
  const { code, params } = error;
  const { httpStatus, reason } = failureOf(error);
  const told = {
    ...{ code, params },
    ...(httpStatus === undefined ? {} : { http_status: httpStatus }),
    ...(reason === undefined ? {} : { reason }),
  };
  const status = { mode, base_urls: place.baseUrls.map((base_url) => ({ base_url })) };
  return { diagnose: remedyOf(failureOf(error, place)), status: remedyOf(failureIn(told, status)) };
}

const failed = (code: ErrorCode, context: object = {}) => failureWith(code, { ...context });
const gatewaySays = (code: RefusalCode, detail = "") => {
  const { status, body } = refusal(code, detail);
  return answered(status, body);
};

const cases: readonly [what: string, error: AgentError, mode: Mode, remedy: RegExp, never?: RegExp][] = [
  ["a wrong path at a gateway", answered(404), "gateway", /check the path in base_urls: https:.*8443\/pay/, /firewall/],
  ["a path our gateway does not have", gatewaySays("NOT_FOUND"), "gateway", /path in base_urls .*8443\/pay.*base_path/],
  [
    "a wrong address in direct mode",
    answered(404),
    "direct",
    /base_urls should be https:\/\/api\.mch\.weixin/,
    /outbound/,
  ],
  ["something that takes no POST", answered(405), "gateway", /check the path in base_urls/],
  ["a page number that means nothing", answered(304), "gateway", /check the path in base_urls/, /outbound/],
  ["a merchant that does not exist", answered(404, { code: "MCH_NOT_EXISTS" }), "direct", /sp_mchid and sub_mchid/],
  ["an answer nobody signed", failed("PAY_UNSIGNED"), "gateway", /Wechatpay-\* headers/, /login page/],
  ["a 401 of any gateway", answered(401), "gateway", /gateway does not know this terminal/, /private key/],
  ["a 401 of WeChat Pay", answered(401, { code: "SIGN_ERROR" }), "direct", /Wrong signature/, /gateway/],
  ["WeChat Pay's 401, passed on", answered(401, { code: "SIGN_ERROR" }), "gateway", /gateway's merchant key/],
  ["a token", gatewaySays("TOKEN_UNKNOWN"), "gateway", /bearer_token_file/, /client_cert/],
  ["a token that is not shown", gatewaySays("TOKEN_MISSING"), "gateway", /set bearer_token_file/, /does not know/],
  ["a certificate that is not shown", gatewaySays("CERTIFICATE_MISSING"), "gateway", /set client_cert_file/, /again/],
  ["a foreign certificate", gatewaySays("CERTIFICATE_FOREIGN"), "gateway", /client_cert_file/, /token/],
  ["a list out of date", gatewaySays("REVOCATION_UNKNOWN"), "gateway", /renew its crl_file/, /client_cert_file/],
  ["an expired certificate", gatewaySays("CERTIFICATE_EXPIRED"), "gateway", /request a new one/],
  ["an expired certificate, by TLS", failed("PAY_CLIENT_CERTIFICATE"), "gateway", /request a new one/],
  [
    "a certificate that TLS wants",
    failed("PAY_CLIENT_CERTIFICATE", { system: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" }),
    "gateway",
    /set client_cert_file/,
  ],
  [
    "files that do not fit",
    failed("PAY_CLIENT_CERTIFICATE", { system: "ERR_OSSL_X509_KEY_VALUES_MISMATCH" }),
    "gateway",
    /do not fit/,
  ],
  ["another terminal's appid", gatewaySays("NOT_THIS_DEVICE", "sp_appid"), "gateway", /register/, /bound/],
  ["a field a gateway minds", gatewaySays("BODY_INVALID", "sp_appid"), "gateway", /read its log/, /appid/],
  ["a gateway without WeChat Pay", gatewaySays("UPSTREAM_FAILED", "PAY_DNS"), "gateway", /its network/, /outbound/],
  ["a 403 of a gateway", answered(403), "gateway", /what the gateway allows/],
  ["a 403 of WeChat Pay", answered(403, { code: "NO_AUTH", message: "受理关系不存在" }), "direct", /sub-merchant/],
  ["429", answered(429, "", { "retry-after": "30" }), "direct", /busy: wait/, /outbound/],
  ["429 of our gateway", gatewaySays("RATE_LIMITED"), "gateway", /second terminal/],
  [
    "a 403 for the device",
    answered(403, { code: "NO_AUTH", message: "该设备不属于当前商户" }),
    "direct",
    /device_id with it/,
  ],
  [
    "a 403 for the device, passed on",
    answered(403, { code: "NO_AUTH", message: "设备未绑定" }),
    "gateway",
    /device_id with it/,
  ],
  ["403 RATE_LIMITED", answered(403, { code: "RATE_LIMITED" }), "direct", /busy: wait/],
  ["a connection cut off", failed("PAY_CONNECTION_LOST"), "gateway", /accepts this terminal's cert/, /outbound/],
  ["a connection cut off", failed("PAY_CONNECTION_LOST"), "direct", /a proxy, a firewall/, /gateway|outbound/],
  ["an answer too slow", failed("PAY_TIMEOUT"), "gateway", /check it, and the shop's line/, /outbound/],
  ["an answer too slow", failed("PAY_TIMEOUT"), "direct", /check the shop's line/, /gateway|outbound/],
  ["a page of a gateway's", failed("PAY_CAPTIVE_PORTAL"), "gateway", /check the path in base_urls/],
  ["a way elsewhere", answered(302), "gateway", /check the path in base_urls/],
  ["a way elsewhere", answered(302), "direct", /dedicated line/, /base_urls/],
  ["a network that asks for a login", answered(511), "gateway", /dedicated line/, /base_urls/],
  ["503", answered(503), "gateway", /busy: wait/, /outbound/],
  [
    "a name that does not exist",
    failed("PAY_DNS", { system: "ENOTFOUND" }),
    "gateway",
    /DNS knows no gw\.shop\.example/,
    /223/,
  ],
  ["name servers that are silent", failed("PAY_DNS"), "gateway", /set DNS to/],
  ["WeChat Pay's own name unknown", failed("PAY_DNS", { system: "ENOTFOUND" }), "direct", /set DNS to/],
  ["an unknown authority at a gateway", failed("PAY_TLS_UNTRUSTED"), "gateway", /ca_file/],
  ["an unknown authority in direct mode", failed("PAY_TLS_UNTRUSTED"), "direct", /whitelist/, /ca_file/],
  [
    "a server's key that is too weak",
    failed("PAY_TLS_FAILED", { system: "UNSPECIFIED" }),
    "gateway",
    /too weak: ask whoever runs gw\.shop\.example/,
    /ca_file/,
  ],
  [
    "a weak certificate where somebody intercepts",
    failed("PAY_TLS_FAILED", { system: "UNSPECIFIED" }),
    "direct",
    /whitelist|exempt/i,
    /too weak/,
  ],
  ["a server's expired certificate", failed("PAY_TLS_EXPIRED"), "gateway", /renew/],
  ["another name's certificate", failed("PAY_TLS_NAME"), "gateway", /gw\.shop\.example/],
  [
    "plain HTTP",
    failed("PAY_TLS_FAILED", { system: "ERR_SSL_WRONG_VERSION_NUMBER" }),
    "gateway",
    /does not speak TLS: check the port.*8443/,
    /whitelist/,
  ],
  [
    "no answer to the hello",
    failed("PAY_CONNECT_TIMEOUT", { system: "TLS_SILENT" }),
    "gateway",
    /proxy or middlebox.*8443/,
    /outbound/,
  ],
  ["no connection", failed("PAY_CONNECT_TIMEOUT"), "gateway", /outbound TCP 8443/],
  ["a closed port", failed("PAY_CONNECT_REFUSED"), "direct", /outbound TCP 443/],
  ["a proxy's 403", failureWith("PAY_PROXY.refused", {}, { httpStatus: 403 }), "direct", /CONNECT/],
  ["a proxy that is not there", failed("PAY_PROXY"), "direct", /does not answer/],
  [
    "a clock, whatever is said",
    failureWith("CLOCK_WRONG.status", {}, { httpStatus: 401, answerCode: "SIGN_ERROR" }),
    "direct",
    /timedatectl/,
  ],
];

describe("one fault has one remedy, shown by whomever:", () => {
  it.each(cases)("%s", (_what, error, mode, remedy, never = /(?!)/) => {
    const { diagnose, status } = bothWays(error, mode);
    expect(diagnose?.en).toMatch(remedy);
    expect(diagnose?.en).not.toMatch(never);
    expect(diagnose?.zh).toMatch(/[\u4e00-\u9fff]/);
    expect(status).toEqual(diagnose);
  });

  it("every refusal of our own gateway, which is never taken for one of WeChat Pay's", () => {
    for (const code of Object.keys(gatewayRefusalsEn) as RefusalCode[]) {
      const { diagnose, status } = bothWays(gatewaySays(code, "sp_appid"), "gateway");
      expect(diagnose?.en, code).toMatch(/gateway|client certificate|Certificate and token/);
      expect(status, code).toEqual(diagnose);
    }
  });
});

describe("the words of a refusal", () => {
  const by = (status: number, message: string, code = "PARAM_ERROR") =>
    remedyOf(failureOf(answered(status, { code, message }), places.direct))?.en;

  it("choose among the sentences of its status and code", () => {
    expect(by(401, "商户证书已过期")).toContain("has expired");
    expect(by(403, "商户证书已过期")).not.toContain("has expired");
    expect(by(401, "whatever is new")).toContain("Wrong signature");
    expect(by(400, "sub_mch_id与sub_appid不匹配")).toContain("sp_appid and sub_appid");
    expect(by(400, "商户号和appid不匹配", "APPID_MCHID_NOT_MATCH")).toContain("bound");
  });

  it("are not those of our own request, repeated", () => {
    for (const message of [
      'cannot read {"sp_appid":"wx1","sub_mchid":"1","raw_data":"x"} 不匹配',
      'unexpected "sp_appid": "wx1" 不匹配',
      "bad request: sp_appid=wx1&sub_mchid=1",
    ])
      expect(by(400, message), message).not.toMatch(/appid/);
    // Nor is any of a body that is no JSON, or of its other members.
    const page = answered(400, "appid不匹配");
    expect(remedyOf(failureOf(page, places.gateway))?.en).not.toMatch(/appid/);
    const more = answered(400, { code: "X", message: "no", detail: { value: "appid不匹配" } });
    expect(remedyOf(failureOf(more, places.gateway))?.en).not.toMatch(/appid/);
  });
});

describe("the table of rules", () => {
  it("has no rule that an earlier, wider one hides", () => {
    const conditions = ({ remedy: _remedy, ...rest }: RemedyRule) =>
      new Set(Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`));
    const hidden = remedyRules.flatMap((rule, index) => {
      const own = conditions(rule);
      const wider = remedyRules
        .slice(0, index)
        .find((earlier) => [...conditions(earlier)].every((each) => own.has(each)));
      return wider === undefined ? [] : [`${[...own].join(", ")}: hidden by ${[...conditions(wider)].join(", ")}`];
    });
    expect(hidden).toEqual([]);
  });
});
