import { configurationRemedies } from "./configuration-remedies.ts";
import type { RemedyRule } from "./remedy-rule.ts";

const token = {
  zh: "商户网关不认可本终端的令牌：请总部重新下发 bearer_token_file，并核对网关的设备登记表。",
  en: "The gateway does not know this token: have headquarters deploy bearer_token_file again and check the register.",
};

const certificate = {
  zh: "商户网关不认可本终端的证书：请总部核对网关的设备登记表和 CA，或重新下发 client_cert_file 和 client_key_file。",
  en: "The gateway does not know this certificate: have headquarters check its register and CA, or deploy client_cert_file and client_key_file again.",
};

const noToken = {
  zh: "网关设备登记表要求本终端出示令牌，但没有出示：请总部下发令牌，并配置 bearer_token_file。",
  en: "The gateway's register wants a token from this terminal, which shows none: have headquarters deploy one, and set bearer_token_file.",
};

const noCertificate = {
  zh: "网关设备登记表要求本终端出示证书，但没有出示：请总部下发证书，并配置 client_cert_file 和 client_key_file。",
  en: "The gateway's register wants a certificate from this terminal, which shows none: have headquarters deploy one, and set client_cert_file and client_key_file.",
};

const credentials = {
  zh: "商户网关要求证书或令牌：请配置 client_cert_file 和 client_key_file，或 bearer_token_file。",
  en: "The gateway asks for a certificate or a token: set client_cert_file and client_key_file, or bearer_token_file.",
};

const upstream = {
  zh: "商户网关没有得到微信支付的应答：请总部检查网关的网络和密钥；本终端会自动重试。",
  en: "The gateway gets no answer from WeChat Pay: have headquarters check its network and keys. Retries go on.",
};

const busy = {
  zh: "商户网关繁忙：请稍候，会自动重试；持续出现请联系总部。",
  en: "The gateway is busy: wait, retries go on. If it lasts, call headquarters.",
};

/** What to do about the refusals of `facepay-agent gateway` itself, by its own codes (docs/gateway.md), and of TLS in front of one. */
export const gatewayRules: readonly RemedyRule[] = [
  { reason: /^GATEWAY_CERTIFICATE_(EXPIRED|REVOKED)$/, remedy: configurationRemedies["cert.expiry"] },
  { reason: /^GATEWAY_CERTIFICATE_MISSING$/, remedy: noCertificate },
  { reason: /^GATEWAY_TOKEN_MISSING$/, remedy: noToken },
  { reason: /^GATEWAY_(CERTIFICATE_|DEVICE_UNKNOWN$)/, remedy: certificate },
  { reason: /^GATEWAY_TOKEN_/, remedy: token },
  { reason: /^GATEWAY_CREDENTIALS_MISSING$/, remedy: credentials },
  // Any gateway's TLS may say so, too (RFC 8446, 6.2: certificate_required).
  { code: /^PAY_CLIENT_CERTIFICATE$/, reason: /ALERT_CERTIFICATE_REQUIRED$/, remedy: credentials },
  {
    reason: /^GATEWAY_CREDENTIALS_DIFFER$/,
    remedy: {
      zh: "证书和令牌属于两台终端：请总部为本终端同时重新下发两者。",
      en: "Certificate and token belong to two terminals: have headquarters deploy both again for this one.",
    },
  },
  {
    reason: /^GATEWAY_NOT_THIS_DEVICE$/,
    remedy: {
      zh: "本终端的商户号、appid 或设备SN 与网关设备登记表不符：请核对 [identity] 一节与设备登记表。",
      en: "Merchant, appid or device id differ from the gateway's register: compare [identity] with it.",
    },
  },
  {
    reason: /^GATEWAY_RATE_LIMITED$/,
    remedy: {
      zh: "商户网关限制了本终端的请求次数：请稍候，会自动重试；持续出现请确认没有第二台终端使用同一证书或令牌。",
      en: "The gateway finds this terminal asks too often: wait, retries go on. If it lasts, see that no second terminal uses its certificate or token.",
    },
  },
  { reason: /^GATEWAY_UPSTREAM_/, remedy: upstream },
  { reason: /^GATEWAY_BUSY$/, remedy: busy },
  {
    reason: /^GATEWAY_REVOCATION_UNKNOWN$/,
    remedy: {
      zh: "商户网关的证书吊销列表已过时，不接受任何终端的证书：请总部立即更新网关的 crl_file；本终端会自动重试。",
      en: "The gateway's revocation list is out of date, so it accepts no certificate: have headquarters renew its crl_file at once. Retries go on.",
    },
  },
  {
    reason: /^GATEWAY_NOT_FOUND$/,
    remedy: {
      zh: "商户网关上没有该路径：请核对 base_urls 中的路径：{urls}，应与网关的 base_path 一致。",
      en: "The gateway has nothing at this path: check the path in base_urls ({urls}) against base_path of the gateway.",
      edits: true,
    },
  },
  {
    reason: /^GATEWAY_/,
    remedy: {
      zh: "商户网关拒绝了本终端的请求：请总部查看网关日志，并核对终端与网关的版本。",
      en: "The gateway refuses what this terminal sends: have headquarters read its log, and compare the versions of both.",
    },
  },
];
