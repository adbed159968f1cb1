import { describe, expect, it } from "vitest";
import { Bridge } from "../../../drivers/bridge/bridge.ts";
import { serveLine } from "../../../drivers/bridge/serve-line.ts";
import { newFrameCounters } from "../../../drivers/line/frame.ts";
import { SimulatedSdk } from "../../../drivers/simulator/simulated-sdk.ts";
import { failureWith } from "../../support/checks/failures.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { VirtualTerminal } from "../../support/fixtures/virtual-terminal.ts";

const forever = new AbortController().signal;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What the bridge has been asked since then, in order. */
const saidSince = (terminal: VirtualTerminal, at: number) =>
  terminal.bridge.requests.filter((request) => request.at > at).map(({ method, cmd }) => cmd ?? method);

/** The agent's renewal as the line sees it, and how many other calls have begun before it. */
function renewalIn(said: readonly string[]): { readonly foreignBefore: number; readonly turn: readonly string[] } {
  const hello = said.indexOf("hello");
  return { foreignBefore: hello, turn: said.slice(hello, said.indexOf("getWxpayfaceRawdata") + 1) };
}

describe("cashier apps that call without pause", () => {
  const clients = [1, 2, 8];
  const durations = [1, 30, 500, 9_000];
  it.each(clients.flatMap((count) => durations.map((ms) => [count, ms] as const)))(
    "%i of them, %i ms a call: a renewal that is due has the line after one call, for its whole turn",
    async (count, ms) => {
      await using t = new VirtualTerminal({ refresh: { lifetimeS: 60 } });
      t.bridge.faults = { only: "busy", delayMs: ms };
      await t.start();
      const dueAt = t.credentials.status().next.atWallMs - t.clock.wall();
      // Only shortly before: a minute of calls of a millisecond shows no more.
      await t.clock.advance(Math.max(0, dueAt - 2 * ms - 10));
      const ended = Array.from({ length: count }, () => t.keepCalling("busy"));
      const before = t.clock.boot() + t.credentials.status().next.atWallMs - t.clock.wall();
      await t.clock.advance(before - t.clock.boot() + ms + 10);
      const { foreignBefore, turn } = renewalIn(saidSince(t, before));
      expect(foreignBefore).toBeLessThanOrEqual(1);
      expect(turn).toEqual(["hello", "getWxpayfaceRawdata"]);
      expect(t.pay.askedAt).toHaveLength(2);
      expect((t.pay.askedAt[1] ?? 0) - before).toBeLessThanOrEqual(ms + 1);
      expect(t.credentials.view()).toMatchObject({ state: "fresh", credential: { generation: 2 } });
      // And the apps are served on.
      const served = ended.flat().length;
      await t.clock.advance(2 * ms + 1);
      expect(ended.flat().length).toBeGreaterThan(served);
      expect(new Set(ended.flat())).toEqual(new Set(["ok"]));
    },
  );

  it.each([
    ["is never answered", { silent: true }],
    ["takes the SDK for nine seconds", { delayMs: 9_000 }],
    ["takes the SDK for a minute, longer than it is waited for", { delayMs: 60_000 }],
  ])("and keep a getWxpayfaceCode outstanding that %s: the authinfo is never over", async (_, fault) => {
    await using t = new VirtualTerminal({ refresh: { lifetimeS: 600 } });
    await t.start();
    t.bridge.faults = { only: "getWxpayfaceCode", ...fault };
    t.keepCalling("getWxpayfaceCode");
    for (let minute = 0; minute < 15; minute++) {
      await t.clock.advance(MINUTE);
      expect(["fresh", "due"]).toContain(t.credentials.view().state);
    }
    expect(t.credentials.view().credential?.generation).toBeGreaterThan(2);
    expect(t.bridge.violations).toEqual([]);
  });

  it("answers every request for a refresh within the call that is on the line and the renewal itself", async () => {
    await using t = new VirtualTerminal();
    await t.start();
    t.bridge.faults = { only: "busy", delayMs: 9_000 };
    for (let app = 0; app < 8; app++) t.keepCalling("busy");
    for (let asked = 0; asked < 10; asked++) {
      await t.clock.advance(11_000);
      const since = t.clock.boot();
      let tookMs: number | undefined;
      const answer = t.credentials.refresh(forever).then(() => {
        tookMs = t.clock.boot() - since;
      });
      await t.clock.advance(9_001);
      await answer;
      expect(tookMs).toBeLessThanOrEqual(9_000);
    }
    expect(t.pay.askedAt).toHaveLength(11);
  });

  it("neither do probes without pause keep the agent from the line", async () => {
    await using t = new VirtualTerminal({ refresh: { lifetimeS: 60 } });
    t.bridge.faults = { only: "getWxpayfaceRawdata", delayMs: 2_000 };
    await t.start();
    await t.clock.advance(2_000);
    const probing = async () => {
      for (;;) await t.driver.probe(forever);
    };
    for (let prober = 0; prober < 2; prober++) probing().catch(() => undefined);
    await t.clock.advance(10 * MINUTE);
    expect(t.credentials.view().state).not.toBe("expired");
    // Planned at 30 s at the latest, then after one probe, by a rawdata of its own.
    expect(t.pay.askedAt.length).toBeGreaterThanOrEqual(17);
  });

  it("cannot come between a new session and its init, nor between that and the rawdata", async () => {
    await using t = new VirtualTerminal();
    await t.start();
    t.bridge.faults = { only: "busy", delayMs: 40 };
    for (let app = 0; app < 8; app++) t.keepCalling("busy");
    await t.clock.advance(SECOND);
    t.bridge.restart();
    const before = t.clock.boot();
    const refreshed = t.credentials.refresh(forever);
    await t.clock.advance(SECOND);
    await refreshed;
    // The refusal of the call that was on the line may have shown it first.
    const said = saidSince(t, before);
    const own = said.slice(said.indexOf("hello"), said.indexOf("getWxpayfaceRawdata") + 1);
    expect(own.filter((name) => name === "busy")).toEqual([]);
  });
});

