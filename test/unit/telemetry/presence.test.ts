import { describe, expect, it } from "vitest";
import { contradicts, Presences } from "../../../agent/telemetry/presence.ts";
import { topicLevel, topicsOf } from "../../../agent/telemetry/topics.ts";
import { type Chance, seeded } from "../../support/faults/seeded.ts";

const who = { session: "a1b2", version: "1.2.3", boot_id: "boot" };

describe("the topics of a terminal", () => {
  it("are those of specification 10", () => {
    const topics = topicsOf("facepay", "1900000100", "LTA0P18937F130532000001");
    const base = "facepay/v1/1900000100/LTA0P18937F130532000001";
    expect(topics).toMatchObject({ state: `${base}/state`, health: `${base}/health`, event: `${base}/event` });
    expect(topics.command("refresh", "7")).toBe(`${base}/cmd/refresh/7`);
    expect(topics.parseCommand(`${base}/cmd/refresh/7`)).toEqual({ op: "refresh", id: "7" });
  });

  it("cannot be left by a device id, whatever printable characters it has", () => {
    for (let code = 0x20; code < 0x7f; code++) {
      const level = topicLevel(`a${String.fromCharCode(code)}b`);
      expect(level, String(code)).toMatch(/^[0-9A-Za-z._%-]+$/);
    }
    expect(topicLevel("../+/#")).toBe("..%2F%2B%2F%23");
  });

  it.each(["facepay/v1/1/OTHER/cmd/refresh/7", "facepay/v1/1/X/cmd/refresh", "facepay/v1/1/X/cmd/a/b/c", "x", ""])(
    "have no command in %j",
    (topic) => {
      expect(topicsOf("facepay", "1", "X").parseCommand(topic)).toBeUndefined();
    },
  );
});

describe("birth and will", () => {
  it("carry the same session and instant, and nothing else than the specification names", () => {
    const { birth, will } = new Presences(who).next(1_700_000_000_000);
    expect(JSON.parse(birth)).toEqual({ online: true, at: "2023-11-14T22:13:20.000Z", ...who });
    expect(JSON.parse(will)).toEqual({ ...JSON.parse(birth), online: false });
  });

  it("grow from one connection to the next, though the clock is set back", () => {
    const presences = new Presences(who);
    const first = JSON.parse(presences.next(2_000_000_000_000).birth);
    const second = JSON.parse(presences.next(1_000_000_000_000).birth);
    expect(Date.parse(second.at)).toBeGreaterThan(Date.parse(first.at));
  });

  it.each([
    ["its own birth", (birth: string) => birth, false],
    ["its own will", (birth: string) => birth.replace("true", "false"), true],
    ["another session", (birth: string) => birth.replace("a1b2", "ffff"), true],
    ["nothing: somebody cleared it", () => "", true],
    ["something else", () => "\u0000", true],
  ])("contradicts %s or not", (_what, made, expected) => {
    const { birth } = new Presences(who).next(0);
    expect(contradicts(birth, Buffer.from(made(birth)))).toBe(expected);
  });
});

/**
 * What a broker and its cluster may do to one topic: what one connection sends stays in order, what several send may come in any, and a
 * will comes whenever the broker notices. The agent hears what has become of the topic while it is connected.
 */
class World {
  readonly #chance: Chance;
  /** Of each connection, what is under way to the topic. */
  readonly #connections: string[][] = [];
  #live: { connection: string[]; birth: string } | undefined;
  retained = "";

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  connect({ birth, will }: { birth: string; will: string }): void {
    this.lose();
    const connection = [birth];
    this.#connections.push(connection);
    this.#live = { connection, birth };
    this.#wills.set(connection, will);
  }

  readonly #wills = new Map<string[], string>();

  /** The connection is gone; its will follows all that it has sent. */
  lose(): void {
    if (this.#live === undefined) return;
    this.#live.connection.push(this.#wills.get(this.#live.connection) ?? "");
    this.#live = undefined;
  }

  deliver(most: number): void {
    for (let left = most; left > 0; left--) {
      const waiting = this.#connections.filter((connection) => connection.length > 0);
      if (waiting.length === 0) return;
      this.retained = waiting[this.#chance.below(waiting.length)]?.shift() ?? "";
      const live = this.#live;
      // The agent watches its topic, and what it publishes goes on its own connection.
      if (live && contradicts(live.birth, Buffer.from(this.retained))) live.connection.push(live.birth);
    }
  }
}

describe("10 000 reordered pairs of birth and will", () => {
  it("never leave a living terminal offline, nor a dead one online", () => {
    const wrong: string[] = [];
    let pairs = 0;
    for (let seed = 1; pairs < 10_000; seed++) {
      const chance = seeded(seed);
      const world = new World(chance);
      // A restart of the program is another session with a clock of its own.
      let presences = new Presences({ ...who, session: `s${seed}-0` });
      const connections = 1 + chance.below(6);
      let birth = "";
      for (let n = 0; n < connections; n++) {
        if (chance.below(3) === 0) presences = new Presences({ ...who, session: `s${seed}-${n + 1}` });
        const pair = presences.next(chance.below(2_000_000_000) * 1_000);
        world.connect(pair);
        birth = pair.birth;
        pairs++;
        world.deliver(chance.below(5));
      }
      const dies = chance.below(2) === 0;
      if (dies) world.lose();
      world.deliver(1_000);
      const shown = JSON.parse(world.retained);
      if (dies ? shown.online : world.retained !== birth) wrong.push(`seed ${seed}: ${world.retained}`);
    }
    expect(pairs).toBeGreaterThanOrEqual(10_000);
    expect(wrong).toEqual([]);
  });
});
