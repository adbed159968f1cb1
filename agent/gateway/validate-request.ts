import type { JsonObject } from "../api/http/body.ts";
import type { RefusalCode } from "./error-responses.ts";
import type { Device } from "./register.ts";

/** What goes to WeChat Pay: made anew from what was checked, so that what is signed is what was looked at. */
export type ValidatedRequest =
  | { readonly ok: true; readonly body: string; readonly secrets: readonly string[] }
  | { readonly ok: false; readonly code: RefusalCode; readonly field: string };

/** The documented order (specification 4); `sub_appid` may be missing. */
const FIELDS = ["sp_appid", "sub_appid", "sub_mchid", "device_id", "raw_data", "organization_id"] as const;

/** What the SDK gives has 368 to 900 characters, the API's predecessor allowed 2048 (WeChat Pay's face-pay documentation). */
const LONGEST_RAW_DATA = 8_192;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const ECHO = /^[\x20-\x7e]{1,256}$/;

const invalid = (field: string): ValidatedRequest => ({ ok: false, code: "BODY_INVALID", field });

/** The body of `POST /v3/offlineface/authinfo`: exactly the six fields, and of this terminal alone. */
export function checkAuthinfo(body: JsonObject | undefined, device: Device, spAppid: string): ValidatedRequest {
  if (body === undefined) return invalid("");
  for (const name of Object.keys(body)) {
    if (!FIELDS.some((known) => known === name)) return invalid("a field that is none of the six");
  }
  const rawData = body.raw_data;
  for (const name of FIELDS) {
    if (typeof body[name] === "string" || (name === "sub_appid" && !(name in body))) continue;
    return invalid(name);
  }
  if (typeof rawData !== "string" || rawData.length > LONGEST_RAW_DATA) return invalid("raw_data");
  if (rawData.length % 4 !== 0 || !BASE64.test(rawData)) return invalid("raw_data");
  const may = {
    sp_appid: spAppid,
    sub_appid: device.subAppid,
    sub_mchid: device.subMchid,
    device_id: device.deviceId,
    raw_data: rawData,
    organization_id: device.organizationId,
  };
  const other = FIELDS.find((name) => body[name] !== may[name]);
  if (other !== undefined) return { ok: false, code: "NOT_THIS_DEVICE", field: other };
  // JSON leaves out what is undefined.
  return { ok: true, body: JSON.stringify(may), secrets: [rawData] };
}

/**
 * The body of `POST /v3/security/echo`, for diagnose. `notify_url`, which makes WeChat Pay call any address, and what is
 * encrypted are not for terminals.
 */
export function checkEcho(body: JsonObject | undefined): ValidatedRequest {
  const message = body?.echo_message;
  if (typeof message !== "string" || !ECHO.test(message)) return invalid("echo_message");
  if (Object.keys(body ?? {}).length > 1) return invalid("a field beside echo_message");
  return { ok: true, body: JSON.stringify({ echo_message: message }), secrets: [] };
}
