import { describe, expect, it } from "vitest";
import { createClockSync } from "../../../agent/common/clock-sync.ts";
import { Warnings } from "../../../agent/common/warnings.ts";
import { judge } from "../../../agent/runtime/evaluate-warnings.ts";
import type { State } from "../../../agent/store/credential.ts";
import { failureWith } from "../../support/checks/failures.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { VirtualTerminal } from "../../support/fixtures/virtual-terminal.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const forever = new AbortController().signal;
/** How often each of them flaps. */
const EVERY_MS = 31 * SECOND;

/** Renewals out of turn in an hour; besides, the even policy refreshes after 15 to 30 minutes. */
const MOST = 12;
const PLANNED = 4;

interface Flap {
  readonly flap: (terminal: VirtualTerminal, round: number) => void;
  readonly warning: string;
  /** What WeChat Pay says meanwhile, and how many requests an hour the policy makes because of it. */
  readonly answer?: (terminal: VirtualTerminal) => ReturnType<VirtualTerminal["pay"]["answer"]>;
  readonly retries?: number;
}

const flaps = {
  "network card": {
    flap: (t, round) => {
      t.bridge.netId = `wlan${round}`;
      t.driver.probe(forever).catch(() => undefined);
    },
    warning: "NETWORK_CARD_UNSTEADY",
  },
  device: {
    flap: (t, round) => {
      t.bridge.deviceId = `DEVICE${round % 2}`;
      t.hangUp();
    },
    warning: "DEVICE_UNSTEADY",
  },
  session: {
    flap: (t) => {
      t.bridge.restart();
      t.hangUp();
    },
    warning: "BRIDGE_UNSTEADY",
  },
  link: { flap: (t) => t.credentials.networkChanged(), warning: "LINK_UNSTEADY" },
  keys: {
    flap: (t) => t.credentials.secretsRenewed(),
    warning: "KEYS_UNSTEADY",
    // Refused with the one, granted with the other.
    answer: (t) => (t.pay.askedAt.length % 2 === 0 ? failureWith("PAY_UNAUTHORIZED") : {}),
    retries: 12,
  },
  clock: {
    flap: (t, round) => t.clock.stepWall(round % 2 === 0 ? 400 * SECOND : -400 * SECOND),
    warning: "CLOCK_UNSTEADY",
    answer: (t) => (t.pay.askedAt.length % 2 === 0 ? failureWith("CLOCK_WRONG") : {}),
    retries: 12,
  },
} as const satisfies Record<string, Flap>;

type Name = keyof typeof flaps;
const names = Object.keys(flaps) as Name[];
const pairs = names.flatMap((one, at) => names.slice(at + 1).map((other) => [one, other] as const));

/** The codes of the warnings that stand. */
function warningsOf(t: VirtualTerminal): string[] {
  const warnings = new Warnings();
  const { failures, unsteadySinceWallMs, excessive } = t.credentials.status();
  judge(
    warnings,
    { boot: t.clock.boot(), wall: t.clock.wall() },
    {
      ...{
        view: t.credentials.view(),
        failures,
        unsteadySinceWallMs,
        excessive,
        store: t.store.status(),
        configWarnings: [],
      },
      clock: createClockSync(t.clock, "boot-1", "/nonexistent/synchronized").status(),
    },
  );
  return warnings.shown(t.clock.boot()).map(({ code }) => code);
}

async function flapFor(t: VirtualTerminal, ms: number, ...which: readonly Name[]): Promise<void> {
  for (let round = 0; round * EVERY_MS < ms; round++) {
    for (const name of which) (flaps[name] as Flap).flap(t, round);
    await t.clock.advance(EVERY_MS);
  }
}

/** The most requests, or writes, within any hour. */
function mostAnHour(at: readonly number[]): number {
  return Math.max(0, ...at.map((from) => at.filter((each) => each >= from && each < from + HOUR).length));
}

describe.each([...names.map((name) => [name] as const), ...pairs])("flapping for an hour: %s %s", (...which) => {
  it("costs WeChat Pay and the disk no more than the allowance, and is told of", async () => {
    const clock = new FakeClock({}, 2);
    await using t = new VirtualTerminal({ clock });
    await t.start();
    const kinds = (which as readonly Name[]).map((name): Flap => flaps[name]);
    const answer = kinds.find((kind) => kind.answer)?.answer;
    if (answer) t.pay.answer = () => answer(t);
    await flapFor(t, 1.1 * HOUR, ...(which as readonly Name[]));
    const retries = Math.max(...kinds.map((kind) => kind.retries ?? 0));
    expect(mostAnHour(t.pay.askedAt)).toBeLessThanOrEqual(MOST + PLANNED + retries);
    // What was held is dropped on the disk, too, when the device changes: another write for each.
    expect(mostAnHour(t.store.writtenAt)).toBeLessThanOrEqual(2 * (MOST + PLANNED));
    expect(warningsOf(t)).toEqual(expect.arrayContaining(kinds.map(({ warning }) => warning)));
    if (kinds.length > 1) return;
    // An hour after the last one all is as before.
    t.bridge.deviceId = "DEVICE0";
    t.pay.answer = () => ({});
    await t.clock.advance(HOUR + 60 * SECOND);
    expect(t.credentials.status().excessive).toEqual([]);
    expect(t.credentials.view()).toMatchObject({ state: "fresh" });
  });
});

