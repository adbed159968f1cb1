import { createClockSync } from "../../agent/common/clock-sync.ts";
import { silentLog } from "../../agent/common/log/log.ts";
import type { RefreshConfig } from "../../agent/config/config.ts";
import { CredentialManager } from "../../agent/credential/credential-manager.ts";
import type { AuthinfoView } from "../../agent/credential/credential-types.ts";
import type { CredentialSources } from "../../agent/credential/fetch-credential.ts";
import { type Interfaces, watchLink } from "../../agent/runtime/link-watch.ts";
import { emptyState, type State } from "../../agent/store/credential.ts";
import type { Store } from "../../agent/store/store-types.ts";
import type { DriverStatus } from "../../drivers/sdk/driver.ts";
import { failureWith } from "../../test/support/checks/failures.ts";
import { Account, type Balance } from "./account.ts";
import { BOOT_AT_START, WALL_AT_START } from "./agent-rule.ts";
import { LIFE_MS } from "./drive.ts";
import { ATTEMPTS, Cursor, eventsOf, SECOND, type Trace } from "./trace.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface DriveResult {
  /** Starts of the attempts, ms on the trace. */
  readonly attemptsAt: readonly number[];
  /** By what a reader was told: only what it was given, and what was truly good, counts. */
  readonly balance: Balance;
  /** An authinfo was handed out as good although its hour was over, ms. */
  readonly wronglyGoodMs: number;
}

export interface DriveOptions {
  readonly refresh: RefreshConfig;
  readonly unit: () => number;
  readonly hearsLink?: boolean;
  /** The board has no clock battery: it wakes with the time it last wrote, and NTP sets it 20 s after the link is up. */
  readonly losesClock?: boolean;
}

const CARD: Interfaces = {
  eth0: [
    {
      address: "192.0.2.7",
      netmask: "255.255.255.0",
      family: "IPv4",
      mac: "02:00:00:00:00:07",
      internal: false,
      cidr: "192.0.2.7/24",
    },
  ],
};
const NTP_AFTER_MS = 20 * SECOND;

/** The unmodified runner, link watch and time base over a trace: only bridge, WeChat Pay, disk and time are stood in for. */
export async function driveRefreshLoop(trace: Trace, options: DriveOptions): Promise<DriveResult> {
  const drive = new Terminal(trace, options);
  const power = eventsOf(trace).filter(({ type }) => type !== "link");
  for (let i = 0; i < power.length; i += 2) {
    await drive.live(power[i]?.atMs ?? 0, power[i + 1]?.atMs ?? trace.endMs);
  }
  return drive.result();
}

class Terminal {
  readonly #trace: Trace;
  readonly #options: DriveOptions;
  readonly #account: Account;
  readonly #attemptsAt: number[] = [];
  readonly #sentAt = new Map<string, number>();
  #state: State = emptyState;
  #boots = 0;
  /** Good, and told to be good, until; the open spell is told by the view. */
  #goodUntil = 0;
  #wronglyGood = 0;

  constructor(trace: Trace, options: DriveOptions) {
    this.#trace = trace;
    this.#options = options;
    this.#account = new Account(trace);
  }

