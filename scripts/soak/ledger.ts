/** One authinfo as WeChat Pay knows it. Times on the soak's monotonic clock, ms. */
export interface Issue {
  readonly atMs: number;
  readonly lifeMs: number;
  /** False when it went out in an answer that nobody may believe: unsigned, badly signed, of another time. */
  readonly believable: boolean;
}

/** More than a life's worth; a soak may last for days. */
const MOST = 2_000;
/** Shorter runs of characters are found by chance. */
const PIECE = 16;

/** What the simulators have given away: the only truth the readings are held against. */
export class Ledger {
  readonly #issues = new Map<string, Issue>();
  #count = 0;

  get issued(): number {
    return this.#count;
  }

  note(authinfo: string, issue: Issue): void {
    this.#count++;
    this.#issues.set(authinfo, issue);
    for (const oldest of this.#issues.keys()) {
      if (this.#issues.size <= MOST) break;
      this.#issues.delete(oldest);
    }
  }

  find(authinfo: string): Issue | undefined {
    return this.#issues.get(authinfo);
  }

  /** Whether this run of characters begins with a piece of an authinfo. */
  holds(run: string): boolean {
    const piece = run.slice(0, PIECE);
    return piece.length === PIECE && [...this.#issues.keys()].some((authinfo) => authinfo.includes(piece));
  }
}
