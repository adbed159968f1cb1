import type { Bilingual } from "../language.ts";

/** How WeChat Pay or a gateway refused. `code` and `message` are the peer's own words, bounded already. */
export interface Refusal {
  readonly status: number;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly mode: "direct" | "gateway";
}

interface Rule {
  readonly status: number;
  readonly mode?: Refusal["mode"];
  readonly code?: RegExp;
  readonly message?: RegExp;
  readonly remedy: Bilingual;
}

/**
 * What to do about WeChat Pay's refusals (reference "wechatpay" 3.7). The status, and where there is one the code, say what kind
 * it is; the message only chooses the sentence. The first rule that fits counts.
 */
const rules: readonly Rule[] = [
  {
    status: 401,
    mode: "direct",
    message: /5分钟|timestamp/,
    remedy: {
      zh: "微信支付认为本机时间不对：请执行 timedatectl set-ntp true。",
      en: "WeChat Pay finds this machine's time wrong: run timedatectl set-ntp true.",
    },
  },
  {
    status: 401,
    mode: "direct",
    message: /已过期/,
    remedy: {
      zh: "商户 API 证书已过期：请总部在商户平台申请新证书，并同时更换私钥和 merchant_serial_no。",
      en: "The merchant certificate has expired: have headquarters apply for a new one; replace key and merchant_serial_no together.",
    },
  },
  {
    status: 401,
    mode: "direct",
    message: /已作废|已更换证书/,
    remedy: {
      zh: "商户 API 证书已作废或已更换：请向总部索取新私钥和新的 merchant_serial_no。",
      en: "The merchant certificate was revoked or replaced: get the new key and merchant_serial_no from headquarters.",
    },
  },
  {
    status: 401,
    mode: "direct",
    message: /未申请过证书/,
    remedy: {
      zh: "该商户号没有 API 证书：请总部在商户平台申请，并核对 sp_mchid。",
      en: "This merchant has no API certificate: have headquarters apply for one, and check sp_mchid.",
    },
  },
  {
    status: 401,
    mode: "direct",
    message: /APIv3密钥/,
    remedy: {
      zh: "请总部在商户平台设置 APIv3 密钥。",
      en: "Have headquarters set the APIv3 key on the merchant platform.",
    },
  },
  {
    status: 401,
    mode: "direct",
    message: /序列号/,
    remedy: {
      zh: "merchant_serial_no 不对：请总部核对证书序列号（openssl x509 -noout -serial）与 sp_mchid。",
      en: "merchant_serial_no is wrong: check it (openssl x509 -noout -serial) and sp_mchid with headquarters.",
    },
  },
  {
    status: 401,
    mode: "direct",
    message: /Authorization/,
    remedy: {
      zh: "签名信息在途中丢失或被改写：请绕开中间的代理，或让其原样转发 Authorization。",
      en: "Something on the way drops or rewrites the Authorization header: bypass that proxy or have it pass on unchanged.",
    },
  },
  {
    status: 401,
    mode: "direct",
    remedy: {
      zh: "签名错误：商户私钥与 merchant_serial_no 不是一对，请总部同时重新下发两者。",
      en: "Wrong signature: the private key does not belong to merchant_serial_no; have headquarters deploy both again.",
    },
  },
  {
    status: 401,
    mode: "gateway",
    remedy: {
      zh: "商户网关不认可本终端：请总部重新下发 bearer_token_file 或终端证书。",
      en: "The gateway does not know this terminal: have headquarters deploy a new token or client certificate.",
    },
  },
  {
    status: 403,
    code: /^RATE_LIMITED$/,
    remedy: { zh: "请求过于频繁：请稍候，会自动重试。", en: "Too many requests: wait, retries go on." },
  },
  {
    status: 403,
    message: /受理关系/,
    remedy: {
      zh: "sub_mchid 不是该服务商的子商户：请总部核对 sp_mchid 与 sub_mchid 的受理关系。",
      en: "sub_mchid is no sub-merchant of sp_mchid: have headquarters check the relation.",
    },
  },
  {
    status: 403,
    message: /授权已被解除/,
    remedy: {
      zh: "子商户解除了产品授权：请总部让子商户重新授权。",
      en: "The sub-merchant has withdrawn its authorisation: have it granted again.",
    },
  },
  {
    status: 403,
    code: /^(REQUEST_BLOCKED|RULE_LIMIT)$/,
    remedy: {
      zh: "请求被微信支付的规则拦截：请总部在商户平台查看风险与限制提示。",
      en: "A rule of WeChat Pay's blocks the request: have headquarters look for restrictions on the merchant platform.",
    },
  },
  {
    status: 403,
    mode: "gateway",
    remedy: {
      zh: "没有权限：请总部在商户平台开通刷脸产品，并核对网关对本终端的授权。",
      en: "No permission: have headquarters open the face-pay product, and check what the gateway allows this terminal.",
    },
  },
  {
    status: 403,
    remedy: {
      zh: "商户号没有该产品权限：请总部在商户平台产品中心开通刷脸（离线团餐）产品。",
      en: "The merchant lacks this permission: have headquarters open the offline face-pay product on the merchant platform.",
    },
  },
  {
    status: 400,
    message: /Wechatpay-Serial|平台证书序列号/,
    remedy: {
      zh: "public_key_id 不对：请填写总部商户平台显示的微信支付公钥 ID，并核对公钥文件。",
      en: "public_key_id is wrong: write the id shown on the merchant platform, and check the key file.",
    },
  },
  {
    status: 400,
    code: /^MCH_NOT_EXISTS$/,
    remedy: {
      zh: "商户号不存在：请核对 sp_mchid 与 sub_mchid。",
      en: "No such merchant: check sp_mchid and sub_mchid.",
    },
  },
  {
    status: 400,
    message: /mchid.*不匹配/,
    remedy: {
      zh: "sp_mchid 与请求不符：请核对配置中的 sp_mchid。",
      en: "sp_mchid does not fit the request: check it in the configuration.",
    },
  },
  {
    status: 400,
    code: /^APPID_MCHID_NOT_MATCH$/,
    remedy: {
      zh: "appid 与商户号没有绑定：请总部在商户平台绑定，或改正 sp_appid、sub_appid。",
      en: "appid and merchant are not bound: have headquarters bind them, or correct sp_appid and sub_appid.",
    },
  },
  {
    status: 400,
    message: /sub_appid|appid/,
    remedy: {
      zh: "appid 与商户号不匹配：请核对 sp_appid、sub_appid。",
      en: "appid and merchant do not match: check sp_appid and sub_appid.",
    },
  },
  {
    status: 400,
    message: /机构/,
    remedy: {
      zh: "机构ID 不匹配：请总部核对 organization_id（以 O 开头）。",
      en: "organization_id does not match: check it with headquarters (it begins with O).",
    },
  },
  {
    status: 400,
    message: /出厂检测|未登记|注册设备/,
    remedy: {
      zh: "设备未登记：请联系设备供应商登记该设备SN（device_id）。",
      en: "The device is not registered: have the vendor register this device_id.",
    },
  },
  {
    status: 400,
    message: /RawData|raw_data/i,
    remedy: {
      zh: "raw_data 无效：请确认刷脸 SDK 与本终端是同一台设备，然后重启硬件桥。",
      en: "raw_data is refused: make sure the SDK runs on this very device, then restart the bridge.",
    },
  },
  {
    status: 400,
    remedy: {
      zh: "微信支付不接受请求参数：请按上面的提示核对 [identity] 一节。",
      en: "WeChat Pay refuses a parameter: check the section [identity] by the words above.",
    },
  },
];

export function refusalRemedy({ status, code = "", message = "", mode }: Refusal): Bilingual | undefined {
  const fits = (rule: Rule) =>
    rule.status === status &&
    (rule.mode === undefined || rule.mode === mode) &&
    (rule.code === undefined || rule.code.test(code)) &&
    (rule.message === undefined || rule.message.test(message));
  return rules.find(fits)?.remedy;
}

/** "HTTP 403 NO_AUTH: ..." as the agent's errors are worded (agent/wechatpay/failure-classes.ts). */
export function parseRefusal(detail: string, mode: Refusal["mode"]): Refusal | undefined {
  const [, status, code, message] = /^HTTP (\d{3})(?: ([A-Z][A-Z0-9_]*))?(?::? ?(.*))?$/s.exec(detail) ?? [];
  return status === undefined ? undefined : { status: Number(status), code, message, mode };
}
