import { sanitizeUntrusted } from "../common/log/sanitize-untrusted.ts";
import type { Rejection } from "../credential/credential-types.ts";
import type { JsonObject } from "./http/body.ts";

const MAX_TEXT = 256;

/**
 * The body of `POST /v1/authinfo/reject`; undefined when it is not one. Long texts of the SDK are cut, not refused, and cleaned for the
 * log: no part of what the app was `given` may come to stand there. Of a generation that `isNews` does not call so nobody hears the
 * words, and they are left out: to clean them takes milliseconds, and an app may send any number.
 */
export async function readRejection(
  body: JsonObject | undefined,
  given: readonly string[],
  isNews: (generation: number) => boolean,
): Promise<Rejection | undefined> {
  if (body === undefined) return undefined;
  const { generation, err_code: errCode, return_code: returnCode, return_msg: returnMsg } = body;
  if (typeof generation !== "number" || !Number.isSafeInteger(generation) || generation < 1) return undefined;
  if (errCode !== undefined && typeof errCode !== "number" && typeof errCode !== "string") return undefined;
  if (returnCode !== undefined && typeof returnCode !== "string") return undefined;
  if (returnMsg !== undefined && typeof returnMsg !== "string") return undefined;
  if (!isNews(generation)) return { generation };
  // Not at every start: an SDK seldom refuses anything.
  const { redactSecrets } = await import("../common/log/redact.ts");
  const words = (text: string) => sanitizeUntrusted(redactSecrets(text, { secret: given }), MAX_TEXT);
  return {
    generation,
    ...(errCode === undefined ? {} : { errCode: typeof errCode === "string" ? words(errCode) : errCode }),
    ...(returnCode === undefined ? {} : { returnCode: words(returnCode) }),
    ...(returnMsg === undefined ? {} : { returnMsg: words(returnMsg) }),
  };
}
