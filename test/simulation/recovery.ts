import type { Observer } from "./observer.ts";
import type { PacingInvariants } from "./pacing.ts";
import type { World } from "./world.ts";

/** The longest pause, 120 s, and an attempt with all its deadlines (specification 4). */
const WITHIN_MS = 120_000 + 50_000;
/** A disk may take 2 s, and the look at what is there its time (specification 6). */
const AT_ONCE_MS = 8_000;
/** Longer than the longest ordinary life: with nothing wrong since then, there is one at any time. */
const WELL_FOR_MS = 3 * 3_600_000;
const SERVED = new Set(["fresh", "due"]);

/** Once nothing stands in the way any more, an authinfo is there within the time that the back-off may take. */
export class RecoveryInvariant {
  readonly #world: World;
  readonly #observer: Observer;
  readonly #pacing: PacingInvariants;
  #clearSince: number | undefined;
  /** What is shown has not been as it should be since. */
  #badSince: number | undefined;
  /** The newest authinfo that has been shown. */
  #shown = -1;

  constructor(world: World, observer: Observer, pacing: PacingInvariants) {
    this.#world = world;
    this.#observer = observer;
    this.#pacing = pacing;
    observer.judge(({ by, document }) => {
      if (by === "stale") return;
      const isGood = SERVED.has(document?.state ?? "") && document?.renewal === undefined;
      this.#badSince = isGood ? undefined : (this.#badSince ?? world.now);
      const wellFor = world.now - (this.#clearSince ?? world.now);
      if (document === undefined && wellFor > WELL_FOR_MS) world.fail("no-gap", "none though nothing was wrong");
      this.#shown = Math.max(this.#shown, world.pay.issued.get(document?.authinfo ?? "")?.number ?? -1);
    });
  }

  hindered(): void {
    this.#clearSince = undefined;
  }

  clear(): void {
    this.#clearSince ??= this.#world.now;
  }

  afterStep(): void {
    const { now, process, clockIsWrong } = this.#world;
    const obtained = this.#pacing.obtained;
    if (obtained && obtained.number > this.#shown && now > obtained.atMs + AT_ONCE_MS + this.#world.time.slackMs) {
      if (process?.stopping === false) this.#world.fail("not-held-back", `${now - obtained.atMs} ms after it has come`);
    }
    const { violations } = this.#world.board.bridge;
    if (violations.length > 0) this.#world.fail("bridge-protocol", violations.join("; "));
    if (this.#clearSince === undefined) return;
    if (process === undefined || clockIsWrong) this.#clearSince = now;
    if (this.#badSince === undefined) return;
    const since = Math.max(this.#clearSince, this.#badSince);
    const limit = Math.max(since + WITHIN_MS, this.#pacing.waitsUntil + 50_000);
    if (now < limit + this.#world.time.slackMs) return;
    const { document, problem } = this.#observer.last ?? {};
    const shown = document?.state ?? problem?.code;
    // Beyond the allowance the planned instant is waited for (specification 4).
    if (this.#pacing.mayBeLimited) return;
    this.#world.fail("recovery", `${shown} ${Math.round((now - since) / 1_000)} s after all was well again`);
  }
}
