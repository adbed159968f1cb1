/** The document of `GET /v1/authinfo` (docs/specification.md section 5). `npm run docs` writes it from docs/api.openapi.yaml. */
export interface Authinfo {
  readonly authinfo: string;
  readonly device_id: string;
  readonly sp_mchid: string;
  readonly sp_appid: string;
  readonly sub_mchid: string;
  readonly sub_appid?: string;
  readonly organization_id: string;
  readonly state: "fresh" | "due" | "rejected" | "stale";
  readonly generation: number;
  readonly obtained_at: string;
  readonly expires_at: string;
  readonly remaining_s: number;
  readonly expiry_source: "response" | "assumed";
  readonly clock_trusted: boolean;
  readonly persisted: boolean;
  /** Only while its renewal fails. */
  readonly renewal?: { readonly failing: true; readonly since: string; readonly code: string };
}

export interface ShopperText {
  readonly zh: string;
  readonly en: string;
}

export type State =
  | { readonly ok: true; readonly document: Authinfo }
  | {
      readonly ok: false;
      /** Of the problem, or `AGENT_UNREACHABLE`. */
      readonly code: string;
      /** Code of the failure behind it. */
      readonly cause?: string;
      /** To be shown beside the message: the shop reads it out to support. Undefined when the agent cannot be reached. */
      readonly supportCode?: string;
      /** What to show the shopper. */
      readonly message: ShopperText;
    };

export interface Watching {
  /** The last state that was told. */
  readonly current: State;
  close(): void;
}

/** What the SDK said when it refused the authinfo. */
export interface Refusal {
  readonly err_code?: number | string;
  readonly return_code?: string;
  readonly return_msg?: string;
}

/** What to show the shopper for the code of a problem and the code of its cause. */
export function shopperText(code: string, cause?: string): ShopperText;

export class FacepayAgent {
  /** @param options `socket`: else `FACEPAY_AGENT_SOCKET`, else /run/facepay-agent/api.sock. `timeoutMs`: of a whole request, 2000. */
  constructor(options?: { readonly socket?: string | undefined; readonly timeoutMs?: number });
  /** The authinfo now. Always resolves, within the time-out. */
  read(options?: { readonly staleOk?: boolean }): Promise<State>;
  /** Calls `listener` with the state at once and at every change, until `close()`. Reconnects by itself. */
  watch(listener: (now: State) => void): Watching;
  /** Tells the agent that the SDK refused this generation: "renewing", "outdated", "limited", or a code. */
  reject(generation: number, refusal?: Refusal): Promise<string>;
}
