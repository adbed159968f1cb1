import { checkProxy } from "./addresses.ts";
import type { Problem } from "./problem.ts";
import type { Environment, Settings } from "./settings.ts";

export interface ProxyChoice {
  /** `http://host:port` */
  readonly proxy?: string;
  /** Only for a proxy of the environment: one named in the file is meant for every request. */
  readonly noProxy: string;
  /** "HTTPS_PROXY" when the environment chose it. */
  readonly from?: string;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * The forward proxy: `wechatpay.proxy`, else HTTPS_PROXY with NO_PROXY. As curl does: lower case first, an empty variable counts as
 * unset, and a proxy that `NO_PROXY=*` rules out is not even read.
 */
export function chooseProxy(
  values: { readonly wechatpay: { readonly proxy?: string } },
  settings: Settings,
  env: Environment,
): ProxyChoice {
  const given = settings.get("wechatpay.proxy");
  if (given !== undefined) {
    const { proxy } = values.wechatpay;
    // Refused as text already: its problem is reported there.
    if (proxy === undefined) return { noProxy: "", problems: [], warnings: [] };
    return judge(proxy, "wechatpay.proxy", given.origin, "file", "");
  }
  const name = ["https_proxy", "HTTPS_PROXY"].find((one) => Boolean(env[one]?.trim()));
  const proxy = name === undefined ? undefined : env[name]?.trim();
  if (name !== undefined && proxy !== undefined) {
    const noProxy = env.no_proxy?.trim() || env.NO_PROXY?.trim() || "";
    if (noProxy !== "*") return judge(proxy, name, name, "environment", noProxy);
  }
  const auth = settings.get("wechatpay.proxy_auth_file");
  if (auth === undefined) return { noProxy: "", problems: [], warnings: [] };
  const unused: Problem = {
    key: "wechatpay.proxy_auth_file",
    origin: auth.origin,
    what: { id: "proxy.auth_unused" },
    instead: { id: "proxy.write_key_or_remove" },
  };
  return { noProxy: "", problems: [], warnings: [unused] };
}

function judge(value: string, key: string, origin: string, from: "file" | "environment", noProxy: string): ProxyChoice {
  const checked = checkProxy(value, from);
  if (checked.ok) {
    const source = from === "environment" ? { from: key } : {};
    return { proxy: checked.value, noProxy, ...source, problems: [], warnings: [] };
  }
  const instead = checked.instead ?? { id: from === "file" ? "proxy.write_key" : "proxy.write_variable" };
  return { noProxy: "", problems: [{ key, origin, what: checked.what, instead }], warnings: [] };
}
