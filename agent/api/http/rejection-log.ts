import type { Clock } from "../../common/clock.ts";
import type { Log } from "../../common/log/log.ts";

/** At most one line so often, however much is refused. */
const LINE_EVERY_MS = 60_000;

/**
 * Tells of refusals without becoming a way to fill a log: the first at once, what comes within the next minute in one line with the
 * first after it. The metrics have every one.
 */
export class RejectionLog {
  readonly #clock: Clock;
  readonly #tell: (refused: Readonly<Record<string, number>>) => void;
  readonly #counts = new Map<string, number>();
  readonly #lastAt = new Map<string, number>();
  #toldAt: number | undefined;

  constructor(clock: Clock, log: Log, code: string) {
    this.#clock = clock;
    this.#tell = (refused) => log.warn(code, { refused });
  }

  count(reason: string): void {
    const now = this.#clock.boot();
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    this.#lastAt.set(reason, now);
    if (this.#toldAt !== undefined && now - this.#toldAt < LINE_EVERY_MS) return;
    this.#toldAt = now;
    this.#tell(Object.fromEntries(this.#counts));
    this.#counts.clear();
  }

  /** Whether this has happened within the last minute. */
  recently(reason: string): boolean {
    const at = this.#lastAt.get(reason);
    return at !== undefined && this.#clock.boot() - at < LINE_EVERY_MS;
  }
}
