import type { AuthinfoDocument, Observation, Observer } from "./observer.ts";
import type { Issued } from "./pay.ts";
import type { World } from "./world.ts";

/** WeChat Pay's own time confirms a clock that is so near to it. */
const CONFIRMED_WITHIN_MS = 65_000;
/** An answer of the bridge is there by then. */
const SEEN_MS = 1_000;
const SERVED = new Set(["fresh", "due", "rejected"]);

/** So far the time that its answer shows is from when it came. */
const datedOffMs = ({ signedOffS }: Issued) => Math.abs(signedOffS) * 1_000;

interface Promised {
  readonly generation: number;
  readonly number: number;
  readonly deviceId: string;
  readonly obtainedAt: string;
  readonly endsAtMs: number;
}

/**
 * What may be handed out, and what has to be: judged by what WeChat Pay has issued, by what was announced before, and by the world's own time.
 */
export class ServedInvariants {
  readonly #world: World;
  /** What was announced as persisted last. */
  #promised: Promised | undefined;
  /** By this program. */
  #last: { readonly document: AuthinfoDocument; readonly atMs: number; readonly number: number } | undefined;
  #highest = 0;
  /** The program has told something since its start. */
  #spoken = false;
  /** The file with what was promised has been spoilt by something else than a crash. */
  #spoilt = false;
  #clockLied = false;
  #deviceSince = 0;
  /** What the bridge has named to this program. */
  #toldDevice: { readonly deviceId: string; readonly atMs: number } | undefined;
  #rejected = 0;

  constructor(world: World, observer: Observer) {
    this.#world = world;
    const { bridge } = world.board;
    bridge.subscribe(({ method }) => {
      const isWell = world.board.trouble === "none" && Object.keys(bridge.faults).length === 0;
      const { deviceId } = bridge;
      if (method === "hello" && isWell && deviceId !== undefined && this.#toldDevice?.deviceId !== deviceId) {
        this.#toldDevice = { deviceId, atMs: world.now };
      }
    });
    observer.judge((seen) => (seen.document ? this.#shown(seen, seen.document) : this.#hidden(seen)));
  }

  /** The clock is right, and the agent has had the time to see it. */
  clockIsRight(): void {
    this.#clockLied = false;
  }

  started(): void {
    this.#last = undefined;
    this.#spoken = false;
    this.#toldDevice = undefined;
    this.#rejected = 0;
    this.#highest = this.#promised?.generation ?? 0;
    this.#clockLied = this.#world.clockIsWrong;
  }

  /** The app has been told that its rejection counts. */
  rejected(generation: number): void {
    this.#rejected = generation;
  }

  spoilt(): void {
    this.#spoilt = true;
  }

  /** The board names another device from now on. */
  deviceChanged(): void {
    this.#deviceSince = this.#world.now;
  }

  /** What an app has seen last. */
  get shownGeneration(): number {
    return this.#last?.document.generation ?? 0;
  }

  /** Only this the agent can know for a secret, whatever else has been issued. */
  get shownAuthinfo(): string | undefined {
    return this.#last?.document.authinfo;
  }

  get promisedGeneration(): number {
    return this.#promised?.generation ?? 0;
  }

  #shown(seen: Observation, document: AuthinfoDocument): void {
    const { atMs, by } = seen;
    const world = this.#world;
    const issued = world.pay.issued.get(document.authinfo);
    const name = `generation ${document.generation} (${document.state}, ${by})`;
    if (issued?.delivered !== true) {
      world.fail("issued-and-verified", `${name} ${issued ? "has never arrived" : "was never issued as it stands"}`);
      return;
    }
    this.#judgeTerms(document, issued, name, seen);
    this.#judgeTold(document, issued.deviceId, name, atMs);
    this.#compare(document, issued.number, name, atMs);
    this.#spoken = true;
    this.#last = { document, atMs, number: issued.number };
    this.#highest = Math.max(this.#highest, document.generation);
    if (document.persisted && document.generation >= this.promisedGeneration) {
      if (document.generation > this.promisedGeneration) this.#spoilt = false;
      this.#promise(document, issued);
    }
  }

  #promise({ generation, device_id: deviceId, obtained_at: obtainedAt }: AuthinfoDocument, issued: Issued): void {
    const before = this.#promised;
    // WeChat Pay may have sent it once more, with a later end: that counts only when the agent has taken it.
    if (before?.generation === generation && before.obtainedAt === obtainedAt) return;
    const { number, atMs, lifeMs } = issued;
    this.#promised = { generation, number, deviceId, obtainedAt, endsAtMs: atMs + lifeMs - datedOffMs(issued) };
  }

