import type { Ledger } from "./ledger.ts";
import type { Report } from "./violations.ts";

export interface Served {
  readonly authinfo: string;
  readonly state: string;
  readonly generation: number;
  readonly remaining_s: number;
  readonly persisted: boolean;
}

/** One `GET /v1/authinfo` as the client saw it. Times on the soak's monotonic clock, ms. */
export interface Reading {
  readonly sentMs: number;
  readonly gotMs: number;
  /** Asked with `?stale=ok`. */
  readonly stale: boolean;
  /** 0 when no answer came. */
  readonly status: number;
  readonly served?: Served;
  readonly error?: string;
}

type Told = Pick<Served, "authinfo" | "generation"> & { readonly atMs: number };

/** The client reads so often; each expired answer counts for so long. */
export const READ_EVERY_MS = 100;
/** How long after a change was read the subscribers may still wait for it. */
const EVENT_LATE_MS = 5_000;

/**
 * Holds what clients see against what WeChat Pay has issued. An answer is computed after its request was sent, so each
 * rule goes by the instant of sending: no slowness of this machine can make a right answer look wrong.
 */
export class Judge {
  readonly #ledger: Ledger;
  readonly #report: Report;
  readonly #staleMs: number;
  /** What has been told last, and when: who asks later gets nothing older. */
  #told: Told | undefined;
  /** The highest announced with `persisted: true`: this survives everything. */
  #promised: Told | undefined;
  /** Until then the authinfo told last is good by its own words. */
  #goodUntil = 0;
  #promisedUntil = 0;
  /** Of the stream: what it has told, and since when it has been open. */
  #event: { generation: number } | undefined;
  #streamSince: number | undefined;
  #unheard: { generation: number; atMs: number } | undefined;
  falseOkMs = 0;
  readonly served: Record<string, number> = {};

  constructor(ledger: Ledger, staleMs: number, report: Report) {
    this.#ledger = ledger;
    this.#staleMs = staleMs;
    this.#report = report;
  }

  get generation(): number {
    return this.#told?.generation ?? 0;
  }

  /** @param up whether the agent had to answer all the time from sending to getting */
  reading(reading: Reading, up: boolean): void {
    const { sentMs, gotMs, status, served, stale } = reading;
    const label = served?.state ?? (status === 0 ? "no agent" : String(status));
    this.served[label] = (this.served[label] ?? 0) + 1;
    if (served !== undefined) {
      this.#know(served, `read at ${at(sentMs)}`, sentMs, gotMs);
      this.#hold(served, sentMs, stale);
      const streaming = this.#streamSince !== undefined;
      if (streaming && served.generation > (this.#event?.generation ?? 0)) {
        this.#unheard ??= { generation: served.generation, atMs: gotMs };
      }
      return;
    }
    if (!up) return;
    if (status === 0) this.#report("silent", `at ${at(sentMs)}, ${reading.error}`);
    else if (gotMs < this.#goodUntil) {
      const kind = gotMs < this.#promisedUntil ? "broken_promise" : "refused";
      this.#report(kind, `${status} ${reading.error} at ${at(sentMs)}, ${at(this.#goodUntil - gotMs)} of life left`);
    }
  }

  /** One event of the stream; `served` undefined for "unavailable". */
  event(served: Served | undefined, gotMs: number): void {
    if (served === undefined) return;
    // What the event says was true when it was sent, some time before now: its age cannot be judged to the instant.
    const before = this.#event?.generation ?? 0;
    this.#know(served, `event at ${at(gotMs)}`, Number.NEGATIVE_INFINITY, gotMs);
    if (served.generation < before) this.#report("fallen", `event of ${served.generation} after one of ${before}`);
    this.#event = { generation: Math.max(served.generation, before) };
    if (this.#unheard && served.generation >= this.#unheard.generation) this.#unheard = undefined;
  }

  streamOpened(nowMs: number): void {
    this.#streamSince = nowMs;
  }

  streamClosed(): void {
    this.#streamSince = undefined;
    this.#unheard = undefined;
  }

  /** To be called every second or so. */
  tick(nowMs: number, up: boolean): void {
    if (this.#unheard === undefined) return;
    if (!up) this.#unheard = { ...this.#unheard, atMs: nowMs };
    else if (nowMs - this.#unheard.atMs > EVENT_LATE_MS) {
      this.#report(
        "event_missing",
        `generation ${this.#unheard.generation}, read ${at(nowMs - this.#unheard.atMs)} ago`,
      );
      this.#unheard = undefined;
    }
  }

  /** The process has ended: what was never announced as persisted may be gone with it. */
  died(): void {
    this.#told = this.#promised;
    this.#goodUntil = this.#promisedUntil;
    this.#event = this.#promised && { generation: this.#promised.generation };
    this.streamClosed();
  }

  #know(served: Served, where: string, sentMs: number, gotMs: number): void {
    const { generation, authinfo, persisted } = served;
    const issue = this.#ledger.find(authinfo);
    if (issue === undefined) this.#report("unknown", `${where}, generation ${generation}`);
    else if (!issue.believable) this.#report("unbelievable", `${where}, generation ${generation}`);
    for (const [kind, known] of Object.entries({ broken_promise: this.#promised, fallen: this.#told })) {
      if (known && generation < known.generation && sentMs >= known.atMs) {
        this.#report(kind as "fallen", `${where}: generation ${generation} after ${known.generation}`);
      }
    }
    if (generation === this.#told?.generation && authinfo !== this.#told.authinfo) {
      this.#report("twofold", `${where}: generation ${generation}`);
    }
    const told = { authinfo, generation, atMs: gotMs };
    if (generation > (this.#told?.generation ?? 0)) this.#told = told;
    if (persisted && generation > (this.#promised?.generation ?? 0)) this.#promised = told;
  }

  #hold(served: Served, sentMs: number, stale: boolean): void {
    const issue = this.#ledger.find(served.authinfo);
    const over = issue === undefined ? 0 : sentMs - (issue.atMs + issue.lifeMs);
    const allowed = stale && served.state === "stale" ? this.#staleMs : 0;
    if (over > allowed) {
      this.#report("expired", `generation ${served.generation}, state ${served.state}, ${at(over)} over`);
      this.falseOkMs += Math.min(over, READ_EVERY_MS);
    }
    if (served.state === "stale") return;
    // The answer was computed after the sending and its seconds are rounded down: it is good for at least so long.
    this.#goodUntil = sentMs + served.remaining_s * 1_000;
    if (served.generation === this.#promised?.generation) this.#promisedUntil = this.#goodUntil;
  }
}

const at = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
