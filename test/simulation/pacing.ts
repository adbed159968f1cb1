import type { Try } from "./network.ts";
import type { World } from "./world.ts";

const HOUR_MS = 3_600_000;
/** The agent counts from the begin of an attempt; what is seen here of it comes later, after the bridge. */
const WINDOW_MS = HOUR_MS - 60_000;
const APART_MS = 1_000;
const SLOW_MS = 300_000;
const LONGEST_RETRY_AFTER_S = 900;
const OUT_OF_TURN_IN_AN_HOUR = 12;
const OF_REJECTION_IN_AN_HOUR = 6;
const IN_TEN_MINUTES = 60;
/** `refresh_at_unsteady`, of which at least half is lived (specification 4). */
const EARLIEST_PLANNED = 0.125;
/** Everything that an attempt takes after its first request: the backup and its deadline, which may fire late (virtual-time.ts). */
const LONGEST_ATTEMPT_MS = 70_000;
const SLOW = new Set([400, 401, 403]);
const FAILOVER = new Set([502, 503, 504]);

interface Attempt {
  readonly rawData: string;
  readonly tries: Try[];
}

/** How often WeChat Pay is asked, and with what: judged by what goes over the network. */
export class PacingInvariants {
  readonly #world: World;
  #attempt: Attempt | undefined;
  readonly #used = new Set<string>();
  #heldUntil = 0;
  #last: Try | undefined;
  /** An old answer has shown an old time: the next one that arrives puts that right. */
  #misled = false;
  #outOfTurn: number[] = [];
  #ofRejection: number[] = [];
  #lately: number[] = [];
  #occasions: { readonly why: string; readonly atMs: number }[] = [];
  #deviceChangedAt = Number.NEGATIVE_INFINITY;