  /** What the bridge and the app have told the agent. */
  #judgeTold(document: AuthinfoDocument, deviceId: string, name: string, atMs: number): void {
    const world = this.#world;
    if (document.device_id !== deviceId) world.fail("right-device", `${name} was issued for ${deviceId}`);
    const told = this.#toldDevice;
    if (told && atMs - told.atMs > SEEN_MS && document.device_id !== told.deviceId) {
      world.fail("right-device", `${name} is not for ${told.deviceId}, which the bridge has named`);
    }
    if (document.generation === this.#rejected && SERVED.has(document.state) && document.state !== "rejected") {
      world.fail("rejected-is-told", name);
    }
  }

  #judgeTerms(document: AuthinfoDocument, issued: Issued, name: string, { atMs, by }: Observation): void {
    const world = this.#world;
    const endsAtMs = issued.atMs + issued.lifeMs;
    const ofThisBoot = issued.atMs >= world.poweredAtMs;
    const believed = !this.#clockLied || ofThisBoot;
    // Across a boot the age is as exact as the time that an answer shows, which may have come slowly.
    const graceMs = ofThisBoot ? 0 : 6_000 + datedOffMs(issued);
    const unconfirmed = !world.clockConfirmed && Math.abs(world.wallOffMs) > CONFIRMED_WITHIN_MS;
    if (!believed && unconfirmed && document.clock_trusted) world.fail("clock-trusted", name);
    if (SERVED.has(document.state)) {
      const leftMs = endsAtMs - atMs + graceMs;
      if (believed && leftMs < 0) world.fail("not-after-its-end", `${name}, ${-leftMs} ms after its end`);
      if (believed && document.remaining_s * 1_000 > leftMs + 1_000) {
        world.fail("remaining", `${name}: ${document.remaining_s} s told, ${(endsAtMs - atMs) / 1_000} s left`);
      }
    } else if (by !== "stale") world.fail("states", `${name} is handed out`);
    if (document.state === "stale" && (document.expiry_source !== "assumed" || issued.told)) {
      world.fail("stale-only-assumed", name);
    }
    if (document.state === "stale" && believed && atMs > endsAtMs + world.device.staleS * 1_000 + 1_000) {
      world.fail("stale-not-for-ever", name);
    }
    if (document.state === "fresh" && !document.clock_trusted) world.fail("fresh-needs-a-clock", name);
    if (document.remaining_s * 1_000 > issued.lifeMs) world.fail("remaining", `${name}: more than its life`);
  }

  #compare(document: AuthinfoDocument, number: number, name: string, atMs: number): void {
    const world = this.#world;
    if (document.generation < this.#highest) {
      world.fail("generation-never-falls", `${name} after generation ${this.#highest}`);
    }
    const promised = this.#promised;
    if (document.generation === promised?.generation && number !== promised.number) {
      world.fail("one-generation-one-authinfo", name);
    }
    if (
      !this.#spoken &&
      promised &&
      !this.#spoilt &&
      promised.deviceId === document.device_id &&
      number < promised.number
    ) {
      world.fail("persisted-is-kept", `${name} is older than what was announced as persisted`);
    }
    const last = this.#last;
    if (last === undefined) return;
    const same = last.document.authinfo === document.authinfo;
    if (!same && document.generation === last.document.generation) {
      world.fail("one-generation-one-authinfo", name);
    }
    if (!same && number < last.number) world.fail("no-way-back", `${name} is an older authinfo again`);
    const sameLife = same && last.document.obtained_at === document.obtained_at;
    const rebased = document.clock_trusted && !last.document.clock_trusted;
    if (sameLife && !rebased && document.remaining_s > last.document.remaining_s) {
      world.fail("remaining-never-grows", `${name}: ${last.document.remaining_s} then ${document.remaining_s}`);
    }
    if (atMs < last.atMs) world.fail("time", "observations out of order");
  }

  #hidden({ atMs, problem }: Observation): void {
    const world = this.#world;
    const last = this.#last;
    const code = `${problem?.code}, ${problem?.cause?.code}`;
    const holds = (deviceId: string, sinceMs: number) =>
      deviceId === world.board.bridge.deviceId && sinceMs >= this.#deviceSince;
    if (last?.document.clock_trusted && last.document.state !== "stale" && holds(last.document.device_id, last.atMs)) {
      const endsAtMs = last.atMs + last.document.remaining_s * 1_000;
      if (atMs < endsAtMs) world.fail("failure-hides-nothing", `${code} with ${(endsAtMs - atMs) / 1_000} s left`);
    }
    const promised = this.#promised;
    if (!this.#spoken && promised && !this.#spoilt && !this.#clockLied && holds(promised.deviceId, atMs)) {
      // What the agent counts as its end is a little before what WeChat Pay does.
      if (atMs < promised.endsAtMs - 15_000) {
        world.fail(
          "persisted-is-kept",
          `${code} although generation ${promised.generation} was announced as persisted`,
        );
      }
    }
    this.#spoken = true;
  }
}
