import type { DriverStatus } from "../../../drivers/sdk/driver.ts";
import type { PublicView } from "../../api/authinfo-document.ts";
import { rejectionReasons } from "../../api/http/rejection-reasons.ts";
import type { StoreStatus } from "../../store/store-types.ts";

/** What is counted where it happens. Plain numbers: the metrics library is loaded when somebody first asks for them. */
export interface Metrics {
  /** A refresh attempt has ended: "ok", or the error code in lower case. */
  refreshAttempt(outcome: string, wallMs: number): void;
  /** An authinfo has been handed out in this state. */
  served(state: string): void;
  /** The API has refused something. */
  denied(reason: string): void;
  /** A request to WeChat Pay has ended: "ok", or the error code in lower case. */
  wechatpayRequest(baseUrl: string, outcome: string): void;
  readonly counts: MetricCounts;
}

export interface MetricCounts {
  readonly refreshAttempts: ReadonlyMap<string, number>;
  readonly served: ReadonlyMap<string, number>;
  readonly denied: ReadonlyMap<string, number>;
  readonly wechatpayRequests: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** When an attempt last succeeded since the start, Unix milliseconds. */
  readonly lastSuccessWallMs: number | undefined;
}

/** What is known elsewhere and read at each scrape. A part that does not exist yet is undefined. */
export interface MetricSources {
  readonly view: PublicView;
  /** The codes of the standing warnings. */
  readonly warnings: readonly string[];
  /** Undefined while there is no configuration. */
  readonly info?: { readonly sub_mchid: string; readonly mode: string; readonly config_hash: string } | undefined;
  /** What the bridge calls itself, else what the configuration says. */
  readonly deviceId?: string | undefined;
  readonly bridge?: Pick<DriverStatus, "state" | "frames" | "opens"> | undefined;
  readonly store?: Pick<StoreStatus, "writes"> | undefined;
  /** WeChat Pay's clock minus ours. */
  readonly skewMs?: number | undefined;
  readonly clockSteps: number;
  /** Those in the configuration: they are shown before the first request. */
  readonly baseUrls?: readonly string[] | undefined;
  readonly clientCertEndsMs?: number | undefined;
}

/** A label that has never been seen is one too many for an alarm on its increase: known ones start at 0. */
const servedStates = ["fresh", "due", "rejected", "stale"];

export function createMetrics(): Metrics {
  const refreshAttempts = new Map([["ok", 0]]);
  const served = zeros(servedStates);
  const denied = zeros(rejectionReasons);
  const wechatpayRequests = new Map<string, Map<string, number>>();
  let lastSuccessWallMs: number | undefined;
  return {
    refreshAttempt(outcome, wallMs) {
      increment(refreshAttempts, outcome);
      if (outcome === "ok") lastSuccessWallMs = wallMs;
    },
    served: (state) => increment(served, state),
    denied: (reason) => increment(denied, reason),
    wechatpayRequest(baseUrl, outcome) {
      const outcomes = wechatpayRequests.get(baseUrl) ?? new Map<string, number>();
      wechatpayRequests.set(baseUrl, outcomes);
      increment(outcomes, outcome);
    },
    counts: {
      refreshAttempts,
      served,
      denied,
      wechatpayRequests,
      get lastSuccessWallMs() {
        return lastSuccessWallMs;
      },
    },
  };
}

const zeros = (labels: readonly string[]) => new Map(labels.map((label) => [label, 0]));

function increment(counts: Map<string, number>, label: string): void {
  counts.set(label, (counts.get(label) ?? 0) + 1);
}
