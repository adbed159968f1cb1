import { type Duplex, duplexPair } from "node:stream";
import { emptyState, type State } from "../../agent/authinfo/credential.ts";
import { AuthinfoKeeper, type KeeperMemory } from "../../agent/authinfo/keeper.ts";
import type { RefreshConfig } from "../../agent/config/config.ts";
import type { Entropy } from "../../agent/entropy.ts";
import { createTimebase } from "../../agent/timebase.ts";
import { createSdkDriver } from "../../drivers/sdk-driver.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeLine, FakeStore } from "./fake-line.ts";
import { lineSettings } from "./line-settings.ts";
import { seeded } from "./seeded.ts";
import { recordingLog } from "./store-fixture.ts";

export interface VirtualOptions {
  readonly refresh?: Partial<RefreshConfig>;
  readonly state?: State;
  readonly clock?: FakeClock;
  readonly former?: KeeperMemory;
  readonly entropy?: Entropy;
  /** What answers at the far end of the line instead of the simulated bridge. */
  readonly attach?: (far: Duplex) => void;
}

/** The same on every machine: chance and, for what must only differ, octets. */
function seededEntropy(seed: number): Entropy {
  const chance = seeded(seed);
  return { unit: () => chance.unit(), bytes: (length) => Buffer.from(Array.from({ length }, () => chance.below(256))) };
}

/**
 * Keeper and driver as they are, in virtual time, over a line in memory. The bridge, WeChat Pay and the disk are stand-ins, and what goes to
 * them is counted by them.
 */
export class VirtualTerminal implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly bridge: SimulatedBridge;
  readonly store: FakeStore;
  /** Its WeChat Pay only: `askedAt`, `answer`. */
  readonly pay: FakeLine;
  readonly log = recordingLog();
  readonly driver;
  readonly keeper: AuthinfoKeeper;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #far: Duplex | undefined;

  constructor(options: VirtualOptions = {}) {
    const { clock = new FakeClock(), entropy = seededEntropy(1), state = emptyState, former, attach } = options;
    this.clock = clock;
    this.bridge = new SimulatedBridge({ clock, entropy });
    this.store = new FakeStore(state);
    this.pay = new FakeLine(clock);
    const { log } = this;
    const open = async () => {
      const [stream, far] = duplexPair();
      this.#far = far;
      if (attach) attach(far);
      else this.bridge.attach(far);
      return {
        stream,
        path: "/dev/virtual",
        close: async () => {
          stream.destroy();
          far.destroy();
        },
      };
    };
    this.driver = createSdkDriver({
      config: { type: "serial", path: "/dev/virtual", ...lineSettings },
      version: "9.9.9",
      ...{ open, clock, entropy, log },
    });
    this.keeper = new AuthinfoKeeper({
      identity: { spMchid: "1900000100", spAppid: "wx1", subMchid: "1900000109", organizationId: "O1" },
      refresh: { lifetimeS: 3600, refreshAt: 0.5, refreshAtUnsteady: 0.25, staleS: 82_800, ...options.refresh },
      times: { bridgeWaitMs: 10_000, attemptMs: 45_000 },
      timebase: createTimebase(clock, "boot-1", "/nonexistent/synchronized"),
      store: this.store,
      onAttempt: () => {},
      ...{ clock, entropy, log },
      ...(former ? { former } : {}),
    });
  }

  async start(): Promise<void> {
    this.driver.start();
    this.#running = this.keeper.run({ driver: this.driver, wechatpay: this.pay.line.wechatpay }, this.#stop.signal);
    await this.clock.settle();
  }

  /** The cable is pulled; the driver opens the line anew. */
  hangUp(): void {
    this.#far?.destroy();
  }

  /** A cashier app that calls `cmd` without pause until the terminal stops. Says how each of its calls has ended. */
  keepCalling(cmd: string): string[] {
    const ended: string[] = [];
    const calls = async () => {
      while (!this.#stop.signal.aborted) {
        await this.driver.call({ cmd }, this.#stop.signal).then(
          () => ended.push("ok"),
          (error: { code?: string }) => ended.push(error.code ?? "stopped"),
        );
        // What refuses at once would otherwise go round without letting time pass.
        if (ended.at(-1) !== "ok") await this.clock.sleep(1, this.#stop.signal).catch(() => undefined);
      }
    };
    void calls();
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.driver.close();
  }
}
