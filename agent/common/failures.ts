import type { ErrorCode } from "./failure-params.ts";

/**
 * Every failure the agent knows, in one table: what it means for the next attempt and which diagnose check tells the
 * technician what to do. Retry is decided here, never from a message's text.
 * Source: specification 4, which follows WeChat Pay APIv3's status codes and advice on the backup domain.
 */
export interface FailureRule {
  /**
   * When the next attempt may follow. `backoff`: exponential, drawn at random (`retryDelayMs`). `slow`: at most every five minutes,
   * never abandoned, because a person has to change something. `throttled`: back-off, and `Retry-After` is kept.
   */
  readonly retry: "backoff" | "slow" | "throttled";
  /** The same request goes at once, once, to the next base URL. */
  readonly failover?: true;
  /**
   * The link may be bad, so that the next authinfos are refreshed earlier. Not a port that is refused, a certificate or an answer: those
   * have come over the link.
   */
  readonly unsteady?: true;
  /** The following refreshes come later, and return to their usual instants over hours. */
  readonly stretches?: true;
  /** It is over as soon as this terminal's clock is set: a step of the clock is followed by an attempt at once. */
  readonly clock?: true;
  /** Id of the diagnose check that carries the remedy. */
  readonly remedy: string;
}

export const failureRules = {
  // The bridge: the line and its protocol.
  BRIDGE_NOT_FOUND: { retry: "backoff", remedy: "ser.present" },
  BRIDGE_AMBIGUOUS: { retry: "backoff", remedy: "ser.unique" },
  BRIDGE_PERMISSION: { retry: "backoff", remedy: "ser.perm" },
  BRIDGE_BUSY: { retry: "backoff", remedy: "ser.busy" },
  BRIDGE_OPEN_FAILED: { retry: "backoff", remedy: "ser.present" },
  BRIDGE_LOST: { retry: "backoff", remedy: "ser.usb_resets" },
  BRIDGE_NOT_READY: { retry: "backoff", remedy: "ser.handshake" },
  BRIDGE_TIMEOUT: { retry: "backoff", remedy: "ser.handshake" },
  BRIDGE_FOREIGN_DATA: { retry: "backoff", remedy: "ser.handshake" },
  BRIDGE_ECHO: { retry: "backoff", remedy: "ser.handshake" },
  BRIDGE_PROTOCOL: { retry: "backoff", remedy: "ser.protocol" },
  BRIDGE_REFUSED_CALL: { retry: "backoff", remedy: "ser.protocol" },
  BRIDGE_CLOSED: { retry: "backoff", remedy: "ser.handshake" },
  // All steps of an attempt together: each was within its own deadline.
  ATTEMPT_TIMEOUT: { retry: "backoff", remedy: "ser.handshake" },
  // The vendor's SDK behind it.
  SDK_LIBRARY_MISSING: { retry: "backoff", remedy: "sdk.library" },
  SDK_LIBRARY_ARCH: { retry: "backoff", remedy: "sdk.arch" },
  SDK_LIBRARY_SYMBOL: { retry: "backoff", remedy: "sdk.symbols" },
  SDK_LIBRARY_UNUSABLE: { retry: "backoff", remedy: "sdk.loads" },
  SDK_SERVICE_DOWN: { retry: "backoff", remedy: "sdk.service" },
  SDK_CRASHED: { retry: "backoff", remedy: "sdk.stable" },
  SDK_HUNG: { retry: "backoff", remedy: "sdk.stable" },
  SDK_NATIVE_ERROR: { retry: "backoff", remedy: "ser.device_data" },
  SDK_NOT_INITIALISED: { retry: "backoff", remedy: "ser.device_data" },
  SDK_NO_NETWORK: { retry: "backoff", remedy: "net.link" },
  SDK_ERROR: { retry: "backoff", remedy: "ser.device_data" },
  SDK_RAWDATA_INVALID: { retry: "backoff", remedy: "ser.device_data" },
  SDK_ANSWER_INVALID: { retry: "backoff", remedy: "ser.device_data" },
  SDK_ANSWER_TOO_LARGE: { retry: "backoff", remedy: "ser.device_data" },
  DEVICE_ID_MISSING: { retry: "backoff", remedy: "cfg.identity" },
  DEVICE_ID_MISMATCH: { retry: "backoff", remedy: "cfg.identity" },
  // The way to WeChat Pay.
  PAY_DNS: { retry: "backoff", failover: true, unsteady: true, remedy: "net.dns" },
  PAY_DNS_FORGED: { retry: "backoff", failover: true, remedy: "net.dns_sane" },
  PAY_IP_VERSION: { retry: "backoff", failover: true, remedy: "net.ipv6" },
  PAY_CONNECT_REFUSED: { retry: "backoff", failover: true, remedy: "pay.reach" },
  PAY_CONNECT_TIMEOUT: { retry: "backoff", failover: true, unsteady: true, remedy: "pay.reach" },
  PAY_UNREACHABLE: { retry: "backoff", failover: true, unsteady: true, remedy: "net.link" },
  PAY_CONNECTION_LOST: { retry: "backoff", failover: true, unsteady: true, remedy: "pay.reach" },
  PAY_TIMEOUT: { retry: "backoff", failover: true, unsteady: true, remedy: "pay.reach" },
  PAY_TLS_UNTRUSTED: { retry: "backoff", failover: true, remedy: "net.tls" },
  PAY_TLS_NAME: { retry: "backoff", failover: true, remedy: "net.tls" },
  PAY_TLS_EXPIRED: { retry: "backoff", failover: true, clock: true, remedy: "net.tls" },
  PAY_TLS_FAILED: { retry: "backoff", failover: true, remedy: "net.tls" },
  PAY_CLIENT_CERTIFICATE: { retry: "backoff", remedy: "pay.auth" },
  PAY_ANSWER_NOT_HTTP: { retry: "backoff", failover: true, remedy: "pay.reach" },
  PAY_PROXY: { retry: "backoff", failover: true, remedy: "net.proxy" },
  PAY_PROXY_AUTH: { retry: "backoff", remedy: "net.proxy" },
  // Answers that are no success.
  PAY_REDIRECTED: { retry: "backoff", remedy: "net.captive" },
  PAY_STATUS_UNEXPECTED: { retry: "backoff", remedy: "pay.auth" },
  PAY_BAD_REQUEST: { retry: "slow", remedy: "pay.auth" },
  PAY_UNAUTHORIZED: { retry: "slow", remedy: "pay.auth" },
  PAY_FORBIDDEN: { retry: "slow", remedy: "pay.auth" },
  PAY_NOT_FOUND: { retry: "backoff", remedy: "pay.auth" },
  PAY_RATE_LIMITED: { retry: "throttled", stretches: true, remedy: "pay.reach" },
  PAY_CLIENT_ERROR: { retry: "backoff", remedy: "pay.auth" },
  PAY_SERVER_ERROR: { retry: "throttled", remedy: "pay.reach" },
  PAY_UNAVAILABLE: { retry: "throttled", failover: true, remedy: "pay.reach" },
  // Answers that claim success and are not believed (never tried on the next base URL: specification 4).
  PAY_CAPTIVE_PORTAL: { retry: "backoff", remedy: "net.captive" },
  PAY_UNSIGNED: { retry: "backoff", remedy: "pay.auth" },
  PAY_SIGNATURE_PROBE: { retry: "backoff", remedy: "pay.auth" },
  PAY_SIGNATURE_SERIAL: { retry: "backoff", remedy: "pay.auth" },
  PAY_SIGNATURE_EXPIRED: { retry: "backoff", clock: true, remedy: "time.offset" },
  PAY_SIGNATURE_REPLAYED: { retry: "backoff", remedy: "pay.auth" },
  PAY_SIGNATURE_MALFORMED: { retry: "backoff", remedy: "pay.auth" },
  PAY_SIGNATURE_INVALID: { retry: "backoff", remedy: "pay.auth" },
  PAY_ANSWER_TOO_LARGE: { retry: "backoff", remedy: "net.captive" },
  PAY_ANSWER_ENCODED: { retry: "backoff", remedy: "net.captive" },
  PAY_ANSWER_CHARSET: { retry: "backoff", remedy: "net.captive" },
  PAY_ANSWER_NOT_JSON: { retry: "backoff", remedy: "pay.authinfo" },
  PAY_AUTHINFO_MISSING: { retry: "backoff", remedy: "pay.authinfo" },
  PAY_AUTHINFO_INVALID: { retry: "backoff", remedy: "pay.authinfo" },
  PAY_EXPIRES_IN_INVALID: { retry: "backoff", remedy: "pay.authinfo" },
  PAY_AUTHINFO_UNCHANGED: { retry: "backoff", remedy: "pay.authinfo" },
  CLOCK_WRONG: { retry: "slow", clock: true, remedy: "time.offset" },
  // The terminal itself.
  STORE_WRITE: { retry: "backoff", remedy: "store.write" },
  STORE_READ: { retry: "backoff", remedy: "store.read" },
  STORE_LOCKED: { retry: "backoff", remedy: "svc.running" },
  KEY_FILE: { retry: "slow", remedy: "key.file" },
  CONFIG_INVALID: { retry: "slow", remedy: "cfg.valid" },
  UNPROVISIONED: { retry: "slow", remedy: "cfg.valid" },
  API_SOCKET: { retry: "backoff", remedy: "api.socket" },
  TELEMETRY_BROKER: { retry: "backoff", remedy: "tel.broker" },
  INTERNAL: { retry: "backoff", remedy: "svc.running" },
} as const satisfies Record<ErrorCode, FailureRule>;
