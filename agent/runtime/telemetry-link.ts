import { statfs } from "node:fs/promises";
import os from "node:os";
import { isDeepStrictEqual } from "node:util";
import { refreshedDocument, withoutAuthinfo } from "../api/authinfo-document.ts";
import type { Clock } from "../common/clock.ts";
import type { ClockSync } from "../common/clock-sync.ts";
import { AgentError } from "../common/errors.ts";
import type { Log, LogFields } from "../common/log/log.ts";
import type { Random } from "../common/random.ts";
import { version } from "../common/version.ts";
import type { Config } from "../config/config.ts";
import type { NamedFiles } from "../config/secrets/named-files.ts";
import { readTelemetrySecrets } from "../config/secrets/telemetry-secrets.ts";
import { failureInEnglish } from "../messages/failure-text.ts";
import { type Health, healthOf } from "../telemetry/health.ts";
import { runDiagnose } from "../telemetry/run-diagnose.ts";
import { Telemetry } from "../telemetry/telemetry.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Service } from "./service.ts";

export interface TelemetryLinkParts {
  readonly service: Service;
  readonly metrics: Metrics;
  /** The configuration file, for a diagnose. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly bootId: string;
  readonly clock: Clock;
  readonly clockSync: ClockSync;
  readonly random: Random;
  readonly log: Log;
}

/** What a report is made for. The rest of the configuration may change without a new connection. */
interface Wanted {
  readonly telemetry: NonNullable<Config["telemetry"]>;
  readonly spMchid: string;
  readonly files: readonly (readonly [string, string])[];
}

/** A refresh asked for over the broker comes no sooner after the last one than a technician's (specification 5). */
const REFRESH_APART_MS = 10_000;
const MB = 1024 * 1024;

/** The service as telemetry sees it: what it reads, what it may ask for, and which configuration it works with. Loaded only when one wants it. */
export class TelemetryLink {
  readonly #parts: TelemetryLinkParts;
  #wanted: Wanted | undefined;
  #telemetry: Telemetry | undefined;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #rejected = 0;
  #diskFreeMb: number | undefined;
  #looking = false;
  #refreshedAt: number | undefined;

  constructor(parts: TelemetryLinkParts) {
    this.#parts = parts;
  }

  event(code: string, fields: LogFields): void {
    if (code === "AUTHINFO_REJECTED") this.#rejected++;
    this.#telemetry?.event(code, fields);
  }

  /** Takes up another configuration. A connection that fits it stays: a roll-out is no reason for a fleet to connect anew. */
  async use(config: Config, named: NamedFiles): Promise<void> {
    const wanted = wantedOf(config, named);
    if (isDeepStrictEqual(wanted, this.#wanted)) return;
    await this.end();
    this.#parts.service.sideTrouble("TELEMETRY_DOWN", undefined);
    if (wanted === undefined) return;
    const { service, env, bootId, clock, clockSync, random, log } = this.#parts;
    const { telemetry, spMchid } = wanted;
    this.#wanted = wanted;
    this.#stop = new AbortController();
    this.#telemetry = new Telemetry({
      ...{ config: telemetry, spMchid, version, bootId, clock, random, log },
      deviceId: () => service.deviceId,
      health: () => this.#health(),
      clockTrusted: () => isTrusted(clockSync),
      secrets: () => readTelemetrySecrets(named, { env, wallMs: clock.wall() }),
      commands: {
        refresh: (signal) => this.#refresh(signal),
        diagnose: (signal) => runDiagnose(this.#parts.file, env, signal),
      },
      onTrouble: (failure) => service.sideTrouble("TELEMETRY_DOWN", failure && failureInEnglish(failure)),
    });
    this.#running = this.#telemetry.run(this.#stop.signal);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#telemetry = undefined;
    this.#wanted = undefined;
  }

  #health(): Health {
    const { service, metrics } = this.#parts;
    this.#lookAtDisk();
    const { refreshAttempts, served } = metrics.counts;
    const ok = refreshAttempts.get("ok") ?? 0;
    return healthOf(service.status(), {
      ...(this.#diskFreeMb === undefined ? {} : { diskFreeMb: this.#diskFreeMb }),
      memoryAvailableMb: Math.floor(os.freemem() / MB),
      served: sum(served),
      refreshOk: ok,
      refreshFailed: sum(refreshAttempts) - ok,
      rejected: this.#rejected,
    });
  }

  /** For the next report: a disk that hangs keeps one question and no more. */
  #lookAtDisk(): void {
    const directory = this.#parts.service.provision?.config.store.directory;
    if (this.#looking || directory === undefined) return;
    this.#looking = true;
    statfs(directory).then(
      ({ bavail, bsize }) => {
        this.#diskFreeMb = Math.floor((bavail * bsize) / MB);
        this.#looking = false;
      },
      () => {
        this.#diskFreeMb = undefined;
        this.#looking = false;
      },
    );
  }

  async #refresh(signal: AbortSignal): Promise<unknown> {
    const { service, clock } = this.#parts;
    const now = clock.boot();
    const leftMs = this.#refreshedAt === undefined ? 0 : this.#refreshedAt + REFRESH_APART_MS - now;
    if (leftMs > 0) throw new AgentError("PAY_RATE_LIMITED.held", { seconds: Math.ceil(leftMs / 1_000) });
    this.#refreshedAt = now;
    return refreshedDocument(withoutAuthinfo(await service.credentials.refresh(signal)));
  }
}

function wantedOf({ telemetry, identity }: Config, named: NamedFiles): Wanted | undefined {
  if (telemetry === undefined) return undefined;
  const files = [...named].filter(([key]) => /^telemetry\.|\.client_/.test(key));
  return { telemetry, spMchid: identity.spMchid, files };
}

/** A clock that something has confirmed and that nothing contradicts. */
function isTrusted(clockSync: ClockSync): boolean {
  const { trusted, behindMs } = clockSync.status();
  return trusted && behindMs === undefined;
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
