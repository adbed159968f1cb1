const WINDOW_MS = 3_600_000;
/** Renewals out of turn in any hour, whatever they are for (docs/specification.md section 4). */
const MOST = 12;

/** Why a renewal may be wanted before its planned instant, and how many of them each may cost. */
const mostFor = {
  /** A start or reload with no authinfo, or with one whose age is only believed. */
  start: MOST,
  rejection: 6,
  device: MOST,
  network_card: MOST,
  /** A new session, or a line that is back. */
  bridge: MOST,
  keys: MOST,
  clock: MOST,
  link: MOST,
} as const satisfies Record<string, number>;

export type Occasion = keyof typeof mostFor;

const occasions = Object.keys(mostFor) as readonly Occasion[];

export function isOccasion(name: unknown): name is Occasion {
  return typeof name === "string" && Object.hasOwn(mostFor, name);
}

/** A renewal out of turn that has begun. */
export interface Spent {
  readonly occasion: Occasion;
  readonly atMs: number;
}

/**
 * What one board, app or person that changes its mind without end may cost the merchant's call quota, the disk and WeChat Pay. Beyond it the
 * planned policy goes on. All instants are on the boot clock.
 */
export class RateLimiter {
  #spent: readonly Spent[];
  /** The newest instants of each, as many as make it too many. */
  readonly #seen = new Map<Occasion, readonly number[]>();
  readonly #heldBackAt = new Map<Occasion, number>();

  /** @param spent what the process before has left of it */
  constructor(spent: readonly Spent[] = []) {
    this.#spent = spent;
  }

  /** Boot time at which the next renewal may be had: `nowMs` when one is free. */
  freeAt(occasion: Occasion, nowMs: number): number {
    const spent = this.spent(nowMs);
    const own = spent.filter((each) => each.occasion === occasion);
    return Math.max(nowMs, endOf(spent.at(-MOST)), endOf(own.at(-mostFor[occasion])));
  }

  spend(occasion: Occasion, atMs: number): void {
    this.#spent = [...this.spent(atMs), { occasion, atMs }];
  }

  /** Within the last hour, the oldest first. */
  spent(nowMs: number): readonly Spent[] {
    return this.#spent.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
  }

  /** It has happened, whether or not a renewal is wanted for it. */
  see(occasion: Occasion, atMs: number): void {
    const seen = [...(this.#seen.get(occasion) ?? []), atMs];
    this.#seen.set(occasion, seen.slice(-(mostFor[occasion] + 1)));
  }

  /** A renewal that is wanted for it has to wait. */
  holdBack(occasion: Occasion, atMs: number): void {
    this.#heldBackAt.set(occasion, atMs);
  }

  /** Those that have come more often within the last hour than renewals may follow. */
  excessive(nowMs: number): readonly Occasion[] {
    const recent = (atMs: number | undefined) => atMs !== undefined && nowMs - atMs < WINDOW_MS;
    return occasions.filter(
      (each) => recent(this.#heldBackAt.get(each)) || recent(this.#seen.get(each)?.at(-(mostFor[each] + 1))),
    );
  }
}

function endOf(spent: Spent | undefined): number {
  return spent === undefined ? Number.NEGATIVE_INFINITY : spent.atMs + WINDOW_MS;
}
