import type { DescribedFailure } from "../messages/failure-text.ts";

/** `GET /v1/status` as far as people are shown it (specification 5). */
export interface StatusDocument {
  readonly version?: string;
  readonly config?: { readonly file: string; readonly hash: string } | null;
  /** An older agent does not say. */
  readonly pid?: number;
  readonly authinfo: {
    readonly state: string;
    readonly generation?: number;
    readonly remaining_s?: number;
    readonly device_id?: string;
    readonly obtained_at?: string;
    readonly expires_at?: string;
    readonly persisted?: boolean;
    readonly refreshing?: boolean;
    readonly failures?: number;
  };
  readonly bridge: {
    readonly state: string;
    readonly path: string;
    readonly bridge: string | null;
    readonly device_id?: string | null;
    readonly problem: DescribedFailure | null;
    readonly frames?: Readonly<Record<string, number>>;
  } | null;
  readonly wechatpay: {
    readonly mode?: "direct" | "gateway";
    readonly base_urls: readonly {
      readonly base_url: string;
      readonly in_use?: boolean;
      readonly last_outcome: string | null;
      readonly last_ms?: number | null;
    }[];
  } | null;
  readonly last_error:
    | (DescribedFailure & {
        readonly since: string;
        /** What came of the last request: the answer's status, and the peer's own code or the system's. */
        readonly http_status?: number;
        readonly reason?: string;
      })
    | null;
  readonly next_attempt: { readonly at: string } | null;
  readonly store: {
    readonly directory: string;
    readonly problem?: DescribedFailure | null;
  } | null;
  readonly clock: {
    readonly trusted: boolean;
    /** How far it reads before a time that has certainly passed. */
    readonly behind_s?: number | null;
    readonly skew_s: number | null;
  };
  readonly warnings: readonly { readonly code: string; readonly since: string; readonly detail?: string }[];
}

/** Whether an authinfo is held that may be used. */
export function isUsable({ authinfo }: StatusDocument): boolean {
  return ["fresh", "due", "rejected"].includes(authinfo.state);
}
