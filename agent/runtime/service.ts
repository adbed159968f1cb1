import { withoutAuthinfo } from "../api/authinfo-document.ts";
import type { HistoryDocument } from "../api/history-document.ts";
import type { StatusDocument } from "../api/status-document.ts";
import { supportCodeOf } from "../api/support-code.ts";
import type { Clock } from "../common/clock.ts";
import type { ClockSync } from "../common/clock-sync.ts";
import { asAgentError, failureFields } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import type { Random } from "../common/random.ts";
import { version } from "../common/version.ts";
import { Warnings } from "../common/warnings.ts";
import type { Config } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Secrets } from "../config/secrets/secrets.ts";
import type { DirectoryLock } from "../store/lock.ts";
import { CredentialManagerProxy } from "./credential-manager-proxy.ts";
import { judge } from "./evaluate-warnings.ts";
import { History, observationOf } from "./history.ts";
import type { MetricSources, Metrics } from "./metrics/metrics.ts";
import { firstCause, statusDocument } from "./status-document.ts";
import {
  openTerminal,
  type Terminal,
  type TerminalMemory,
  type TerminalParts,
  type TerminalSystem,
} from "./terminal.ts";

/** A configuration that may go to work, and where it came from. */
export interface Provision {
  readonly file: string;
  readonly hash: string;
  readonly source: "file" | "remembered";
  readonly config: Config;
  /** Absent when a file with one of them has been refused. */
  readonly secrets?: Secrets;
  /** Which keys name the files that were refused, and why. */
  readonly secretsRefused?: { readonly keys: readonly string[]; readonly detail: string };
  /** What is remembered of it. */
  readonly loaded: LoadedConfig;
  readonly warnings: readonly string[];
  /** Why the file itself is not in force, when the remembered configuration is. */
  readonly refused?: string;
}

/** What is no part of the main job and may fail by itself. */
const sideTroubles = ["FILE_COPY_FAILED", "METRICS_TEXTFILE_FAILED", "TELEMETRY_DOWN"] as const;
export type SideTrouble = (typeof sideTroubles)[number];

const JUDGE_EVERY_MS = 5_000;

/** What the warnings tell of the local API. */
export interface WatchedSockets {
  /** Files that no longer lead to this agent. */
  replaced(): readonly string[];
  /** Connections have been closed within the last minute to make room for others. */
  crowded(): boolean;
}

export interface ServiceParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly bootId: string;
  readonly clock: Clock;
  readonly clockSync: ClockSync;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly system?: TerminalSystem;
}

/**
 * What the sockets show: one terminal at work, or none yet. A configuration takes the place of another while readers
 * and subscribers stay connected.
 */
export class Service {
  readonly credentials = new CredentialManagerProxy();
  readonly history = new History();
  readonly #parts: ServiceParts;
  readonly #warnings = new Warnings();
  readonly #startedAt: { wall: number; boot: number };
  #terminal: Terminal | undefined;
  #provision: Provision | undefined;
  #lock: DirectoryLock | undefined;
  #reloadRefused: string | undefined;
  #sockets: WatchedSockets = { replaced: () => [], crowded: () => false };
  readonly #inTrouble = new Map<SideTrouble, string>();

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.#startedAt = { wall: parts.clock.wall(), boot: parts.clock.boot() };
    this.credentials.subscribe(() => this.#judge());
  }

  get terminal(): Terminal | undefined {
    return this.#terminal;
  }

  get provision(): Provision | undefined {
    return this.#provision;
  }

