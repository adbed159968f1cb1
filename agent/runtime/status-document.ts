import type { DriverStatus } from "../../drivers/sdk/driver.ts";
import type {
  AuthinfoStatus,
  BridgeStatus,
  DemandDocument,
  PayStatus,
  StatusDocument,
  StoreStatusDocument,
} from "../api/status-document.ts";
import type { ClockSync } from "../common/clock-sync.ts";
import type { FailureRecord } from "../common/errors.ts";
import { type FailureRule, failureRules } from "../common/failures.ts";
import type { Warning } from "../common/warnings.ts";
import type { CredentialManagerStatus } from "../credential/credential-manager.ts";
import type { AuthinfoView } from "../credential/credential-types.ts";
import { failureInEnglish } from "../messages/failure-text.ts";
import type { StoreStatus } from "../store/store-types.ts";
import type { WechatPayStatus } from "../wechatpay/wechatpay.ts";

/** All that `GET /v1/status` tells, read from the parts at one instant. Never an authinfo, a raw_data or a key. */
export interface StatusSources {
  readonly version: string;
  readonly supportCode: string;
  readonly bootId: string;
  readonly pid: number;
  readonly startedAtWallMs: number;
  readonly uptimeS: number;
  readonly config?: { readonly file: string; readonly hash: string; readonly source: "file" | "remembered" };
  readonly view: AuthinfoView;
  readonly credentials?: CredentialManagerStatus;
  readonly bridge?: DriverStatus;
  readonly wechatpay?: WechatPayStatus;
  /** End of the client certificate's validity, Unix ms. */
  readonly clientCertEndsMs?: number;
  readonly store?: StoreStatus;
  readonly clock: ReturnType<ClockSync["status"]>;
  readonly warnings: readonly Warning[];
}

const STATE_FORMAT = 1;

/** The status document (specification 5), field names in snake_case, times RFC 3339. */
export function statusDocument(sources: StatusSources): Required<Omit<StatusDocument, "api">> {
  const { credentials, wechatpay, clock } = sources;
  return {
    version: sources.version,
    support_code: sources.supportCode,
    config: sources.config ? config(sources.config) : null,
    state_format: STATE_FORMAT,
    boot_id: sources.bootId,
    pid: sources.pid,
    started_at: time(sources.startedAtWallMs),
    uptime_s: Math.floor(sources.uptimeS),
    authinfo: authinfo(sources.view, credentials),
    bridge: sources.bridge ? bridge(sources.bridge) : null,
    wechatpay: wechatpay ? pay(wechatpay, sources.clientCertEndsMs) : null,
    store: sources.store ? store(sources.store) : null,
    clock: {
      trusted: clock.trusted,
      confirmed_by: clock.confirmedBy ?? null,
      steps: clock.steps,
      last_step_ms: clock.lastStepMs === undefined ? null : Math.round(clock.lastStepMs),
      behind_s: clock.behindMs === undefined ? null : Math.round(clock.behindMs / 1_000),
      skew_s: wechatpay?.skewMs === undefined ? null : Math.round(wechatpay.skewMs) / 1_000,
    },
    last_error: lastError(sources.view.cause, sources.bridge?.problem),
    next_attempt: credentials ? { at: time(credentials.next.atWallMs), why: credentials.next.why } : null,
    state_changes: (credentials?.history ?? []).map(({ atWallMs, ...change }) => ({ at: time(atWallMs), ...change })),
    warnings: sources.warnings.map(({ code, sinceWallMs, shownAfterS, detail }) => ({
      code,
      since: time(sinceWallMs),
      shown_after_s: shownAfterS,
      ...(detail === undefined ? {} : { detail }),
    })),
  };
}

