import type { RemedyRule } from "./remedy-rule.ts";

const NO_INTERFACE = /^PAY_(NOT_FOUND|STATUS_UNEXPECTED)$/;

const wrongPath = {
  gateway: {
    zh: "该地址没有支付接口：请核对 base_urls 中的路径：{urls}。",
    en: "There is no payment interface at this address: check the path in base_urls: {urls}.",
    edits: true,
  },
  direct: {
    zh: "该地址没有支付接口：base_urls 应为 https://api.mch.weixin.qq.com 和 https://api2.mch.weixin.qq.com，现为 {urls}。",
    en: "There is no payment interface at this address: base_urls should be https://api.mch.weixin.qq.com and https://api2.mch.weixin.qq.com, not {urls}.",
    edits: true,
  },
} as const;

const merchants = {
  zh: "商户号不存在：请核对 sp_mchid 与 sub_mchid。",
  en: "No such merchant: check sp_mchid and sub_mchid.",
};

const busy = {
  zh: "支付服务繁忙：请稍候，会自动重试；持续出现请联系支持。",
  en: "The payment service is busy: wait, retries go on. If it lasts, call support.",
};

/**
 * What to do about WeChat Pay's refusals (specification 4). The status, and where there is one the code, say what kind
 * it is; the message only chooses the sentence. The first rule that fits counts.
 */
export const refusalRules: readonly RemedyRule[] = [
  // Before the statuses: a 403 may say so, too.
  { code: /^PAY_(RATE_LIMITED|SERVER_ERROR|UNAVAILABLE)$/, remedy: busy },
  {
    status: 401,
    mode: "direct",
    message: /5分钟|timestamp/,
    remedy: {
      zh: "微信支付认为本机时间不对，请校准：\n  timedatectl set-ntp true",
      en: "WeChat Pay finds this machine's time wrong. Set it:\n  timedatectl set-ntp true",
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
  // WeChat Pay's own word, passed on: it was the gateway that signed.
  {
    status: 401,
    mode: "gateway",
    reason: /^SIGN_ERROR$/,
    remedy: {
      zh: "微信支付不认可商户网关的签名：请总部核对网关的商户私钥和证书序列号。",
      en: "WeChat Pay refuses the gateway's signature: have headquarters check the gateway's merchant key and serial number.",
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
    reason: /^(REQUEST_BLOCKED|RULE_LIMIT)$/,
    remedy: {
      zh: "请求被微信支付的规则拦截：请总部在商户平台查看风险与限制提示。",
      en: "A rule of WeChat Pay's blocks the request: have headquarters look for restrictions on the merchant platform.",
    },
  },
  {
    status: 403,
    message: /设备.*(不属于|未|没有|不存在|不匹配)|(不属于|未登记|未绑定).*设备|device.*(belong|regist|bound|match)/i,
    remedy: {
      zh: "设备没有登记在该商户名下：请总部或设备供应商把设备SN（device_id）登记到该商户。",
      en: "The device is not registered with this merchant: have headquarters or the vendor register this device_id with it.",
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
    reason: /^MCH_NOT_EXISTS$/,
    remedy: merchants,
  },
  {
    status: 400,
    message: /mchid.*不匹配/,
    remedy: {
      zh: "sp_mchid 与请求不符：请核对配置中的 sp_mchid。",
      en: "sp_mchid does not fit the request: check it in the configuration.",
      edits: true,
    },
  },
  {
    status: 400,
    reason: /^APPID_MCHID_NOT_MATCH$/,
    remedy: {
      zh: "appid 与商户号没有绑定：请总部在商户平台绑定，或改正 sp_appid、sub_appid。",
      en: "appid and merchant are not bound: have headquarters bind them, or correct sp_appid and sub_appid.",
    },
  },
  {
    status: 400,
    message: /appid.*(?:不匹配|不一致|不存在|未绑定|没有绑定|无效|mismatch|not match)/i,
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
      zh: "raw_data 无效：请确认刷脸 SDK 与本终端是同一台设备，然后重启刷脸模组。",
      en: "raw_data is refused: make sure the SDK runs on this very device, then restart the bridge.",
    },
  },
  {
    status: 400,
    mode: "gateway",
    remedy: {
      zh: "商户网关或微信支付不接受请求：请按上面的提示核对 [identity] 一节，并请总部查看网关日志。",
      en: "The gateway or WeChat Pay refuses the request: check the section [identity] by the words above, and have headquarters read the gateway's log.",
    },
  },
  {
    status: 400,
    remedy: {
      zh: "微信支付不接受请求参数：请按上面的提示核对 [identity] 一节。",
      en: "WeChat Pay refuses a parameter: check the section [identity] by the words above.",
    },
  },
  { status: 404, reason: /^(MCH_NOT_EXISTS|RESOURCE_NOT_EXISTS)$/, remedy: merchants },
  // Nothing there, nothing that takes a POST, or a status that a payment interface does not have.
  { code: NO_INTERFACE, mode: "direct", remedy: wrongPath.direct },
  { status: 405, mode: "direct", remedy: wrongPath.direct },
  { code: NO_INTERFACE, remedy: wrongPath.gateway },
  { status: 405, remedy: wrongPath.gateway },
];