  /** Takes up a configuration: from here on its kept authinfo is served. `start` follows when the sockets answer. */
  async provide(provision: Provision, lock: DirectoryLock, former?: TerminalMemory): Promise<void> {
    const { env, clock, clockSync, random, log, metrics, system } = this.#parts;
    const { config, secrets, secretsRefused } = provision;
    const parts: TerminalParts = {
      ...(secrets ? { secrets } : {}),
      ...(system ? { system } : {}),
      refusedKeys: secretsRefused?.keys ?? [],
      ...{ config, named: provision.loaded.named, lock, env, clock, clockSync, random, log },
      onAttempt: (outcome) => {
        metrics.refreshAttempt(outcome, clock.wall());
        this.history.attempt(clock.boot(), outcome === "ok" ? outcome : outcome.toUpperCase());
      },
      onBridge: () => this.#judge(),
      onRequest: (baseUrl, outcome) => metrics.wechatpayRequest(baseUrl, outcome),
    };
    const terminal = await openTerminal(parts, former);
    this.#terminal = terminal;
    this.#lock = lock;
    this.#provision = provision;
    this.#reloadRefused = undefined;
    this.credentials.use(terminal.credentials);
    log.info("CONFIGURED", { file: provision.file, hash: provision.hash, source: provision.source });
    if (secretsRefused) log.error("SECRETS_UNUSABLE", { detail: secretsRefused.detail });
    for (const detail of provision.warnings) log.warn("CONFIG_WARNING", { detail });
  }

  async start(): Promise<void> {
    await this.#terminal?.start();
  }

  /**
   * Puts `next` to work in place of the present configuration. What the old one holds stays readable meanwhile. When
   * the new store cannot be opened the old configuration goes on, and the error is thrown.
   */
  async replace(next: Provision, lock: DirectoryLock): Promise<void> {
    const before = this.#provision;
    const heldLock = this.#lock;
    await this.#terminal?.stop();
    const former = this.#terminal?.memory;
    try {
      await this.provide(next, lock, former);
    } catch (error) {
      if (before && heldLock) {
        await this.provide(before, heldLock, former);
        await this.start();
      }
      throw error;
    }
    await this.start();
  }

