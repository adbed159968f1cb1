import { SecretSearch } from "../common/log/redact.ts";
import { sanitizeUntrusted } from "../common/log/sanitize-untrusted.ts";
import type { Rejection } from "../credential/credential-types.ts";
import type { JsonObject } from "./http/body.ts";

const MAX_TEXT = 256;

/**
 * The body of `POST /v1/authinfo/reject`; undefined when it is not one. Long texts of the SDK are cut, not refused, and no
 * part of what the app was `given` is left in them. Where the generation is not `isNews` the texts are left out: nothing would show them,
 * the search takes milliseconds, and an app may send any number.
 */
export function readRejection(
  body: JsonObject | undefined,
  given: readonly string[],
  isNews: (generation: number) => boolean,
): Rejection | undefined {
  if (body === undefined) return undefined;
  const { generation, err_code: errCode, return_code: returnCode, return_msg: returnMsg } = body;
  if (typeof generation !== "number" || !Number.isSafeInteger(generation) || generation < 1) return undefined;
  if (errCode !== undefined && typeof errCode !== "number" && typeof errCode !== "string") return undefined;
  if (returnCode !== undefined && typeof returnCode !== "string") return undefined;
  if (returnMsg !== undefined && typeof returnMsg !== "string") return undefined;
  if (!isNews(generation)) return { generation };
  const secrets = new SecretSearch(given);
  const words = (text: string) => sanitizeUntrusted(text, MAX_TEXT, secrets);
  return {
    generation,
    ...(errCode === undefined ? {} : { errCode: typeof errCode === "string" ? words(errCode) : errCode }),
    ...(returnCode === undefined ? {} : { returnCode: words(returnCode) }),
    ...(returnMsg === undefined ? {} : { returnMsg: words(returnMsg) }),
  };
}
