interface Entry {
  version: string;
  lastSuccessMs?: number;
}

/** As terminals name themselves (agent/common/version.ts). */
const USER_AGENT = /^facepay-agent\/(\d{1,4}\.\d{1,4}\.\d{1,4})\b/;
const UNKNOWN = "other";
/** A label of its own for each; what a terminal makes up is no reason for more. */
const MOST_VERSIONS = 20;

/** Which version each terminal runs, and when it last got an authinfo: an entry for each terminal of the register, and for no other. */
export class FleetBook {
  readonly #entries = new Map<string, Entry>();

  /** A request of a terminal that was let in. */
  asked(deviceId: string, userAgent: string | undefined): void {
    const version = USER_AGENT.exec(userAgent ?? "")?.[1] ?? UNKNOWN;
    const entry = this.#entries.get(deviceId);
    if (entry === undefined) this.#entries.set(deviceId, { version });
    else entry.version = version;
  }

  succeeded(deviceId: string, wallMs: number): void {
    const entry = this.#entries.get(deviceId);
    if (entry !== undefined) entry.lastSuccessMs = wallMs;
  }

  /** Forgets terminals that are registered no more. */
  keepOnly(known: (deviceId: string) => boolean): void {
    for (const deviceId of this.#entries.keys()) if (!known(deviceId)) this.#entries.delete(deviceId);
  }

  /** Terminals by version, the most frequent versions first; the rest together. */
  versions(): Map<string, number> {
    const all = new Map<string, number>();
    for (const { version } of this.#entries.values()) all.set(version, (all.get(version) ?? 0) + 1);
    const ranked = [...all].sort(([, a], [, b]) => b - a);
    const counts = new Map(ranked.slice(0, MOST_VERSIONS));
    for (const [, count] of ranked.slice(MOST_VERSIONS)) counts.set(UNKNOWN, (counts.get(UNKNOWN) ?? 0) + count);
    return counts;
  }

  /** How many have got an authinfo since then. */
  succeededSince(wallMs: number): number {
    let count = 0;
    for (const { lastSuccessMs } of this.#entries.values()) if ((lastSuccessMs ?? 0) >= wallMs) count++;
    return count;
  }

  /** Unix ms by device, of those that have got one since the gateway was started. */
  *lastSuccesses(): Generator<readonly [deviceId: string, wallMs: number]> {
    for (const [deviceId, { lastSuccessMs }] of this.#entries) {
      if (lastSuccessMs !== undefined) yield [deviceId, lastSuccessMs];
    }
  }
}
