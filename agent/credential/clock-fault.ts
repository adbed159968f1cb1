import { type Instant, wallStep } from "../common/clock-sync.ts";

type Moment = Pick<Instant, "wall" | "boot">;

/**
 * A failure that this terminal's own clock is to blame for, and whether the clock has been set since: then it is over. Told by
 * the two clocks at the failure and not by the steps that are counted, since a step may fall into the attempt itself.
 */
export class ClockFault {
  #asked: Moment = { wall: 0, boot: 0 };
  #blamed: Moment | undefined;

  get stands(): boolean {
    return this.#blamed !== undefined;
  }

  /** An attempt begins. */
  ask(now: Moment): void {
    this.#asked = now;
  }

  /** It has failed because of the clock. Returns whether the clock has been set meanwhile, so that another may fare better. */
  blame(now: Moment): boolean {
    this.#blamed = now;
    return wallStep(this.#asked, now) !== 0;
  }

  clear(): void {
    this.#blamed = undefined;
  }

  /** Whether the clock reads otherwise than when it was blamed. */
  isMended(now: Moment): boolean {
    return this.#blamed !== undefined && wallStep(this.#blamed, now) !== 0;
  }
}
