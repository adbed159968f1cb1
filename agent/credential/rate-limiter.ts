const WINDOW_MS = 3_600_000;
/** Renewals out of turn in any hour, whatever they are for (docs/specification.md section 4). */
const MOST = 12;

/** Why a renewal may be requested before its planned instant, and how many of them an hour each may cost. */
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
 * Limits renewals out of turn: a board, app or person that causes them without end must not use up the merchant's call quota, the disk
 * and WeChat Pay. Beyond the limit the planned policy goes on. All instants are on the boot clock.
 */
export class RateLimiter {
  #spent: readonly Spent[];
  /** The newest instants of each, as many as make it too many. */
  readonly #seen = new Map<Occasion, readonly number[]>();
  readonly #delayedAt = new Map<Occasion, number>();

  /** @param spent renewals of the process before */
  constructor(spent: readonly Spent[] = []) {
    this.#spent = spent;
  }

  /** When the next renewal is allowed: `nowMs` if at once. */
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

  /** The occasion has come up, whether or not it requests a renewal. */
  note(occasion: Occasion, atMs: number): void {
    const seen = [...(this.#seen.get(occasion) ?? []), atMs];
    this.#seen.set(occasion, seen.slice(-(mostFor[occasion] + 1)));
  }

  /** A renewal requested for it has to wait. */
  delayed(occasion: Occasion, atMs: number): void {
    this.#delayedAt.set(occasion, atMs);
  }

  /** Occasions that came up more often within the last hour than renewals may follow. */
  excessive(nowMs: number): readonly Occasion[] {
    const recent = (atMs: number | undefined) => atMs !== undefined && nowMs - atMs < WINDOW_MS;
    return occasions.filter(
      (each) => recent(this.#delayedAt.get(each)) || recent(this.#seen.get(each)?.at(-(mostFor[each] + 1))),
    );
  }
}

function endOf(spent: Spent | undefined): number {
  return spent === undefined ? Number.NEGATIVE_INFINITY : spent.atMs + WINDOW_MS;
}