  result(): DriveResult {
    if (this.#goodUntil < this.#trace.endMs) this.#account.gap(this.#goodUntil, this.#trace.endMs, false);
    return {
      attemptsAt: this.#attemptsAt,
      balance: this.#account.balance(),
      wronglyGoodMs: this.#wronglyGood,
    };
  }

  /** One boot, until the power goes. */
  async live(bootMs: number, offMs: number): Promise<void> {
    const { refresh, unit, hearsLink = false, losesClock = false } = this.#options;
    this.#boots++;
    const trueWall = WALL_AT_START + bootMs;
    const clock = new VirtualClock({
      boot: BOOT_AT_START,
      wall: losesClock ? Math.max(this.#state.wallFloorMs, Date.UTC(2025, 0, 1)) : trueWall,
    });
    const toTrace = (boot: number) => boot - BOOT_AT_START + bootMs;
    const credentials = new CredentialManager({
      identity: { spMchid: "1900000100", spAppid: "wx1", subMchid: "1900000109", organizationId: "O1" },
      refresh,
      times: { bridgeWaitMs: 10 * SECOND, attemptMs: 45 * SECOND },
      store: this.#store(),
      clockSync: createClockSync(clock, `boot-${this.#boots}`, "/nonexistent/synchronized"),
      clock,
      random: { unit, bytes: (length) => Buffer.alloc(length) },
      log: silentLog,
      onAttempt: () => undefined,
    });
    let told: AuthinfoView = credentials.view();
    let toldAt = bootMs;
    const settle = (untilMs: number) => {
      this.#tally(told, toldAt, untilMs);
      toldAt = untilMs;
    };
    credentials.subscribe((view) => {
      settle(toTrace(clock.boot()));
      told = view;
    });
    const stop = new AbortController();
    const paths = new Cursor(this.#trace);
    const stateNow = () => paths.state(toTrace(clock.boot()));
    const line = this.#line(clock, toTrace, stateNow);
    const running = [credentials.run(line, stop.signal)];
    if (hearsLink) {
      running.push(
        watchLink({
          read: () => (stateNow() === "visible" ? {} : CARD),
          clock,
          signal: stop.signal,
          onChange: () => credentials.networkChanged(),
        }),
      );
    }
    const upAt = this.#trace.segments.find(({ fromMs, state }) => fromMs >= bootMs && state === "up")?.fromMs;
    const ntpAt = (upAt ?? Number.POSITIVE_INFINITY) + NTP_AFTER_MS;
    if (losesClock && ntpAt < offMs) {
      await clock.advanceTo(ntpAt - bootMs + BOOT_AT_START);
      clock.setWall(WALL_AT_START + ntpAt);
    }
    await clock.advanceTo(offMs - bootMs + BOOT_AT_START);
    settle(offMs);
    stop.abort();
    await Promise.all(running);
  }

  #store(): Store {
    const keep = (state: State) => {
      this.#state = state;
    };
    const read = () => this.#state;
    return {
      get state() {
        return read();
      },
      write: async (next) => keep(next),
      status: () => ({ directory: "", loaded: "empty", quarantined: 0, dirty: false, writes: { ok: 0, failed: 0 } }),
      close: async () => undefined,
    };
  }

  #line(
    clock: VirtualClock,
    toTrace: (boot: number) => number,
    stateNow: () => keyof typeof ATTEMPTS,
  ): CredentialSources {
    const identity = { protocol: "1.0", bridge: "bench/1", session: "s", deviceId: "D1" };
    const status: DriverStatus = {
      state: "ready",
      type: "serial",
      path: "",
      opens: {},
      frames: {},
      consecutiveTimeouts: 0,
      heard: { octets: 0, foreign: 0, text: false, echoes: 0 },
    };
    return {
      driver: {
        whenReady: async () => identity,
        getRawData: async () => ({ rawData: "cmF3", identity }),
        status: () => status,
        subscribe: () => () => undefined,
      },
      wechatpay: {
        requestAuthinfo: async (_request, { signal }) => {
          const sentBootMs = clock.boot();
          const trueWall = WALL_AT_START + toTrace(sentBootMs);
          const sentWallMs = clock.wall();
          this.#attemptsAt.push(toTrace(sentBootMs));
          const met = ATTEMPTS[stateNow()];
          await clock.sleep(met.ms, signal);
          if ("code" in met) throw failureWith(met.code);
          const skewMs = trueWall - sentWallMs;
          // Specification 4: with a clock more than 300 s off no signature is believed.
          if (Math.abs(skewMs) > 300 * SECOND) throw failureWith("PAY_SIGNATURE_EXPIRED");
          const authinfo = `authinfo-${this.#sentAt.size + 1}`;
          this.#sentAt.set(authinfo, toTrace(sentBootMs));
          return {
            authinfo,
            signedAtS: Math.floor(trueWall / 1_000),
            skewMs,
            baseUrl: "https://pay.example",
            sentBootMs,
            sentWallMs,
          };
        },
      },
    };
  }

  /** `view` was what a reader got from `fromMs` to `untilMs`. */
  #tally(view: AuthinfoView, fromMs: number, untilMs: number): void {
    const usable = view.state === "fresh" || view.state === "due" || view.state === "rejected";
    const sent = view.credential && this.#sentAt.get(view.credential.authinfo);
    if (!usable || sent === undefined || untilMs <= fromMs) return;
    const good = Math.min(sent + LIFE_MS, untilMs);
    this.#wronglyGood += Math.max(untilMs - Math.max(good, fromMs), 0);
    if (good <= fromMs) return;
    // As in `drive`: one that was asked for in time leaves no gap.
    if (fromMs > this.#goodUntil && sent > this.#goodUntil) this.#account.gap(this.#goodUntil, fromMs, true);
    else if (fromMs > this.#goodUntil) this.#account.gap(this.#goodUntil, fromMs, false);
    this.#goodUntil = Math.max(this.#goodUntil, good);
  }
}
