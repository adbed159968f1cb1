import { readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { AuthinfoKeeper } from "../../agent/authinfo/keeper.ts";
import type { AuthinfoView } from "../../agent/authinfo/keeper-types.ts";
import { type Clock, systemClock } from "../../agent/clock.ts";
import { systemEntropy } from "../../agent/entropy.ts";
import type { AgentError } from "../../agent/errors.ts";
import { silentLog } from "../../agent/log/log.ts";
import { openStore } from "../../agent/store/store.ts";
import type { Store } from "../../agent/store/store-types.ts";
import { createTimebase } from "../../agent/timebase.ts";
import type { WechatPay } from "../../agent/wechatpay/wechatpay.ts";
import type { BridgeIdentity } from "../../drivers/driver.ts";
import { type Act, type RawPeer, says } from "./raw-peer.ts";
import { temporaryDirectory } from "./store-fixture.ts";
import { DEVICE_ID, failure, identity, type WechatPayRig } from "./wechatpay-rig.ts";

/** A terminal whose WeChat Pay has given it an authinfo and from then on acts like that. */
export async function besieged(
  rig: WechatPayRig,
  act: Act,
  attemptTimeoutMs = 10_000,
): Promise<{ readonly peer: RawPeer; readonly terminal: KeptTerminal }> {
  const peer = await rig.raw();
  const terminal = await KeptTerminal.open((clock) =>
    rig.client([peer.url], { mode: "gateway", config: { attemptTimeoutMs }, options: { clock } }),
  );
  peer.act = act;
  return { peer, terminal };
}

/** A renewal fails with this code and changes nothing; the next one is as good as any. The error and the peer, for more. */
export async function expectRefused(
  rig: WechatPayRig,
  act: Act,
  code: string,
  attemptTimeoutMs?: number,
): Promise<{ readonly error: AgentError; readonly peer: RawPeer }> {
  const { peer, terminal } = await besieged(rig, act, attemptTimeoutMs);
  await using held = terminal;
  const error = await held.refused();
  expect(error.code).toBe(code);
  expect(await held.changes()).toEqual([]);
  peer.act = says();
  const { credential } = await held.renew();
  expect(credential).toMatchObject({ authinfo: peer.authinfo, generation: 2 });
  return { error, peer };
}

/** Two attempts are a second apart (contract 4): here that second is over at once. */
const PAUSE_MS = 1_500;

/** A clock that can be moved on, both hands together. */
export function hurriedClock(): Clock & { skip(ms: number): void } {
  const real = systemClock();
  let aheadMs = 0;
  return {
    wall: () => real.wall() + aheadMs,
    boot: () => real.boot() + aheadMs,
    sleep: (ms, signal) => real.sleep(ms, signal),
    timer: (ms, act) => real.timer(ms, act),
    skip: (ms) => {
      aheadMs += ms;
    },
  };
}

/**
 * The part of a terminal that hostile answers can reach: the keeper and the store as they are, on a real disk, with a real
 * client before them. Only the bridge is left out. It holds an authinfo from the start.
 */
export class KeptTerminal implements AsyncDisposable {
  readonly #directory: string;
  readonly #clock: ReturnType<typeof hurriedClock>;
  readonly #store: Store;
  readonly #keeper: AuthinfoKeeper;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #before: { readonly view: AuthinfoView; readonly disk: readonly string[] } | undefined;

  private constructor(directory: string, clock: ReturnType<typeof hurriedClock>, store: Store, wechatpay: WechatPay) {
    this.#directory = directory;
    this.#clock = clock;
    this.#store = store;
    this.#keeper = new AuthinfoKeeper({
      identity,
      refresh: { lifetimeS: 3600, refreshAt: 0.5, refreshAtUnsteady: 0.25, staleS: 82_800 },
      times: { bridgeWaitMs: 1_000, attemptMs: 45_000 },
      store,
      timebase: createTimebase(clock, "boot-1", "/nonexistent/synchronized"),
      clock,
      entropy: systemEntropy,
      log: silentLog,
      onAttempt: () => {},
    });
    const bridge: BridgeIdentity = { protocol: "1.0", bridge: "none/1", session: "s1", deviceId: DEVICE_ID };
    const driver = {
      whenReady: () => Promise.resolve(bridge),
      getRawData: () => Promise.resolve({ rawData: systemEntropy.bytes(300).toString("base64"), identity: bridge }),
      status: () => ({
        ...({ state: "ready", type: "socket", path: "/none" } as const),
        ...{ opens: {}, frames: {}, consecutiveTimeouts: 0, heard: { octets: 0, foreign: 0, text: false, echoes: 0 } },
      }),
      subscribe: () => () => {},
    };
    this.#running = this.#keeper.run({ driver, wechatpay }, this.#stop.signal);
  }

  /** @param client made with this terminal's own clock */
  static async open(client: (clock: Clock) => WechatPay): Promise<KeptTerminal> {
    const { directory } = await temporaryDirectory();
    const clock = hurriedClock();
    const store = await openStore({ directory, identity, clock, entropy: systemEntropy, log: silentLog });
    const terminal = new KeptTerminal(directory, clock, store, client(clock));
    await terminal.#keeper.refresh(AbortSignal.timeout(5_000)).catch((error: unknown) => {
      throw new Error("there is nothing to be held", { cause: error });
    });
    terminal.#before = { view: terminal.view(), disk: await terminal.#disk() };
    return terminal;
  }

  view(): AuthinfoView {
    return this.#keeper.view();
  }

  /** A renewal that is to succeed. */
  async renew(): Promise<AuthinfoView> {
    this.#clock.skip(PAUSE_MS);
    return await this.#keeper.refresh(AbortSignal.timeout(10_000));
  }

  /** The error of a renewal that is to fail. */
  async refused(): Promise<AgentError> {
    return await failure(this.renew());
  }

  /** What an attempt has changed of what is served and of the disk, in words; nothing is what is hoped for. */
  async changes(): Promise<string[]> {
    const now = this.view();
    const { view, disk } = this.#before ?? { view: now, disk: [] };
    const { writes } = this.#store.status();
    return [
      now.credential?.authinfo === view.credential?.authinfo ? [] : ["another authinfo is served"],
      now.credential?.generation === view.credential?.generation ? [] : ["another generation is served"],
      now.state === "due" ? [] : [`the state is ${now.state}`],
      now.persisted ? [] : ["it is not persisted any more"],
      JSON.stringify(now.credential) === JSON.stringify(view.credential) ? [] : ["its times have changed"],
      writes.ok === 1 && writes.failed === 0 ? [] : ["the store has written"],
      JSON.stringify(await this.#disk()) === JSON.stringify(disk) ? [] : ["the disk has changed"],
    ].flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#store.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Name, time of the last change and content of every file of the state. */
  async #disk(): Promise<string[]> {
    const names = (await readdir(this.#directory)).filter((name) => !name.includes("lock.")).sort();
    return await Promise.all(
      names.map(async (name) => {
        const file = path.join(this.#directory, name);
        const [{ mtimeMs, ino }, bytes] = await Promise.all([stat(file), readFile(file)]);
        return `${name} ${ino} ${mtimeMs} ${bytes.toString("base64")}`;
      }),
    );
  }
}
