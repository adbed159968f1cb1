/** Titles of the local API's problem documents, by code (specification 5), and the gateway's refusals, by code without GATEWAY_. */
export const problemTitlesEn = {
  MALFORMED_REQUEST: "This is not an HTTP/1.1 request",
  HOST_INVALID: "Exactly one Host header is required",
  TARGET_INVALID: "The request target must be a path that starts with one slash",
  QUERY_INVALID: "The part of the request after the question mark is not what this request takes",
  BODY_INVALID: "The body is not the JSON object this request takes",
  BODY_UNEXPECTED: "This request takes no body",
  BROWSER_REFUSED: "Requests from web pages are refused",
  PREFLIGHT_REFUSED: "Cross-origin requests are not supported",
  NOT_FOUND: "Not found",
  METHOD_NOT_ALLOWED: "Method not allowed",
  REQUEST_TIMEOUT: "The request did not arrive in time",
  BODY_TOO_LARGE: "The body is over 16 KiB",
  UNSUPPORTED_MEDIA_TYPE: "The body must be application/json",
  EXPECTATION_FAILED: "This expectation is not supported",
  PIPELINE_TOO_LONG: "Too many requests of this connection are waiting for their answers",
  HEADERS_TOO_LARGE: "The headers are over 8 KiB",
  AUTHINFO_ABSENT: "There is no authinfo yet",
  AUTHINFO_EXPIRED: "The authinfo has expired",
  UNPROVISIONED: "The agent has no configuration yet",
  TOO_MANY_SUBSCRIBERS: "Too many event streams are open",
  TOO_BUSY: "Too many calls are waiting",
  SDK_CALL_TIMEOUT: "The SDK did not answer in time",
  BRIDGE_UNAVAILABLE: "The bridge cannot be reached",
  SDK_NATIVE_ERROR: "The SDK's native call failed",
  SDK_CALL_FAILED: "The SDK call failed",
  REFRESH_FAILED: "The refresh failed; it is being retried",
  REFRESH_TOO_SOON: "A refresh was requested less than 10 s ago",
  REFRESH_HELD: "WeChat Pay asked to wait",
  PROBE_FAILED: "The bridge did not pass the probe",
  NOT_LIVE: "A loop of the agent has stopped",
  INTERNAL: "Internal error",
} as const;

export type ProblemCode = keyof typeof problemTitlesEn;
export type ProblemTitles = Readonly<Record<ProblemCode, string>>;

export const gatewayRefusalsEn = {
  CREDENTIALS_MISSING: "neither certificate nor token was presented",
  CERTIFICATE_MISSING: "the device register requires a certificate from this terminal",
  CERTIFICATE_FOREIGN: "the certificate is not issued by an accepted CA",
  CERTIFICATE_EXPIRED: "the certificate is not valid at this time",
  CERTIFICATE_REVOKED: "the certificate has been revoked",
  TOKEN_MISSING: "the device register requires a token from this terminal",
  TOKEN_UNKNOWN: "the token is not in the device register",
  DEVICE_UNKNOWN: "the certificate is not in the device register",
  CREDENTIALS_DIFFER: "certificate and token belong to different terminals",
  NOT_THIS_DEVICE: "the request differs from this terminal's entry in the device register",
  RATE_LIMITED: "this terminal sends requests too often",
  UPSTREAM_FAILED: "WeChat Pay gave no complete answer",
  BUSY: "the gateway is busy",
  REVOCATION_UNKNOWN: "the gateway's revocation list is out of date, so it accepts no certificate of that authority",
  UPSTREAM_TIMEOUT: "WeChat Pay did not answer in time",
} as const;

export type GatewayRefusalTexts = Readonly<Record<keyof typeof gatewayRefusalsEn, string>>;

/** The text of a code "GATEWAY_..." in one language, undefined for any other code. */
export function gatewayRefusal(
  answerCode: string | undefined,
  ...tables: readonly Readonly<Record<string, string>>[]
): string | undefined {
  const [, code] = /^GATEWAY_(.+)$/.exec(answerCode ?? "") ?? [];
  const table = code === undefined ? undefined : tables.find((each) => Object.hasOwn(each, code));
  return code === undefined ? undefined : table?.[code];
}
