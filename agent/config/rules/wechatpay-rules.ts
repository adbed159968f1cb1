import { isWeixinHost } from "../addresses.ts";
import { schema } from "../keys/schema.ts";
import type { Findings } from "./findings.ts";

const DIRECT_ONLY = ["merchant_serial_no", "merchant_private_key_file"] as const;
const GATEWAY_ONLY = ["client_cert_file", "client_key_file", "bearer_token_file"] as const;

/** Which credentials go with which mode, and which hosts may be vouched for by whom. */
export function wechatpayRules(found: Findings): void {
  const { mode } = found.values.wechatpay;
  if (mode === "direct") directRules(found);
  if (mode === "gateway") gatewayRules(found);
  wayRules(found, mode);
}

interface Endpoint {
  readonly wechatpay: {
    readonly base_urls?: readonly string[];
    readonly ca_file?: string;
    readonly attempt_timeout_ms?: number;
    readonly connect_timeout_ms?: number;
  };
}

/** Rules of the addresses and times, whoever asks. */
export function wayRules(found: Findings<Endpoint>, mode: "direct" | "gateway" | undefined): void {
  baseUrlRules(found, mode);
  const { attempt_timeout_ms: attempt, connect_timeout_ms: connect } = found.values.wechatpay;
  // The default of one beside a smaller value of the other is nobody's mistake.
  const asked = found.has("wechatpay.connect_timeout_ms");
  if (asked && attempt !== undefined && connect !== undefined && connect > attempt) {
    found.warning(
      "wechatpay.connect_timeout_ms",
      {
        zh: `大于 attempt_timeout_ms（${attempt}），不起作用`,
        en: `has no effect: it is longer than attempt_timeout_ms (${attempt})`,
      },
      { zh: "请写较小的值", en: "write a smaller value" },
    );
  }
}

function directRules(found: Findings): void {
  const { accept_key_on_device: accepted } = found.values.wechatpay;
  const refused = accepted === undefined && found.has("wechatpay.accept_key_on_device");
  if (accepted !== true && !refused) {
    found.problem(
      "wechatpay.accept_key_on_device",
      {
        zh: "不是 true：direct 模式会把商户私钥放在终端上，微信支付不建议这样做",
        en: "is not true: direct mode puts the merchant key on this terminal, which WeChat Pay advises against",
      },
      {
        zh: '请改用 mode = "gateway"；若接受此风险，请写 accept_key_on_device = true',
        en: 'use mode = "gateway"; or accept the risk with accept_key_on_device = true',
      },
    );
  }
  for (const key of DIRECT_ONLY) if (!found.has(`wechatpay.${key}`)) needed(found, "direct", key);
  for (const key of GATEWAY_ONLY) if (found.has(`wechatpay.${key}`)) misplaced(found, "gateway", key);
}

function gatewayRules(found: Findings): void {
  if (!found.has("wechatpay.base_urls")) needed(found, "gateway", "base_urls");
  for (const key of DIRECT_ONLY) if (found.has(`wechatpay.${key}`)) misplaced(found, "direct", key);
  if (found.values.wechatpay.accept_key_on_device === true) misplaced(found, "direct", "accept_key_on_device");
  const cert = found.has("wechatpay.client_cert_file");
  const key = found.has("wechatpay.client_key_file");
  if (cert && !key) needed(found, "gateway", "client_key_file");
  if (key && !cert) needed(found, "gateway", "client_cert_file");
  if (!cert && !key && !found.has("wechatpay.bearer_token_file")) {
    found.problem(
      "wechatpay.bearer_token_file",
      { zh: "缺少，也没有其它网关凭据", en: "is missing, and so is any other credential for the gateway" },
      {
        zh: "请写 client_cert_file 和 client_key_file，或 bearer_token_file，或全部",
        en: "write client_cert_file and client_key_file, or bearer_token_file, or all of them",
      },
    );
  }
}

function baseUrlRules(found: Findings<Endpoint>, mode: "direct" | "gateway" | undefined): void {
  const { base_urls = [], ca_file } = found.values.wechatpay;
  const byDefault = mode === "direct" && !found.has("wechatpay.base_urls");
  if (ca_file !== undefined && (byDefault || base_urls.some(isWeixinHost))) {
    found.problem(
      "wechatpay.ca_file",
      {
        zh: "不能用于 weixin.qq.com 的主机，否则冒充者也会被信任",
        en: "is refused for hosts of weixin.qq.com: it could vouch for an impostor",
      },
      { zh: "请删除 ca_file", en: "take ca_file out" },
    );
  }
  const longer = base_urls.findIndex((url) => new URL(url).pathname !== "/");
  if (mode === "direct" && longer !== -1) {
    const { pathname, origin } = new URL(base_urls[longer] ?? "");
    found.problem(
      "wechatpay.base_urls",
      {
        zh: `第 ${longer + 1} 个地址带有路径 ${pathname}：direct 模式下路径会被签名，微信支付将拒绝每个请求`,
        en: `entry ${longer + 1} has the path ${pathname}: in direct mode the path is signed, and WeChat Pay would refuse every request`,
      },
      { zh: `请写 "${origin}"，不带路径`, en: `write "${origin}", without a path` },
    );
  } else if (base_urls.some((url) => /\/v3(\/|$)/.test(new URL(url).pathname))) {
    found.warning(
      "wechatpay.base_urls",
      {
        zh: "地址中已有 /v3，而请求路径会再加上 /v3/offlineface/authinfo",
        en: "already holds /v3, and /v3/offlineface/authinfo is appended",
      },
      { zh: "请去掉 /v3 及其后的部分", en: "leave out /v3 and what follows" },
    );
  }
}

function needed(found: Findings, mode: string, key: keyof typeof schema.wechatpay.fields): void {
  const line = `${key} = ${schema.wechatpay.fields[key].example}`;
  found.problem(
    `wechatpay.${key}`,
    { zh: `缺少：${mode} 模式需要它`, en: `is missing: ${mode} mode needs it` },
    { zh: `请在 [wechatpay] 下写 ${line}`, en: `write ${line} under [wechatpay]` },
  );
}

function misplaced(found: Findings, mode: "direct" | "gateway", key: string): void {
  const present = mode === "direct" ? "gateway" : "direct";
  found.problem(
    `wechatpay.${key}`,
    { zh: `只用于 ${mode} 模式，现为 mode = "${present}"`, en: `belongs to ${mode} mode, but mode is "${present}"` },
    { zh: `请删除 ${key}，或写 mode = "${mode}"`, en: `take ${key} out, or write mode = "${mode}"` },
  );
}
