import { json } from "./answers.ts";
import { parseObject } from "./authinfo-rules.ts";
import type { Verdict } from "./pay-service.ts";

export const ECHO = "/v3/security/echo";

/** The official self-test of credentials (WeChat Pay APIv3: self-test). */
export function echo(body: Buffer, facts: Verdict["facts"]): Verdict {
  const message = parseObject(body)?.echo_message;
  if (typeof message === "string") return { ok: true, facts, json: { echo_message: message } };
  const answer = json(400, { code: "PARAM_ERROR", message: "参数错误", detail: { field: "/echo_message" } });
  return { ok: false, facts, reason: "echo_message", answer };
}
