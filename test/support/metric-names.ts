/** Contract 7. */
export const metricNames = [
  "facepay_authinfo_expiry_timestamp_seconds",
  "facepay_authinfo_remaining_seconds",
  "facepay_authinfo_generation",
  "facepay_refresh_attempts_total",
  "facepay_refresh_last_success_timestamp_seconds",
  "facepay_authinfo_served_total",
  "facepay_store_writes_total",
  "facepay_bridge_frames_total",
  "facepay_bridge_opens_total",
  "facepay_clock_steps_total",
  "facepay_clock_skew_seconds",
  "facepay_wechatpay_requests_total",
  "facepay_api_denied_total",
];
