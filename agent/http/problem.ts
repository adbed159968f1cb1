import type { AgentError } from "../errors.ts";
import { rfc3339 } from "./rfc3339.ts";

/**
 * Everything the local API can refuse with. The code is stable (contract 5); the titles are for people. A problem
 * never repeats what the caller sent: an answer must not become a way to plant text in somebody's log or page.
 */
export const problemTable = {
  // The request itself.
  MALFORMED_REQUEST: { status: 400, title: "This is not an HTTP/1.1 request", zh: "不是有效的 HTTP/1.1 请求" },
  HOST_INVALID: { status: 400, title: "Exactly one Host header is required", zh: "请求必须且只能有一个 Host 头" },
  TARGET_INVALID: {
    status: 400,
    title: "The request target must be a path that starts with one slash",
    zh: "请求目标必须是以单个斜杠开头的路径",
  },
  BODY_INVALID: { status: 400, title: "The body is not a JSON object as asked for", zh: "请求体不是要求的 JSON 对象" },
  BODY_UNEXPECTED: { status: 400, title: "This request takes no body", zh: "此请求不接受请求体" },
  BROWSER_REFUSED: { status: 403, title: "Requests from web pages are refused", zh: "拒绝来自网页的请求" },
  PREFLIGHT_REFUSED: { status: 403, title: "Cross-origin use is not offered", zh: "不提供跨域访问" },
  NOT_FOUND: { status: 404, title: "There is nothing at this path", zh: "此路径不存在" },
  METHOD_NOT_ALLOWED: { status: 405, title: "This path does not know this method", zh: "此路径不支持该方法" },
  REQUEST_TIMEOUT: { status: 408, title: "The request did not arrive in time", zh: "请求未在限定时间内到达" },
  BODY_TOO_LARGE: { status: 413, title: "The body is over 16 KiB", zh: "请求体超过 16 KiB" },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: "The body must be application/json",
    zh: "请求体类型必须是 application/json",
  },
  EXPECTATION_FAILED: { status: 417, title: "This expectation is not met", zh: "不支持此 Expect 要求" },
  HEADERS_TOO_LARGE: { status: 431, title: "The headers are over 8 KiB", zh: "请求头超过 8 KiB" },
  UPGRADE_REFUSED: { status: 501, title: "Only HTTP/1.1 is spoken here", zh: "仅支持 HTTP/1.1" },
  // What was asked for.
  AUTHINFO_ABSENT: { status: 503, title: "There is no authinfo yet", zh: "尚未获取到 authinfo" },
  AUTHINFO_EXPIRED: { status: 503, title: "The authinfo has expired", zh: "authinfo 已过期" },
  UNPROVISIONED: { status: 503, title: "The agent has no configuration yet", zh: "尚未配置" },
  TOO_MANY_SUBSCRIBERS: { status: 503, title: "Too many event streams are open", zh: "事件订阅数已达上限" },
  TOO_BUSY: { status: 503, title: "Too many calls are waiting", zh: "排队的调用过多" },
  SDK_CALL_TIMEOUT: { status: 504, title: "The SDK's answer never came", zh: "SDK 未在限定时间内应答" },
  BRIDGE_UNAVAILABLE: { status: 503, title: "The bridge cannot be reached", zh: "无法连接硬件桥（刷脸设备）" },
  SDK_NATIVE_ERROR: { status: 502, title: "The SDK's native call failed", zh: "SDK 底层调用失败" },
  SDK_CALL_FAILED: { status: 502, title: "The SDK call failed", zh: "SDK 调用失败" },
  REFRESH_FAILED: { status: 502, title: "The refresh failed; it is being retried", zh: "刷新失败，正在重试" },
  REFRESH_TOO_SOON: { status: 429, title: "A refresh was asked for a moment ago", zh: "刚刚已请求刷新，请稍后再试" },
  REFRESH_HELD: { status: 429, title: "WeChat Pay asked us to wait", zh: "微信支付要求稍后再试" },
  PROBE_FAILED: { status: 502, title: "The bridge did not pass the probe", zh: "硬件桥检测失败" },
  NOT_LIVE: { status: 503, title: "A loop of the agent has stopped", zh: "服务内部循环已停止" },
  INTERNAL: { status: 500, title: "The agent made a mistake", zh: "服务内部错误" },
} as const satisfies Record<string, { status: number; title: string; zh: string }>;

export type ProblemCode = keyof typeof problemTable;

/** One answer, ready to be sent. `body` is UTF-8 text. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly retryAfterS?: number;
  readonly allow?: string;
  /** The connection is closed after this answer. */
  readonly close?: boolean;
}

/** What stands in the way of the answer. As the keeper's `Cause`, which nothing of HTTP needs to know. */
interface StandingCause {
  readonly code: string;
  readonly sinceWallMs: number;
  readonly detail?: string;
}

/** The cause to name: the standing one when it is the same failure (it knows since when), else this one, as of now. */
export function causeOf(error: AgentError, wallMs: number, standing?: StandingCause): StandingCause {
  if (standing?.code === error.code) return standing;
  return { code: error.code, sinceWallMs: wallMs, detail: error.message };
}

export interface ProblemFacts {
  readonly detail?: string;
  readonly cause?: StandingCause;
  readonly retryAfterS?: number;
  /** Further members of the document. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** An RFC 9457 document: `{type, title, title_zh, status, code, detail?, cause?: {code, since, detail?}, ...extra}`. */
export function problem(code: ProblemCode, facts: ProblemFacts = {}): Reply {
  const { status, title, zh } = problemTable[code];
  const { detail, cause, retryAfterS, extra } = facts;
  const document = {
    type: `urn:facepay-agent:problem:${code}`,
    title,
    title_zh: zh,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(cause === undefined ? {} : { cause: causeDocument(cause) }),
    ...extra,
  };
  return {
    status,
    contentType: "application/problem+json",
    body: JSON.stringify(document),
    ...(retryAfterS === undefined ? {} : { retryAfterS: Math.max(1, Math.ceil(retryAfterS)) }),
  };
}

export function json(status: number, document: unknown): Reply {
  return { status, contentType: "application/json", body: JSON.stringify(document) ?? "null" };
}

function causeDocument(cause: StandingCause) {
  const { code, sinceWallMs, detail } = cause;
  return { code, since: rfc3339(sinceWallMs), ...(detail === undefined ? {} : { detail }) };
}