describe("a bridge that is another at every hello, the renewal's own included", () => {
  it.each([
    ["network card", 0, MOST + PLANNED, "NETWORK_CARD_UNSTEADY"],
    ["device", 1, MOST + PLANNED, "DEVICE_UNSTEADY"],
    // Costs no renewal at all: only the planned ones follow.
    ["session", 2, 1 + PLANNED, "BRIDGE_UNSTEADY"],
  ] as const)("%s", async (_, which, most, warning) => {
    await using t = new VirtualTerminal({ clock: new FakeClock({}, 4) });
    let hellos = 0;
    t.bridge.subscribe(({ method }) => {
      if (method !== "hello") return;
      hellos++;
      if (which === 0) t.bridge.netId = `wlan${hellos}`;
      else if (which === 1) t.bridge.deviceId = `DEVICE${hellos % 2}`;
      else t.bridge.restart();
    });
    await t.start();
    await t.clock.advance(1.1 * HOUR);
    expect(hellos).toBeGreaterThan(100);
    expect(t.pay.askedAt.length).toBeGreaterThan(2);
    expect(mostAnHour(t.pay.askedAt)).toBeLessThanOrEqual(most);
    expect(warningsOf(t)).toContain(warning);
    if (which !== 1) expect(t.credentials.view()).toMatchObject({ state: "fresh" });
  });
});

describe("a bridge that hangs up without end while WeChat Pay fails", () => {
  it("hastens no more retries than the allowance has", async () => {
    const asked: number[] = [];
    for (const hangsUp of [false, true]) {
      const clock = new FakeClock({}, 4);
      await using t = new VirtualTerminal({ clock });
      t.pay.answer = () => failureWith("PAY_SERVER_ERROR");
      await t.start();
      for (let round = 0; round < 240; round++) {
        // Between the rawdata and the answer it is the bridge's failure that counts as the last one.
        if (hangsUp) t.hangUp();
        if (round % 2 === 0) t.bridge.next({ only: "getWxpayfaceRawdata", nativeStatus: 7 });
        await clock.advance(15 * SECOND);
      }
      asked.push(t.pay.askedAt.length);
    }
    const [alone = 0, flapping = 0] = asked;
    expect(flapping).toBeLessThanOrEqual(alone + MOST);
  });

  it("comes back at once, however often, while nothing has gone to WeChat Pay", async () => {
    await using t = new VirtualTerminal({ clock: new FakeClock({}, 4) });
    await t.start();
    for (let round = 0; round < 30; round++) {
      t.bridge.next({ only: "getWxpayfaceRawdata", nativeStatus: 7 }, 2);
      const refused = t.credentials.refresh(forever).catch((error: unknown) => error);
      await t.clock.advance(1_500);
      expect(await refused).toMatchObject({ code: "SDK_NATIVE_ERROR" });
      t.bridge.behave();
      t.hangUp();
      await t.clock.advance(2_500);
      expect(t.credentials.view().cause).toBeUndefined();
    }
  });
});

describe("a single change", () => {
  it("of the network card that a renewal finds by itself is answered by that renewal", async () => {
    await using t = new VirtualTerminal();
    await t.start();
    t.bridge.netId = "wlan0";
    await t.clock.advance(2 * SECOND);
    const refreshed = t.credentials.refresh(forever);
    await t.clock.advance(10 * SECOND);
    await refreshed;
    expect(t.pay.askedAt).toHaveLength(2);
    expect(t.credentials.view().credential?.netId).toBe("wlan0");
  });

  it("of the device while WeChat Pay is asked takes the answer away again, and another renewal follows", async () => {
    await using t = new VirtualTerminal();
    await t.start();
    const gate = Promise.withResolvers<object>();
    t.pay.answer = () => gate.promise;
    await t.clock.advance(2 * SECOND);
    const refreshed = t.credentials.refresh(forever);
    await t.clock.settle();
    t.bridge.deviceId = "ANOTHER";
    await t.driver.probe(forever);
    t.pay.answer = () => ({});
    gate.resolve({});
    await refreshed;
    expect(t.credentials.view().state).toBe("absent");
    await t.clock.advance(2 * SECOND);
    expect(t.credentials.view()).toMatchObject({ state: "fresh", credential: { deviceId: "ANOTHER" } });
  });
});

