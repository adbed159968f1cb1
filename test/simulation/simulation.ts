import { Socket } from "node:net";
import { type Begun, begin, type Stage } from "./acts.ts";
import { chanceFor } from "./chance.ts";
import { drawIncidents, type Incident } from "./incidents.ts";
import { Observer } from "./observer.ts";
import { CauseInvariant, judgeSecrets } from "./outputs.ts";
import { PacingInvariants } from "./pacing.ts";
import { RecoveryInvariant } from "./recovery.ts";
import { ServedInvariants } from "./served.ts";
import { type Violation, World } from "./world.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
/** One look may stand for those of 24 s while nothing is wrong and nothing has been for a while. */
const QUIET_SLACK_MS = 24_000;
const QUIET_AFTER_MS = 5 * MINUTE_MS;
/** So long after each change no look is grouped with another. */
const CLOSE_LOOK_MS = 20_000;
const WRITE_WAIT_MS = 40 * MINUTE_MS;

export interface SimulationOptions {
  readonly seed: number;
  readonly days: number;
  /** A directory of its own, for the files of its configuration; removed at the end. */
  readonly directory: string;
  /** All that is drawn for the seed, unless told. */
  readonly incidents?: readonly Incident[];
}

export interface Outcome {
  readonly digest: string;
  readonly steps: number;
  readonly renewals: number;
  readonly reads: number;
  readonly incidents: readonly Incident[];
  readonly violation: Violation | undefined;
  readonly recent: readonly string[];
  readonly atMs: number;
}

/** The life of one terminal, day after day, with all that befalls it. */
export async function simulate({ seed, days, directory, incidents: given }: SimulationOptions): Promise<Outcome> {
  const world = new World(seed, directory);
  const incidents = given ?? drawIncidents(seed, days, world.device);
  const observer = new Observer(world);
  const served = new ServedInvariants(world, observer);
  const pacing = new PacingInvariants(world);
  const recovery = new RecoveryInvariant(world, observer, pacing);
  const causes = new CauseInvariant(world, observer);
  world.pay.shown = () => served.shownAuthinfo;
  world.onLog = judgeSecrets(world, observer);
  world.onStart = () => {
    for (const each of [served, pacing, causes]) each.started();
    observer.lookSoon();
  };
  world.onClockRight = () => {
    served.clockIsRight();
    pacing.occasion("clock");
  };
  const stage: Stage = { world, served, occasion: (why) => pacing.occasion(why) };
  const life = new Life(stage, observer, recovery, incidents);
  const onStray = (error: unknown) =>
    world.fail("ends-by-itself", error instanceof Error ? (error.stack ?? "") : String(error));
  // A real connection takes real time: one seed would have several histories.
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function refused(this: Socket) {
    world.fail("all-is-simulated", "a real connection was asked for");
    return this.destroy();
  };
  process.on("unhandledRejection", onStray);
  process.on("uncaughtException", onStray);
  try {
    for (let day = 0; day < days && world.violation === undefined; day++) await life.live(day);
  } finally {
    world.end();
    Socket.prototype.connect = connect;
    process.off("unhandledRejection", onStray);
    process.off("uncaughtException", onStray);
  }
  return {
    digest: world.digest(),
    steps: world.time.steps,
    renewals: world.pay.issued.size,
    reads: observer.reads,
    incidents,
    violation: world.violation,
    recent: world.recent,
    atMs: world.now,
  };
}

interface Active {
  readonly endsAt: number;
  readonly incident: Incident;
  readonly begun: Begun;
}

class Life {
  readonly #stage: Stage;
  readonly #world: World;
  readonly #observer: Observer;
  readonly #recovery: RecoveryInvariant;
  readonly #incidents: readonly Incident[];
  #next = 0;
  #active: Active[] = [];
  #calmSince = 0;

  constructor(stage: Stage, observer: Observer, recovery: RecoveryInvariant, incidents: readonly Incident[]) {
    this.#stage = stage;
    this.#recovery = recovery;
    this.#world = stage.world;
    this.#observer = observer;
    this.#incidents = incidents;
  }

