import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { Random } from "../common/random.ts";

/** One HTTP answer before it is sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** WeChat Pay's side of the key whose public half the terminal has. */
export interface Platform {
  readonly keyId: string;
  readonly privateKeyPem: string;
}

/** How a signature is wrong. "probe" is WeChat Pay's own test of its clients (WeChat Pay APIv3: signature verification). */
export type SignatureKind = "good" | "bad" | "probe" | "unknown-serial" | "none";

/** Signs answers as WeChat Pay does: timestamp, nonce and raw body, each closed by a line feed. */
export class PlatformSigner {
  readonly #keyId: string;
  readonly #key: KeyObject;
  readonly #random: Random;

  constructor(platform: Platform, random: Random) {
    this.#keyId = platform.keyId;
    this.#key = createPrivateKey(platform.privateKeyPem);
    this.#random = random;
  }

  headers(body: Buffer, timestampS: number, kind: SignatureKind): Record<string, string> {
    if (kind === "none") return {};
    const timestamp = String(timestampS);
    const nonce = this.#random.bytes(16).toString("hex").toUpperCase();
    const message = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from("\n")]);
    const signature = sign("RSA-SHA256", kind === "bad" ? Buffer.from("other words") : message, this.#key);
    const text = signature.toString("base64");
    return {
      "Wechatpay-Timestamp": timestamp,
      "Wechatpay-Nonce": nonce,
      "Wechatpay-Signature": kind === "probe" ? `WECHATPAY/SIGNTEST/${text}` : text,
      "Wechatpay-Serial": kind === "unknown-serial" ? "PUB_KEY_ID_0999999999999999999999999999999999" : this.#keyId,
      "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    };
  }
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  const body = Buffer.from(JSON.stringify(value), "utf8");
  return { status, headers: { "Content-Type": "application/json; charset=utf-8", ...headers }, body };
}

export function empty(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: Buffer.alloc(0) };
}

function html(status: number, text: string): Answer {
  return { status, headers: { "Content-Type": "text/html" }, body: Buffer.from(text, "utf8") };
}

/** What WeChat Pay says with a status, where nothing nearer is known (specification 4). Never signed. */
export function usualRefusal(status: number): Answer {
  const [code, message] = usual[status] ?? [];
  if (code !== undefined) return json(status, { code, message });
  if (status === 502 || status === 504) return html(status, `<html><head><title>${status}</title></head></html>`);
  return empty(status);
}

const usual: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ["PARAM_ERROR", "参数错误"],
  401: ["SIGN_ERROR", "签名错误"],
  403: ["NO_AUTH", "商户号该产品权限未开通，请前往商户平台>产品中心检查后重试"],
  429: ["RATELIMIT_EXCEEDED", "请求超过接口频率限制"],
  500: ["SYSTEM_ERROR", "系统异常，请稍后重试"],
  503: ["SERVICE_UNAVAILABLE", "服务不可用，过载保护"],
};
