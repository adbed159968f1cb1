import type { AnyMessage } from "../messages/message.ts";
import type { Checked } from "./problem.ts";

/** Asks for no name resolution: a URL as text, checked, without its trailing slash. `entry` counts from 1. */
export function checkBaseUrl(value: unknown, entry: number): Checked<string> {
  // Credentials in a URL are a secret: no message repeats a URL.
  const wrong = (what: AnyMessage): Checked<string> => ({ ok: false, what });
  if (typeof value !== "string") return wrong({ id: "url.not_text", params: { entry } });
  if (value !== value.trim() || !URL.canParse(value)) return wrong({ id: "url.not_url", params: { entry } });
  const url = new URL(value);
  if (url.protocol !== "https:") return wrong({ id: "url.not_https", params: { entry } });
  if (url.username !== "" || url.password !== "") {
    return {
      ok: false,
      what: { id: "url.has_credentials", params: { entry } },
      instead: { id: "url.take_credentials_out" },
    };
  }
  if (/[?#]/.test(value)) return wrong({ id: "url.has_query", params: { entry } });
  return { ok: true, value: url.origin + url.pathname.replace(/\/+$/, "") };
}

/** A host of WeChat Pay, whose certificate no root of one's own may vouch for. */
export function isWeixinHost(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname.replace(/\.$/, "");
  return host === "weixin.qq.com" || host.endsWith(".weixin.qq.com");
}

/**
 * A forward proxy as `http://host:port`. In the environment variable the scheme and a port 80 may be missing, as other
 * programs allow.
 */
export function checkProxy(value: string, from: "file" | "environment"): Checked<string> {
  const withScheme = from === "environment" && !value.includes("://") ? `http://${value}` : value;
  if (URL.canParse(withScheme)) {
    const url = new URL(withScheme);
    if (url.username !== "" || url.password !== "") {
      return {
        ok: false,
        what: { id: "proxy.has_credentials" },
        instead: { id: "proxy.credentials_into_file" },
      };
    }
    const bare = /^http:\/\/[^/?#\s]+?(:\d{1,5})?\/?$/i.exec(withScheme);
    const port = bare?.[1]?.slice(1) ?? (from === "environment" ? "80" : undefined);
    if (bare && port !== undefined) return { ok: true, value: `http://${url.hostname}:${port}` };
  }
  return { ok: false, what: { id: "proxy.form" } };
}

/** A USB id in lower case and without 0x, as /sys writes it. */
export function plainUsbId(id: string): string {
  return id.toLowerCase().replace(/^0x/, "");
}