  async live(day: number): Promise<void> {
    const world = this.#world;
    const { device } = world;
    if (day % 7 === device.closedOn) return;
    const opens = day * DAY_MS + device.opensAtMs;
    const closes = day * DAY_MS + device.closesAtMs;
    const chance = chanceFor(world.seed, "night", day);
    if (device.opensAtMs > 0 || day === 0) {
      if (device.atNight === "sleeps" && world.process !== undefined) world.time.suspendUntil(opens);
      else world.time.skipTo(opens);
    }
    if (world.process === undefined) world.powerOn();
    this.#clearIfWell();
    await this.#work(closes);
    if (closes % DAY_MS === 0 || world.violation) return;
    this.#endAll();
    this.#recovery.hindered();
    if (device.atNight === "sleeps") {
      world.note("sleeps");
      return;
    }
    if (chance.unit() < 0.7 && world.process !== undefined) {
      world.process.stop();
      await this.#run(world.now + 10_000);
      world.powerOff(true);
    } else world.powerOff(false);
  }

  async #work(until: number): Promise<void> {
    const world = this.#world;
    while (world.violation === undefined) {
      const next = this.#incidents[this.#next];
      const ending = this.#active.toSorted((a, b) => a.endsAt - b.endsAt)[0];
      const at = Math.min(until, next?.atMs ?? until, ending?.endsAt ?? until);
      await this.#run(at);
      if (world.violation !== undefined || (at >= until && world.now >= until)) return;
      if (ending !== undefined && ending.endsAt <= world.now) this.#end(ending);
      else if (next !== undefined && next.atMs <= world.now) await this.#begin(next);
    }
  }

  async #begin(incident: Incident): Promise<void> {
    const world = this.#world;
    this.#next++;
    if (incident.kind.endsWith("_while_writing")) await this.#untilWriting(incident);
    const begun = begin(this.#stage, incident);
    world.note(`# ${incident.number} ${incident.kind} ${begun.what}`);
    this.#observer.lookSoon();
    this.#calmSince = world.now;
    if (begun.hinders) this.#recovery.hindered();
    if (begun.end) this.#active.push({ endsAt: world.now + incident.forMs, incident, begun });
    await this.#observer.lookClosely();
  }

  /** Until the disk is at work, or some time has passed. */
  async #untilWriting(incident: Incident): Promise<void> {
    const world = this.#world;
    const { writes } = world.disk;
    const until = Math.min(world.now + WRITE_WAIT_MS, ...this.#active.map(({ endsAt }) => endsAt));
    const after = chanceFor(world.seed, "writing", incident.number).below(60);
    while (world.disk.writes === writes && world.now < until && !world.violation) {
      await this.#run(Math.min(world.now + 1_000, until));
    }
    await this.#run(world.now + after);
  }

  #end(ending: Active): void {
    this.#active = this.#active.filter((each) => each !== ending);
    this.#world.note(`# ${ending.incident.number} ${ending.incident.kind} ends`);
    ending.begun.end?.();
    this.#observer.lookSoon();
    this.#calmSince = this.#world.now;
    this.#clearIfWell();
  }

  #clearIfWell(): void {
    if (!this.#active.some(({ begun }) => begun.hinders)) this.#recovery.clear();
  }

  #endAll(): void {
    for (const ending of [...this.#active]) this.#end(ending);
  }

  async #run(until: number): Promise<void> {
    const world = this.#world;
    const closeUntil = this.#calmSince + CLOSE_LOOK_MS;
    const calm = this.#active.length === 0;
    for (const { to, slackMs, apartMs } of [
      { to: Math.min(until, closeUntil), slackMs: 0, apartMs: 5_000 },
      { to: calm ? Math.min(until, this.#calmSince + QUIET_AFTER_MS) : until, slackMs: 8_000, apartMs: MINUTE_MS },
      { to: until, slackMs: QUIET_SLACK_MS, apartMs: 10 * MINUTE_MS },
    ]) {
      if (world.now >= to || world.violation !== undefined) continue;
      world.time.slackMs = slackMs;
      await world.time.runUntil(to, async () => {
        this.#recovery.afterStep();
        await this.#observer.afterStep(apartMs);
      });
    }
  }
}
