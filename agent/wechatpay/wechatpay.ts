/** The door to WeChat Pay: one verb, behind it signing, verification, failure classes and the backup URL. */
export interface WechatPay {
  /**
   * One attempt: the base URL in use, and at once, once, the next one when the first could not be reached.
   * Rejects with an AgentError of a PAY_* code, or CLOCK_WRONG; `context` then holds `baseUrl`, `status`,
   * `requestId`, `retryAfterS` as far as known. Rejects with the signal's reason when the caller gives up.
   */
  requestAuthinfo(request: AuthinfoRequest, options: RequestOptions): Promise<AuthinfoAnswer>;
  /**
   * `POST /v3/security/echo`: proves credentials, way and verification without touching the face device, for
   * diagnose. Same rules and errors as above; a gateway need not forward it (PAY_NOT_FOUND then).
   */
  echo(options: EchoOptions): Promise<EchoAnswer>;
  status(): WechatPayStatus;
  close(): Promise<void>;
}

export interface AuthinfoRequest {
  readonly deviceId: string;
  readonly rawData: string;
  /** The authinfo that is held: nothing of an answer may repeat it. */
  readonly held?: string;
}

export interface RequestOptions {
  /** A planned refresh tries the primary first; a retry goes on with the URL that worked last. */
  readonly planned: boolean;
  /** The newest signed timestamp verified so far, Unix seconds. */
  readonly newestSignedAtS: number;
  readonly signal: AbortSignal;
}

export interface EchoOptions {
  readonly signal: AbortSignal;
}

/** A verified answer to an echo. */
export interface EchoAnswer {
  readonly baseUrl: string;
  /** WeChat Pay's clock minus ours. */
  readonly skewMs: number;
  /** The HTTP status. */
  readonly status: number;
}

/** A verified answer. */
export interface AuthinfoAnswer {
  readonly authinfo: string;
  /** `expires_in`, 60 to 86400; undefined when the answer carries none. */
  readonly expiresInS?: number;
  /** `Facepay-Refresh-Seconds`, 600 to 3000 (gateway mode). */
  readonly refreshAfterS?: number;
  /** `Wechatpay-Timestamp`, Unix seconds. */
  readonly signedAtS: number;
  /** WeChat Pay's clock minus ours. */
  readonly skewMs: number;
  readonly baseUrl: string;
  /** `Clock.boot()` and `Clock.wall()` just before this request was sent. */
  readonly sentBootMs: number;
  readonly sentWallMs: number;
}

export interface WechatPayStatus {
  readonly mode: "gateway" | "direct";
  readonly proxy?: string;
  /** WeChat Pay's clock minus ours, learnt from `Date` on any answer, also on failures. */
  readonly skewMs?: number;
  readonly baseUrls: readonly BaseUrlStatus[];
}

export interface BaseUrlStatus {
  readonly baseUrl: string;
  readonly inUse: boolean;
  /** Requests by outcome: "ok" or the error code in lower case. */
  readonly requests: Readonly<Record<string, number>>;
  readonly lastOutcome?: string;
  readonly lastAt?: string;
  readonly lastMs?: number;
  readonly lastStatus?: number;
  readonly lastRequestId?: string;
}
