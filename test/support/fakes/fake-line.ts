import { AgentError } from "../../../agent/common/errors.ts";
import type { CredentialSources } from "../../../agent/credential/fetch-credential.ts";
import { emptyState, type State } from "../../../agent/store/credential.ts";
import type { Store, StoreStatus } from "../../../agent/store/store-types.ts";
import type { AuthinfoAnswer } from "../../../agent/wechatpay/wechatpay.ts";
import type { BridgeIdentity, DriverEvent, DriverStatus } from "../../../drivers/sdk/driver.ts";
import { failureWith } from "../checks/failures.ts";
import type { FakeClock } from "./fake-clock.ts";

/** Both ends of an attempt, scripted: what the bridge and WeChat Pay would say. */
export class FakeLine {
  readonly clock: FakeClock;
  identity: BridgeIdentity = { protocol: "1.0", bridge: "fake/1", session: "s1", deviceId: "D1", netId: "n1" };
  ready = true;
  /** Boot times at which WeChat Pay was asked. */
  readonly askedAt: number[] = [];
  readonly planned: boolean[] = [];
  /** The newest signed time that the agent says it has verified. */
  readonly newest: number[] = [];
  /** What WeChat Pay answers; the default is a new authinfo each time. */
  answer: () => Partial<AuthinfoAnswer> | AgentError | Promise<Partial<AuthinfoAnswer>> = () => ({});
  readonly #waiting = new Set<(identity: BridgeIdentity) => void>();
  #listeners = new Set<(event: DriverEvent) => void>();

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  tell(event: DriverEvent): void {
    if (event.type !== "lost") this.identity = event.identity;
    for (const listener of this.#listeners) listener(event);
    if (event.type !== "ready") return;
    for (const resolve of this.#waiting) resolve(event.identity);
    this.#waiting.clear();
  }

  readonly line: CredentialSources = {
    driver: {
      whenReady: (signal) =>
        this.ready
          ? Promise.resolve(this.identity)
          : new Promise((resolve, reject) => {
              this.#waiting.add(resolve);
              signal.addEventListener("abort", () => reject(signal.reason));
            }),
      getRawData: () =>
        this.ready
          ? Promise.resolve({ rawData: "cmF3", identity: this.identity })
          : Promise.reject(failureWith("BRIDGE_NOT_FOUND")),
      status: (): DriverStatus => ({
        state: this.ready ? "ready" : "opening",
        type: "serial",
        path: "/dev/fake",
        opens: {},
        frames: {},
        consecutiveTimeouts: 0,
        heard: { octets: 0, foreign: 0, text: false, echoes: 0 },
        ...(this.ready ? {} : { problem: { code: "BRIDGE_NOT_FOUND", params: { path: "/dev/fake" } } }),
      }),
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    },
    wechatpay: {
      requestAuthinfo: async (_request, options) => {
        const sent = { sentBootMs: this.clock.boot(), sentWallMs: this.clock.wall() };
        this.askedAt.push(sent.sentBootMs);
        this.planned.push(options.planned);
        this.newest.push(options.newestSignedAtS);
        const said = await this.answer();
        if (said instanceof AgentError) throw said;
        return {
          authinfo: `authinfo-${this.askedAt.length}`,
          signedAtS: Math.floor(sent.sentWallMs / 1_000),
          skewMs: 0,
          baseUrl: "https://pay.example",
          ...sent,
          ...said,
        };
      },
    },
  };
}

/** A disk that takes what it is given, unless told otherwise. */
export class FakeStore implements Store {
  state: State;
  writes = 0;
  /** Boot times of the writes, where there is a clock. */
  readonly writtenAt: number[] = [];
  readonly #clock: FakeClock | undefined;
  dirty = false;
  /** What a write waits for; a rejection is a disk that refuses. */
  disk: () => Promise<void> = () => Promise.resolve();

  constructor(state: State = emptyState, clock?: FakeClock) {
    this.#clock = clock;
    this.state = state;
  }

  async write(next: State): Promise<void> {
    this.state = next;
    this.writes++;
    if (this.#clock) this.writtenAt.push(this.#clock.boot());
    await this.disk();
    this.dirty = false;
  }

  status(): StoreStatus {
    return { directory: "/nowhere", loaded: "empty", quarantined: 0, dirty: this.dirty, writes: { ok: 0, failed: 0 } };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
