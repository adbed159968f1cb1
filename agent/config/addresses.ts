import type { Checked } from "./problem.ts";

/** Asks for no name resolution: a URL as text, checked, without its trailing slash. `entry` counts from 1. */
export function checkBaseUrl(value: unknown, entry: number): Checked<string> {
  // Credentials in a URL are a secret: no message repeats a URL.
  const wrong = (zh: string, en: string): Checked<string> => ({
    ok: false,
    what: { zh: `第 ${entry} 个地址${zh}`, en: `entry ${entry} ${en}` },
  });
  if (typeof value !== "string") return wrong("不是文本", "is no text");
  if (value !== value.trim() || !URL.canParse(value)) return wrong("不是有效的网址", "is not a URL");
  const url = new URL(value);
  if (url.protocol !== "https:") return wrong("不是 https 地址", "does not begin with https://");
  if (url.username !== "" || url.password !== "") {
    return {
      ok: false,
      what: { zh: `第 ${entry} 个地址含有用户名或密码`, en: `entry ${entry} holds a user name or password` },
      instead: {
        zh: "请从地址中删除；凭据写在 bearer_token_file 或 client_cert_file 指定的文件中",
        en: "take it out of the URL; credentials belong in the files named by bearer_token_file or client_cert_file",
      },
    };
  }
  if (/[?#]/.test(value)) return wrong("含有 ? 或 #", "holds a ? or #");
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
        what: { zh: "代理地址含有用户名或密码", en: "holds the user name or password of the proxy" },
        instead: {
          zh: "请改为 http://host:port，并把 user:password 写入 wechatpay.proxy_auth_file 指定的文件（权限 0400）",
          en: "write http://host:port, and user:password into the file named by wechatpay.proxy_auth_file (mode 0400)",
        },
      };
    }
    const bare = /^http:\/\/[^/?#\s]+?(:\d{1,5})?\/?$/i.exec(withScheme);
    const port = bare?.[1]?.slice(1) ?? (from === "environment" ? "80" : undefined);
    if (bare && port !== undefined) return { ok: true, value: `http://${url.hostname}:${port}` };
  }
  return { ok: false, what: { zh: "不是 http://host:port 形式", en: "does not have the form http://host:port" } };
}

/** A USB id in lower case and without 0x, as /sys writes it. */
export function plainUsbId(id: string): string {
  return id.toLowerCase().replace(/^0x/, "");
}
