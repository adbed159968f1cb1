import type { FailureRecord } from "../../agent/common/errors.ts";
import type { LineFacts } from "./line-facts.ts";

/** What the bridge says of itself in `hello` (specification 3). */
export interface BridgeIdentity {
  readonly protocol: string;
  /** "<name>/<version>" */
  readonly bridge: string;
  /** Differs each time the bridge starts. */
  readonly session: string;
  readonly deviceId?: string;
  /** Changes when the SDK board's active network card changes. */
  readonly netId?: string;
  readonly sdkVersion?: string;
}

export interface RawDataReading {
  /** Base64, serves one attempt. A secret: never logged. */
  readonly rawData: string;
  /** The `hello` that directly preceded it. */
  readonly identity: BridgeIdentity;
}

/** Lengths and timings only, for `POST /v1/bridge/probe`. */
export interface ProbeReading {
  readonly identity: BridgeIdentity;
  readonly helloMs: number;
  readonly rawDataMs: number;
  readonly rawDataLength: number;
}

export interface DriverStatus {
  /** `opening`: no open line; `handshake`: open, not usable yet; `ready`: hello answered and SDK initialised. */
  readonly state: "opening" | "handshake" | "ready" | "closed";
  readonly type: "serial" | "socket" | "simulator";
  /** The device or socket in use, or the one looked for. */
  readonly path: string;
  readonly identity?: BridgeIdentity;
  /** Code and text of the last failure of the line, kept until the bridge is ready again. */
  readonly problem?: FailureRecord;
  readonly opens: Readonly<Record<string, number>>;
  /** Counters of the decoder and of the answers: ok, fcs, short, oversize, aborted, stray_id, not_json, ... */
  readonly frames: Readonly<Record<string, number>>;
  readonly consecutiveTimeouts: number;
  /** What has come over the line since a bridge last answered on it. */
  readonly heard: LineFacts;
}

export type DriverEvent =
  | { readonly type: "ready"; readonly identity: BridgeIdentity }
  | { readonly type: "lost"; readonly code: string; readonly detail: string }
  /** A `hello` differed from the one before it. */
  | {
      readonly type: "changed";
      readonly identity: BridgeIdentity;
      readonly what: readonly ("session" | "device" | "network")[];
    };

/** The face SDK behind a bridge. Failures are AgentErrors with codes BRIDGE_* and SDK_*. */
export interface SdkDriver {
  /** Opens the line, keeps it open, reopens it for ever. Returns at once. */
  start(): void;
  /** Resolves as soon as the bridge is ready; rejects when the signal aborts. */
  whenReady(signal: AbortSignal): Promise<BridgeIdentity>;
  /** hello, (init,) getWxpayfaceRawdata in one turn, after one call of the cashier app at most. Rejects at once when the line is down. */
  getRawData(signal: AbortSignal): Promise<RawDataReading>;
  /** One vendor request of the cashier app, passed on unchanged, ahead of the agent's own calls but one turn; resolves to the SDK's answer. */
  call(request: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown>;
  /** The same as `getRawData`, in its turn among the cashier app's calls. */
  probe(signal: AbortSignal): Promise<ProbeReading>;
  status(): DriverStatus;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: DriverEvent) => void): () => void;
  close(): Promise<void>;
}