  constructor(world: World) {
    this.#world = world;
    world.network.onTry = (one) => this.#try(one);
    world.pay.onAsked = ({ reason }) => {
      if (reason === undefined) return;
      if (reason === "timestamp_skew" && (world.clockIsWrong || this.#misled)) return;
      if (reason === "device_id_wrong" && world.now - this.#deviceChangedAt < LONGEST_ATTEMPT_MS) return;
      world.fail("good-requests", reason);
    };
  }

  /** A renewal may now be wanted out of turn, or a pause be over. */
  occasion(why: string): void {
    const atMs = this.#world.now;
    if (why === "device") this.#deviceChangedAt = atMs;
    this.#occasions = [...this.#occasions.filter((each) => atMs - each.atMs < HOUR_MS), { why, atMs }];
  }

  /** Another program: of pauses it only knows what was written down. */
  started(): void {
    this.#attempt = undefined;
    this.#heldUntil = 0;
    this.#outOfTurn = [];
    this.#ofRejection = [];
  }

  /** The last attempt has led to an authinfo. */
  get succeeded(): boolean {
    return wasGood(this.#attempt);
  }

  /** What it has led to, and when. */
  get obtained(): { readonly number: number; readonly atMs: number } | undefined {
    const last = this.#attempt?.tries.at(-1);
    const { issued, trouble } = last?.asked ?? {};
    if (!this.succeeded || !last?.steady || issued === undefined || trouble !== undefined) return undefined;
    return { number: issued.number, atMs: last.endedAtMs ?? last.atMs };
  }

  /** Until when the agent may wait after what it was told last, or be at work. */
  get waitsUntil(): number {
    const last = this.#attempt?.tries.at(-1);
    if (last === undefined) return 0;
    const slow = isSlow(last) ? 1.1 * SLOW_MS : 0;
    const held = this.succeeded ? 0 : this.#heldAfter(this.#attempt as Attempt);
    return Math.max((last.endedAtMs ?? last.atMs) + slow, held + 0.1 * LONGEST_RETRY_AFTER_S * 1_000);
  }

  /** The allowance may be used up. */
  get mayBeLimited(): boolean {
    return this.#outOfTurn.length >= OUT_OF_TURN_IN_AN_HOUR || this.#occasions.length >= 6;
  }

  #try(one: Try): void {
    if (this.#last?.asked?.trouble?.replay !== undefined) this.#misled = true;
    else if (this.#last?.answered) this.#misled = false;
    this.#last = one;
    const attempt = this.#attempt;
    if (attempt?.rawData === one.rawData) this.#again(one, attempt);
    else this.#anew(one, attempt);
  }

  #again(one: Try, { tries }: Attempt): void {
    const world = this.#world;
    const last = tries.at(-1) as Try;
    const first = tries[0] as Try;
    const direct = world.device.mode === "direct";
    const status = last.answered ? last.asked?.status : undefined;
    const corrected = direct && status === 401 && last.origin === one.origin;
    if (one.origin === last.origin && !corrected) world.fail("raw-data-once", `twice to ${one.origin}`);
    if (tries.length >= (direct ? 3 : 2)) world.fail("raw-data-once", `${tries.length + 1} requests with one raw_data`);
    if (one.awakeMs - first.awakeMs > LONGEST_ATTEMPT_MS) world.fail("raw-data-once", "long after it was first used");
    if (status !== undefined && !FAILOVER.has(status) && !corrected) {
      world.fail("repeats-only-what-may-be", `after ${status}`);
    }
    tries.push(one);
  }

  #anew(one: Try, before: Attempt | undefined): void {
    const world = this.#world;
    if (this.#used.has(one.rawData)) world.fail("raw-data-once", "in another attempt");
    this.#used.add(one.rawData);
    const last = before?.tries.at(-1);
    if (last !== undefined) this.#compare(one, last, before as Attempt);
    if (one.atMs < this.#heldUntil) {
      world.fail("retry-after", `${((this.#heldUntil - one.atMs) / 1_000).toFixed(1)} s before it was over`);
    }
    this.#lately = [...this.#lately.filter((atMs) => one.atMs - atMs < 600_000), one.atMs];
    if (this.#lately.length > IN_TEN_MINUTES) world.fail("back-off", `${this.#lately.length} attempts in ten minutes`);
    this.#attempt = { rawData: one.rawData, tries: [one] };
  }

  #compare(one: Try, last: Try, before: Attempt): void {
    const world = this.#world;
    const since = one.atMs - (last.endedAtMs ?? last.atMs);
    if (since < APART_MS) world.fail("a-second-apart", `${since} ms after the last attempt`);
    const good = wasGood(before);
    this.#heldUntil = good ? 0 : this.#heldAfter(before);
    const occasion = this.#occasions.some(({ atMs }) => atMs > (last.endedAtMs ?? 0) - 10_000);
    if (isSlow(last) && since < SLOW_MS && !occasion && last.clockRight) {
      world.fail("five-minutes-apart", `${(since / 1_000).toFixed(1)} s after ${last.asked?.status}`);
    }
    const issued = last.asked?.issued;
    if (!good || issued === undefined || last.asked?.trouble !== undefined) return;
    const technician = this.#occasions.some(({ why, atMs }) => why === "technician" && one.atMs - atMs < 90_000);
    if (technician || one.atMs - last.atMs >= EARLIEST_PLANNED * issued.lifeMs - 1_000) return;
    this.#outOfTurn = [...this.#outOfTurn.filter((atMs) => one.atMs - atMs < WINDOW_MS), one.atMs];
    const rejected = this.#occasions.findLast(({ atMs }) => one.atMs - atMs < 600_000)?.why === "rejection";
    this.#ofRejection = this.#ofRejection.filter((atMs) => one.atMs - atMs < WINDOW_MS);
    if (rejected) this.#ofRejection.push(one.atMs);
    if (this.#ofRejection.length > OF_REJECTION_IN_AN_HOUR) world.fail("allowance", "more rejections than it allows");
    if (this.#outOfTurn.length > OUT_OF_TURN_IN_AN_HOUR) {
      world.fail("allowance", `${this.#outOfTurn.length} renewals out of turn within an hour`);
    }
    if (!this.#occasions.some(({ atMs }) => one.atMs - atMs < HOUR_MS))
      world.fail("no-reason", "a renewal out of turn");
  }

  #heldAfter({ tries }: Attempt): number {
    const told = tries.findLast(({ answered, asked }) => answered && asked?.retryAfterS !== undefined);
    const { retryAfterS = 0 } = told?.asked ?? {};
    const until = (told?.endedAtMs ?? 0) + Math.min(retryAfterS, LONGEST_RETRY_AFTER_S) * 1_000;
    return Math.max(this.#heldUntil, told === undefined ? 0 : until);
  }
}

function wasGood(attempt: Attempt | undefined): boolean {
  const last = attempt?.tries.at(-1);
  // With a wrong clock the best of answers is not believed.
  return last?.answered === true && last.clockRight && last.asked?.issued !== undefined;
}

const isSlow = (one: Try | undefined) => one?.answered === true && SLOW.has(one.asked?.status ?? 0);