describe("apps that do worse than to call without pause", () => {
  it.each([
    ["let the SDK go each time", ["releaseWxpayface"], {}],
    [
      "let it go and initialise it, slowly",
      ["releaseWxpayface", "initWxpayface"],
      { only: "initWxpayface", delayMs: 14_000 },
    ],
    ["ask for the rawdata themselves", ["getWxpayfaceRawdata"], { only: "getWxpayfaceRawdata", delayMs: 700 }],
  ])("%s: the authinfo is never over", async (_, cmds, fault) => {
    await using t = new VirtualTerminal({ refresh: { lifetimeS: 600 } });
    await t.start();
    t.bridge.faults = { delayMs: 50, ...fault };
    for (const cmd of cmds) t.keepCalling(cmd);
    for (let minute = 0; minute < 12; minute++) {
      await t.clock.advance(MINUTE);
      expect(["fresh", "due"]).toContain(t.credentials.view().state);
    }
    expect(t.credentials.view().credential?.generation).toBeGreaterThan(2);
  });

  it("go away from each call as soon as it is on the line", async () => {
    await using t = new VirtualTerminal({ refresh: { lifetimeS: 60 } });
    await t.start();
    t.bridge.faults = { only: "busy", delayMs: 900 };
    const leave = async () => {
      for (let call = 0; call < 200; call++) {
        const left = new AbortController();
        const gone = t.driver.call({ cmd: "busy" }, left.signal).catch(() => undefined);
        await t.clock.sleep(300);
        left.abort(failureWith("BRIDGE_CLOSED"));
        await gone;
      }
    };
    const apps = [leave(), leave(), leave()];
    await t.clock.advance(MINUTE);
    expect(t.credentials.view().state).toBe("fresh");
    expect(t.pay.askedAt.length).toBeGreaterThanOrEqual(3);
    await Promise.all(apps);
  });
});

/** The vendor's SDK behind the reference bridge: one call at a time; one that hangs is ended with its process, and a new session begins. */
class SdkBehindBridge {
  session = "1-process";
  readonly #sdk: SimulatedSdk;
  readonly #clock: FakeClock;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(clock: FakeClock) {
    this.#clock = clock;
    this.#sdk = new SimulatedSdk(clock, { unit: () => 0.5, bytes: (length) => Buffer.alloc(length, 1) });
  }

  call(octets: Buffer, timeoutMs: number): Promise<Buffer> {
    const answer = this.#turn.then(async () => {
      const request = JSON.parse(octets.toString()) as { cmd: string };
      if (request.cmd === "getWxpayfaceCode") {
        await this.#clock.sleep(timeoutMs);
        this.session = `${Number.parseInt(this.session, 10) + 1}-process`;
        this.#sdk.forgetInit();
        throw failureWith("SDK_HUNG", {}, { ms: timeoutMs });
      }
      return Buffer.from(JSON.stringify(this.#sdk.answer(request)));
    });
    this.#turn = answer.catch(() => undefined);
    return answer;
  }
}

