/** Why a request was refused or a connection cut: the label `reason` of `facepay_api_denied_total`. */
export const rejectionReasons = [
  "host",
  "target",
  "origin",
  "referer",
  "sec_fetch",
  "preflight",
  "expect",
  "method",
  "not_found",
  "query",
  "content_type",
  "body_unexpected",
  "body_too_large",
  "body_invalid",
  "headers_too_large",
  "malformed",
  "request_timeout",
  "pipeline",
  "crowded",
  "subscribers",
  "slow_subscriber",
  "too_busy",
  "too_soon",
] as const;

export type RejectionReason = (typeof rejectionReasons)[number];
