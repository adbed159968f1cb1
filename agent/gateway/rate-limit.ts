const HOUR_MS = 3_600_000;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * A bucket of requests for each terminal, filled evenly. It lies in memory alone and may be lost or kept twice, behind a load
 * balancer once in each gateway: it protects WeChat Pay and this process, and no answer depends on it.
 */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();

  /** Undefined lets the request through; else the seconds until there is another one. `nowMs` never falls. */
  take(
    deviceId: string,
    nowMs: number,
    { requestsPerHour, burst }: { readonly requestsPerHour: number; readonly burst: number },
  ): number | undefined {
    const bucket = this.#buckets.get(deviceId) ?? { tokens: burst, at: nowMs };
    this.#buckets.set(deviceId, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.at) * requestsPerHour) / HOUR_MS);
    bucket.at = nowMs;
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * HOUR_MS) / requestsPerHour / 1_000);
    bucket.tokens--;
    return undefined;
  }

  /** Forgets terminals that are registered no more. */
  keepOnly(known: (deviceId: string) => boolean): void {
    for (const deviceId of this.#buckets.keys()) if (!known(deviceId)) this.#buckets.delete(deviceId);
  }
}