describe("behind the reference bridge", () => {
  it.each([1, 8])("%i apps whose getWxpayfaceCode hangs the SDK each time do not stop the renewals", async (apps) => {
    const clock = new FakeClock();
    const sdk = new SdkBehindBridge(clock);
    const bridge = new Bridge({
      sdk,
      name: "facepay-agent-bridge/1",
      deviceId: "D1",
      netId: () => "eth0-1",
      callTimeoutMs: 9_000,
      initTimeoutMs: 14_000,
      describe: (problem) => problem.code,
      onOutcome: () => {},
    });
    await using t = new VirtualTerminal({
      clock,
      refresh: { lifetimeS: 600 },
      attach: (far) =>
        void serveLine(far, (payload, signal) => bridge.answer(payload, signal), newFrameCounters(), forever),
    });
    await t.start();
    for (let app = 0; app < apps; app++) t.keepCalling("getWxpayfaceCode");
    for (let minute = 0; minute < 15; minute++) {
      await t.clock.advance(MINUTE);
      expect(["fresh", "due"]).toContain(t.credentials.view().state);
    }
    expect(t.credentials.view().credential?.generation).toBeGreaterThan(2);
  });
});

describe("an attempt", () => {
  it("ends with a code of its own when its steps together take too long, each within its own deadline", async () => {
    await using t = new VirtualTerminal();
    // An SDK that is initialising just short of for ever, then is slow, then WeChat Pay hangs.
    t.pay.answer = () => new Promise(() => {});
    await t.start();
    const refused = t.credentials.refresh(forever).catch((error: unknown) => error);
    await t.clock.advance(45_000);
    expect(await refused).toMatchObject({ code: "ATTEMPT_TIMEOUT", params: { variant: "wechatpay", ms: 45_000 } });
    expect(t.credentials.view().cause).toMatchObject({ code: "ATTEMPT_TIMEOUT" });
    expect(t.log.lines.filter(({ code }) => code === "REFRESH_FAILED")).toHaveLength(1);
  });

  it("gives the line up with its time: a bridge that answers every step at the last moment", async () => {
    await using t = new VirtualTerminal();
    await t.start();
    t.bridge.faults = { delayMs: 9_900 };
    t.bridge.restart();
    const refused = t.credentials.refresh(forever).catch((error: unknown) => error);
    // A turn with two refusals of the SDK: hello, init, rawdata, hello, init, rawdata.
    t.bridge.next({
      only: "getWxpayfaceRawdata",
      delayMs: 9_900,
      result: { return_code: "FAIL", err_code: 271378620 },
    });
    await t.clock.advance(1_000 + 45_000);
    expect(await refused).toMatchObject({ code: "ATTEMPT_TIMEOUT", params: { variant: "line" } });
    t.bridge.behave();
    await t.clock.advance(30_000);
    expect(t.credentials.view()).toMatchObject({ state: "fresh" });
  });

  it("is not waited for by a refresh longer than it may take, not even before it can begin", async () => {
    const t = new VirtualTerminal();
    const refused = t.credentials.refresh(forever).catch((error: unknown) => error);
    await t.clock.advance(50_000);
    expect(await refused).toMatchObject({ code: "BRIDGE_NOT_READY", params: { variant: "starting" } });
    expect(t.clock.sleeping).toBe(0);
  });

  it("that a stop takes away is told to who waits for it, also in the pause before it", async () => {
    const t = new VirtualTerminal();
    await t.start();
    t.pay.answer = () => failureWith("PAY_UNAVAILABLE");
    const refused = t.credentials.refresh(forever).catch((error: unknown) => error);
    await t[Symbol.asyncDispose]();
    expect(await refused).toMatchObject({ code: "BRIDGE_CLOSED" });
    expect(t.clock.sleeping).toBe(0);
  });
});
