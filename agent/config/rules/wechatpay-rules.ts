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

/** Rules of the addresses and times, for direct and gateway mode. */
export function wayRules(found: Findings<Endpoint>, mode: "direct" | "gateway" | undefined): void {
  baseUrlRules(found, mode);
  const { attempt_timeout_ms: attempt, connect_timeout_ms: connect } = found.values.wechatpay;
  // The default of one beside a smaller value of the other is no mistake.
  const asked = found.has("wechatpay.connect_timeout_ms");
  if (asked && attempt !== undefined && connect !== undefined && connect > attempt) {
    found.warning(
      "wechatpay.connect_timeout_ms",
      { id: "wechatpay.connect_longer", params: { attempt } },
      { id: "wechatpay.smaller_value" },
    );
  }
}

function directRules(found: Findings): void {
  const { accept_key_on_device: accepted } = found.values.wechatpay;
  const refused = accepted === undefined && found.has("wechatpay.accept_key_on_device");
  if (accepted !== true && !refused) {
    found.problem(
      "wechatpay.accept_key_on_device",
      { id: "wechatpay.key_on_device" },
      { id: "wechatpay.use_gateway_or_accept" },
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
      { id: "wechatpay.no_credential" },
      { id: "wechatpay.write_credential" },
    );
  }
}

function baseUrlRules(found: Findings<Endpoint>, mode: "direct" | "gateway" | undefined): void {
  const { base_urls = [], ca_file } = found.values.wechatpay;
  const byDefault = mode === "direct" && !found.has("wechatpay.base_urls");
  if (ca_file !== undefined && (byDefault || base_urls.some(isWeixinHost))) {
    found.problem("wechatpay.ca_file", { id: "wechatpay.ca_for_weixin" }, { id: "wechatpay.remove_ca" });
  }
  const longer = base_urls.findIndex((url) => new URL(url).pathname !== "/");
  if (mode === "direct" && longer !== -1) {
    const { pathname, origin } = new URL(base_urls[longer] ?? "");
    found.problem(
      "wechatpay.base_urls",
      { id: "wechatpay.path_in_direct", params: { entry: longer + 1, path: pathname } },
      { id: "wechatpay.without_path", params: { origin } },
    );
  } else if (base_urls.some((url) => /\/v3(\/|$)/.test(new URL(url).pathname))) {
    found.warning("wechatpay.base_urls", { id: "wechatpay.v3_twice" }, { id: "wechatpay.leave_v3_out" });
  }
}

function needed(found: Findings, mode: string, key: keyof typeof schema.wechatpay.fields): void {
  const line = `${key} = ${schema.wechatpay.fields[key].example}`;
  found.problem(
    `wechatpay.${key}`,
    { id: "wechatpay.needed", params: { mode } },
    { id: "value.write_under", params: { section: "wechatpay", line } },
  );
}

function misplaced(found: Findings, mode: "direct" | "gateway", key: string): void {
  const present = mode === "direct" ? "gateway" : "direct";
  found.problem(
    `wechatpay.${key}`,
    { id: "wechatpay.other_mode", params: { mode, present } },
    { id: "wechatpay.remove_or_switch", params: { key, mode } },
  );
}
