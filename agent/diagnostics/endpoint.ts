import { isIP } from "node:net";
import type { WechatPayConfig } from "../config/config.ts";
import { isExempt } from "../config/no-proxy.ts";
import { addressKind } from "../wechatpay/transport/address-kind.ts";

/** The way to one base URL, as far as the configuration tells it. */
export interface Endpoint {
  readonly baseUrl: string;
  /** Whom this machine itself connects to: the base URL's host, or the proxy's. IPv6 without brackets. */
  readonly hop: { readonly host: string; readonly port: number };
  readonly proxied: boolean;
}

export function endpointsOf({
  baseUrls,
  proxy,
  noProxy,
}: Pick<WechatPayConfig, "baseUrls" | "proxy" | "noProxy">): Endpoint[] {
  return baseUrls.map((baseUrl) => {
    const target = new URL(baseUrl);
    const proxied = proxy !== undefined && !isExempt(target, noProxy);
    return { baseUrl, hop: hopOf(proxied ? new URL(proxy) : target), proxied };
  });
}

function hopOf(url: URL): Endpoint["hop"] {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { host, port: Number(url.port) || (url.protocol === "https:" ? 443 : 80) };
}

export function isNumeric(host: string): boolean {
  return isIP(host) !== 0;
}

/** Whether a hop needs no network outside this machine. */
export function isHere(host: string): boolean {
  return /^localhost\.?$/i.test(host) || (isNumeric(host) && addressKind(host) === "loopback");
}