describe("the allowance", () => {
  it("gives rejections six of its twelve, tells of it, and leaves the others to the rest", async () => {
    await using t = new VirtualTerminal({ clock: new FakeClock({}, 2) });
    await t.start();
    for (let round = 0; round < 60; round++) {
      t.credentials.reject({ generation: t.credentials.view().credential?.generation ?? 0 });
      await t.clock.advance(5 * SECOND);
    }
    expect(t.pay.askedAt).toHaveLength(1 + 6);
    expect(warningsOf(t)).toContain("REJECTIONS_LIMITED");
    await flapFor(t, 15 * 60 * SECOND, "network card");
    expect(t.pay.askedAt).toHaveLength(12);
  });

  it("is not spent by a technician, however often one asks", async () => {
    await using t = new VirtualTerminal({ clock: new FakeClock({}, 2) });
    await t.start();
    for (let asked = 0; asked < 100; asked++) {
      const refreshed = t.credentials.refresh(forever);
      await t.clock.advance(10 * SECOND);
      await refreshed;
    }
    expect(t.pay.askedAt).toHaveLength(101);
    expect(t.credentials.status().excessive).toEqual([]);
    await flapFor(t, 10 * 60 * SECOND, "network card");
    expect(t.pay.askedAt.length).toBeLessThanOrEqual(101 + 11);
  });

  it("leaves the technician an attempt when it is used up", async () => {
    await using t = new VirtualTerminal({ clock: new FakeClock({}, 2) });
    await t.start();
    await flapFor(t, 10 * 60 * SECOND, "device");
    const before = t.pay.askedAt.length;
    const refreshed = t.credentials.refresh(forever);
    await t.clock.advance(2 * SECOND);
    await refreshed;
    expect(t.pay.askedAt).toHaveLength(before + 1);
  });

  it("holds over reloads, also of one that takes up another shop each time", async () => {
    const clock = new FakeClock({}, 2);
    const asked: number[] = [];
    let former: VirtualTerminal | undefined;
    for (let reload = 0; reload < 400; reload++) {
      // Nothing of the other shop's is taken up: absent each time.
      const next = new VirtualTerminal({ clock, ...(former && { former: former.credentials.retryState }) });
      await next.start();
      await clock.advance(9 * SECOND);
      asked.push(...next.pay.askedAt);
      await next[Symbol.asyncDispose]();
      former = next;
    }
    expect(mostAnHour(asked)).toBeLessThanOrEqual(MOST + PLANNED);
    expect(former?.credentials.status().excessive).toEqual(["start"]);
  });

  it.each([
    ["process", "boot-1", 0],
    ["board whose clock stands still while it is off", "another each time", -3 * SECOND],
  ])("holds over restarts of the %s without end", async (_, bootId, offMs) => {
    const clock = new FakeClock({}, 2);
    const asked: number[] = [];
    const written: number[] = [];
    let state: State | undefined;
    for (let start = 0; start < 400; start++) {
      const t = new VirtualTerminal({
        clock,
        bootId: bootId === "boot-1" ? bootId : `boot-${start}`,
        ...(state && { state }),
      });
      await t.start();
      // What it holds is refused by the SDK each time.
      t.credentials.reject({ generation: t.credentials.view().credential?.generation ?? 0 });
      await clock.advance(9 * SECOND);
      asked.push(...t.pay.askedAt);
      written.push(...t.store.writtenAt);
      await t[Symbol.asyncDispose]();
      state = t.store.state;
      clock.stepWall(offMs);
    }
    expect(mostAnHour(asked)).toBeLessThanOrEqual(MOST + PLANNED);
    expect(mostAnHour(written)).toBeLessThanOrEqual(2 * (MOST + PLANNED));
  });

  it("left by a process of before is no more when its hour is over", async () => {
    const clock = new FakeClock({}, 2);
    const before = new VirtualTerminal({ clock });
    await before.start();
    await flapFor(before, 10 * 60 * SECOND, "network card");
    await before[Symbol.asyncDispose]();
    expect(before.store.state.outOfTurn).toHaveLength(12);
    await clock.advance(HOUR);
    await using after = new VirtualTerminal({ clock, state: before.store.state, bootId: "boot-2" });
    await after.start();
    expect(after.credentials.view()).toMatchObject({ state: "fresh" });
    expect(after.credentials.status().excessive).toEqual([]);
  });
});