/** RFC 3339 UTC with milliseconds. */
function time(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** Built by name: what is passed in may be a whole Provision, which holds the secrets. */
function config({ file, hash, source }: NonNullable<StatusSources["config"]>): NonNullable<StatusDocument["config"]> {
  return { file, hash, source };
}

function authinfo(view: AuthinfoView, credentials: CredentialManagerStatus | undefined): AuthinfoStatus {
  const { credential } = view;
  return {
    state: view.state,
    ...(credential === undefined
      ? {}
      : {
          generation: credential.generation,
          device_id: credential.deviceId,
          obtained_at: time(credential.obtainedWallMs),
          expires_at: time(credential.obtainedWallMs + credential.lifetimeMs),
          remaining_s: Math.max(0, Math.floor(view.remainingMs / 1_000)),
          expiry_source: credential.expirySource,
          clock_trusted: view.clockTrusted,
          persisted: view.persisted,
        }),
    refreshing: credentials?.attempting ?? false,
    failures: credentials?.failures ?? 0,
    last_success_at: credentials?.lastSuccessWallMs === undefined ? null : time(credentials.lastSuccessWallMs),
    network_unsteady: credentials?.unsteadySinceWallMs !== undefined,
    ...(credentials === undefined ? {} : { demand: demand(credentials) }),
  };
}

function demand({ demand }: CredentialManagerStatus): DemandDocument {
  return demand === undefined
    ? { mode: "off", followed: false, week_utc: [] }
    : { mode: "learn", followed: demand.followed, week_utc: demand.weekUtc };
}

function bridge(status: DriverStatus): BridgeStatus {
  const { identity } = status;
  return {
    state: status.state,
    type: status.type,
    path: status.path,
    bridge: identity?.bridge ?? null,
    protocol: identity?.protocol ?? null,
    session: identity?.session ?? null,
    device_id: identity?.deviceId ?? null,
    net_id: identity?.netId ?? null,
    sdk_version: identity?.sdkVersion ?? null,
    problem: status.problem ? { code: status.problem.code, ...described(status.problem) } : null,
    opens: status.opens,
    frames: status.frames,
    consecutive_timeouts: status.consecutiveTimeouts,
    heard: {
      octets: status.heard.octets,
      foreign_octets: status.heard.foreign,
      text: status.heard.text,
      echoes: status.heard.echoes,
      fault: status.heard.fault ?? null,
      last_at: status.heard.lastAtWallMs === undefined ? null : time(status.heard.lastAtWallMs),
    },
  };
}

function pay(status: WechatPayStatus, clientCertEndsMs: number | undefined): PayStatus {
  return {
    mode: status.mode,
    proxy: status.proxy ?? null,
    client_cert_expires_at: clientCertEndsMs === undefined ? null : time(clientCertEndsMs),
    base_urls: status.baseUrls.map((url) => ({
      base_url: url.baseUrl,
      in_use: url.inUse,
      requests: url.requests,
      last_outcome: url.lastOutcome ?? null,
      last_at: url.lastAt ?? null,
      last_ms: url.lastMs === undefined ? null : Math.round(url.lastMs),
      last_status: url.lastStatus ?? null,
      last_request_id: url.lastRequestId ?? null,
    })),
  };
}

function store(status: StoreStatus): StoreStatusDocument {
  return {
    directory: status.directory,
    loaded: status.loaded,
    quarantined: status.quarantined,
    dirty: status.dirty,
    writes: status.writes,
    last_write_ms: status.lastWriteMs === undefined ? null : Math.round(status.lastWriteMs),
    problem: status.problem ? { code: status.problem.code, ...described(status.problem) } : null,
  };
}

/** The English text, for programs, and the facts that the commands render either language from (specification 5). */
function described(failure: FailureRecord): { detail: string; params: Readonly<Record<string, unknown>> } {
  return { detail: failureInEnglish(failure), params: failure.params ?? {} };
}

/** Why no bridge answers. The driver goes on listening after a refresh has failed for it, and knows better what is there. */
const LINE: ReadonlySet<string> = new Set([
  ...["BRIDGE_TIMEOUT", "BRIDGE_NOT_READY", "BRIDGE_FOREIGN_DATA", "BRIDGE_ECHO", "BRIDGE_PROTOCOL"],
]);

/** The first cause, which every place tells. */
export function firstCause(told: AuthinfoView["cause"], line: DriverStatus["problem"]): AuthinfoView["cause"] {
  return told && line && LINE.has(told.code) && LINE.has(line.code) ? { ...told, ...line } : told;
}

function lastError(told: AuthinfoView["cause"], line: DriverStatus["problem"]): StatusDocument["last_error"] {
  const cause = firstCause(told, line);
  if (cause === undefined) return null;
  const rules: Readonly<Record<string, FailureRule>> = failureRules;
  return {
    code: cause.code,
    since: time(cause.sinceWallMs),
    ...described(cause),
    ...(cause.httpStatus === undefined ? {} : { http_status: cause.httpStatus }),
    ...(cause.reason === undefined ? {} : { reason: cause.reason }),
    remedy: rules[cause.code]?.remedy ?? null,
  };
}