  /** A new configuration was not taken; the one at work goes on, and says so as a standing warning. */
  refuseReload(why: string): void {
    this.#reloadRefused = why;
    this.#parts.log.error("CONFIG_RELOAD_REFUSED", { detail: why });
    const params = { variant: "problems", problems: why };
    this.credentials.explain({ code: "CONFIG_INVALID", sinceWallMs: this.#parts.clock.wall(), params });
    this.#judge();
  }

  /** An optional file cannot be written or the operator's broker not be reached, or (undefined) can again. */
  sideTrouble(code: SideTrouble, reason: string | undefined): void {
    if (reason === undefined) this.#inTrouble.delete(code);
    else this.#inTrouble.set(code, reason);
    this.#judge();
  }

  /** What the bridge calls itself, else what a kept authinfo or the configuration says. */
  get deviceId(): string | undefined {
    const { bridge } = this.#terminal ?? {};
    const kept = this.credentials.view().credential?.deviceId;
    return bridge?.identity?.deviceId ?? kept ?? this.#provision?.config.identity.deviceId;
  }

  /**
   * Looks every few seconds which warnings stand, so that each knows since when, whether or not anybody asks.
   */
  async watch(signal: AbortSignal, sockets: WatchedSockets): Promise<void> {
    this.#sockets = sockets;
    while (!signal.aborted) {
      this.#judge();
      // A rejection means the end, which the loop sees.
      await this.#parts.clock.sleep(JUDGE_EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** Whether the loops of this process turn; never a matter of network, WeChat Pay or line. */
  live(): boolean {
    return this.#terminal?.credentials.isAlive() ?? true;
  }

  /** What people without a shell read out (specification 11). */
  supportCode(): string {
    const view = this.credentials.view();
    const cause = firstCause(view.cause, this.#terminal?.bridge?.problem);
    return supportCodeOf({ ...view, ...(cause ? { cause } : {}) }, this.deviceId, this.#parts.clock.wall());
  }

  status(): StatusDocument {
    this.#judge();
    const { clock, bootId, clockSync } = this.#parts;
    const terminal = this.#terminal;
    const { bridge, wechatpay } = terminal ?? {};
    const provision = this.#provision;
    return statusDocument({
      version,
      supportCode: this.supportCode(),
      bootId,
      pid: process.pid,
      startedAtWallMs: this.#startedAt.wall,
      uptimeS: (clock.boot() - this.#startedAt.boot) / 1_000,
      view: this.credentials.view(),
      clock: clockSync.status(),
      warnings: this.#warnings.shown(clock.boot()),
      ...(provision ? { config: { file: provision.file, hash: provision.hash, source: provision.source } } : {}),
      ...(terminal ? { credentials: terminal.credentials.status(), store: terminal.store.status() } : {}),
      ...(bridge ? { bridge } : {}),
      ...(wechatpay ? { wechatpay } : {}),
      ...(terminal?.clientCertEndsMs === undefined ? {} : { clientCertEndsMs: terminal.clientCertEndsMs }),
    });
  }

  /** `GET /v1/history`. */
  historyDocument(hours: number): HistoryDocument {
    this.#judge();
    const { clock } = this.#parts;
    return this.history.document({ boot: clock.boot(), wall: clock.wall() }, hours);
  }

  /** What the metrics read at each scrape. */
  metricSources(): MetricSources {
    this.#judge();
    const { bridge, wechatpay, store, config, clientCertEndsMs } = this.#terminal ?? {};
    const provision = this.#provision;
    const view = withoutAuthinfo(this.credentials.view());
    return {
      view,
      warnings: this.#warnings.shown(this.#parts.clock.boot()).map(({ code }) => code),
      info: provision && {
        sub_mchid: provision.config.identity.subMchid,
        mode: provision.config.wechatpay.mode,
        config_hash: provision.hash,
      },
      deviceId: this.deviceId,
      clientCertEndsMs,
      bridge,
      store: store?.status(),
      skewMs: wechatpay?.skewMs,
      clockSteps: this.#parts.clockSync.status().steps,
      baseUrls: config?.wechatpay.baseUrls,
    };
  }

  async close(): Promise<void> {
    try {
      await this.#terminal?.stop();
    } catch (error) {
      this.#parts.log.error("STOP_FAILED", failureFields(asAgentError(error)));
    }
  }

  #judge(): void {
    const terminal = this.#terminal;
    const { clock } = this.#parts;
    const now = { boot: clock.boot(), wall: clock.wall() };
    const reloadRefused = this.#reloadRefused;
    this.history.observe(now.boot, observationOf(this.credentials.view(), terminal?.bridge));
    for (const code of sideTroubles)
      this.#warnings.set(code, this.#inTrouble.has(code), now, this.#inTrouble.get(code));
    const replaced = this.#sockets.replaced().join(", ");
    this.#warnings.set("API_SOCKET_REPLACED", replaced !== "", now, replaced);
    this.#warnings.set("API_CROWDED", this.#sockets.crowded(), now);
    if (!terminal) {
      // Nothing is at work yet that could be looked at, but a configuration may have been refused.
      this.#warnings.set("CONFIG_RELOAD_REFUSED", reloadRefused !== undefined, now, reloadRefused);
      return;
    }
    const { failures, unsteadySinceWallMs, excessive } = terminal.credentials.status();
    const { bridge, wechatpay } = terminal;
    judge(this.#warnings, now, {
      view: terminal.credentials.view(),
      ...{ failures, unsteadySinceWallMs, excessive },
      store: terminal.store.status(),
      clock: this.#parts.clockSync.status(),
      configWarnings: this.#provision?.warnings ?? [],
      ...(this.#provision?.refused === undefined ? {} : { remembered: this.#provision.refused }),
      ...(this.#provision?.secretsRefused ? { secretsRefused: this.#provision.secretsRefused.detail } : {}),
      ...(terminal.renewalRefused === undefined ? {} : { renewalRefused: terminal.renewalRefused }),
      ...(terminal.clientCertEndsMs === undefined ? {} : { clientCertEndsMs: terminal.clientCertEndsMs }),
      ...(reloadRefused === undefined ? {} : { reloadRefused }),
      ...(bridge ? { bridge } : {}),
      ...(wechatpay ? { wechatpay } : {}),
    });
  }
}
