import type { DescribedFailure } from "../messages/failure-text.ts";

/** A failure with its English text and the facts that the commands render either language from. */
export interface ToldProblem extends DescribedFailure {
  readonly code: string;
}

/**
 * `GET /v1/status` (specification 5): one type for the agent that writes it (agent/runtime/status-document.ts) and for the commands that
 * read it. Field names in snake_case, times RFC 3339. Optional is what an agent of an earlier version does not say.
 */
export interface StatusDocument {
  readonly version?: string;
  /** Specification 11. */
  readonly support_code?: string;
  readonly config?: { readonly file: string; readonly hash: string; readonly source?: "file" | "remembered" } | null;
  readonly state_format?: number;
  readonly boot_id?: string;
  readonly pid?: number;
  readonly started_at?: string;
  readonly uptime_s?: number;
  readonly authinfo: AuthinfoStatus;
  readonly bridge: BridgeStatus | null;
  readonly wechatpay: PayStatus | null;
  readonly store: StoreStatusDocument | null;
  /** Connections open on either socket; what has been refused since the start, by reason. */
  readonly api?: {
    readonly connections: Readonly<Record<"api" | "admin", number>>;
    readonly refused: Readonly<Record<string, number>>;
  };
  readonly clock: {
    readonly trusted: boolean;
    readonly confirmed_by?: string | null;
    readonly steps?: number;
    readonly last_step_ms?: number | null;
    /** How far it reads before a time that has certainly passed. */
    readonly behind_s?: number | null;
    /** WeChat Pay's clock minus this one. */
    readonly skew_s: number | null;
  };
  readonly last_error:
    | (ToldProblem & {
        readonly since: string;
        /** What came of the last request: the answer's status, and the peer's own code or the system's. */
        readonly http_status?: number;
        readonly reason?: string;
        /** Id of the diagnose check that looks for it. */
        readonly remedy?: string | null;
      })
    | null;
  readonly next_attempt: { readonly at: string; readonly why?: string } | null;
  readonly state_changes?: readonly {
    readonly at: string;
    readonly from: string;
    readonly to: string;
    readonly generation: number;
    readonly code?: string;
  }[];
  readonly warnings: readonly {
    readonly code: string;
    readonly since: string;
    readonly shown_after_s?: number;
    readonly detail?: string;
  }[];
}

/** Never the authinfo itself. */
export interface AuthinfoStatus {
  readonly state: string;
  readonly generation?: number;
  readonly device_id?: string;
  readonly obtained_at?: string;
  readonly expires_at?: string;
  readonly remaining_s?: number;
  readonly expiry_source?: string;
  readonly clock_trusted?: boolean;
  readonly persisted?: boolean;
  readonly refreshing?: boolean;
  readonly failures?: number;
  readonly last_success_at?: string | null;
  readonly network_unsteady?: boolean;
  readonly demand?: DemandDocument;
}

/** What is known of the trade of a week. */
export interface DemandDocument {
  readonly mode: "learn" | "off";
  /** Refreshes follow it now. */
  readonly followed: boolean;
  /** Seven days from Monday on, a character for each half-hour in UTC: 0 to 9, `.` where nothing is known. Empty when off. */
  readonly week_utc: readonly string[];
}

export interface BridgeStatus {
  readonly state: string;
  readonly type?: string;
  readonly path: string;
  readonly bridge: string | null;
  readonly protocol?: string | null;
  readonly session?: string | null;
  readonly device_id?: string | null;
  readonly net_id?: string | null;
  readonly sdk_version?: string | null;
  readonly problem: ToldProblem | null;
  readonly opens?: Readonly<Record<string, number>>;
  readonly frames?: Readonly<Record<string, number>>;
  readonly consecutive_timeouts?: number;
  /** What has come over the line since a bridge last answered on it. */
  readonly heard?: {
    readonly octets: number;
    readonly foreign_octets: number;
    readonly text: boolean;
    readonly echoes: number;
    readonly fault: string | null;
    readonly last_at: string | null;
  };
}

export interface PayStatus {
  readonly mode?: "direct" | "gateway";
  readonly proxy?: string | null;
  readonly client_cert_expires_at?: string | null;
  readonly base_urls: readonly {
    readonly base_url: string;
    readonly in_use?: boolean;
    readonly requests?: Readonly<Record<string, number>>;
    readonly last_outcome: string | null;
    readonly last_at?: string | null;
    readonly last_ms?: number | null;
    readonly last_status?: number | null;
    readonly last_request_id?: string | null;
  }[];
}

export interface StoreStatusDocument {
  readonly directory: string;
  readonly loaded?: string;
  readonly quarantined?: number;
  readonly dirty?: boolean;
  readonly writes?: Readonly<Record<string, number>>;
  readonly last_write_ms?: number | null;
  readonly problem?: ToldProblem | null;
}

/** Whether an authinfo is held that may be used. */
export function isUsable({ authinfo }: StatusDocument): boolean {
  return ["fresh", "due", "rejected"].includes(authinfo.state);
}
