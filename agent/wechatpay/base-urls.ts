import type { BaseUrlStatus } from "./wechatpay.ts";

export interface Outcome {
  /** "ok" or the error code in lower case. */
  readonly outcome: string;
  readonly atWallMs: number;
  readonly ms: number;
  readonly status?: number | undefined;
  /** Judged only when somebody asks: most are never looked at, and a search for secrets has its price. */
  readonly requestId?: (() => string | undefined) | undefined;
}

/**
 * Which base URL is asked, and how each has fared. The one that worked is kept; the primary, the first, is asked again
 * at each planned refresh (specification 4). Failures never settle on a URL: after both have failed the turn passes on, so
 * that a backup which answers, but badly, cannot shut out a primary that has recovered.
 */
export class BaseUrls {
  readonly #entries: Entry[];
  #next = 0;

  constructor(baseUrls: readonly string[]) {
    this.#entries = baseUrls.map((baseUrl) => ({ baseUrl, requests: {} }));
  }

  /** Index of the URL an attempt begins with. */
  first(planned: boolean): number {
    if (planned) this.#next = 0;
    return this.#next;
  }

  /** Index of the one to fail over to; undefined when there is no other. */
  other(index: number): number | undefined {
    return this.#entries.length > 1 ? this.#after(index) : undefined;
  }

  keep(index: number): void {
    this.#next = index;
  }

  passOn(index: number): void {
    this.#next = this.#after(index);
  }

  record(index: number, { outcome, atWallMs, ms, status, requestId }: Outcome): void {
    const entry = this.#entries[index];
    if (entry === undefined) return;
    entry.requests[outcome] = (entry.requests[outcome] ?? 0) + 1;
    entry.last = { outcome, atWallMs, ms, status, requestId: requestId && once(requestId) };
  }

  status(): BaseUrlStatus[] {
    return this.#entries.map(({ baseUrl, requests, last }, index) => ({
      baseUrl,
      inUse: index === this.#next,
      requests: { ...requests },
      ...(last === undefined ? {} : told(last)),
    }));
  }

  #after(index: number): number {
    return (index + 1) % this.#entries.length;
  }
}

/** The status is looked at every few seconds, and the same request again and again. */
function once<T>(judge: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => {
    found ??= { value: judge() };
    return found.value;
  };
}

interface Entry {
  readonly baseUrl: string;
  readonly requests: Record<string, number>;
  last?: Outcome;
}

function told({ outcome, atWallMs, ms, status, requestId }: Outcome): Partial<BaseUrlStatus> {
  const id = requestId?.();
  return {
    lastOutcome: outcome,
    lastAt: new Date(atWallMs).toISOString(),
    lastMs: Math.round(ms),
    ...(status === undefined ? {} : { lastStatus: status }),
    ...(id === undefined ? {} : { lastRequestId: id }),
  };
}
