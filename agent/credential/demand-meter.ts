import type { Instant } from "../common/clock-sync.ts";
import type { RefreshConfig } from "../config/config.ts";
import type { StoredDemand } from "../store/credential.ts";
import {
  type DemandProfile,
  demandOf,
  emptyProfile,
  isFollowed,
  learn,
  SLOT_MS,
  SLOTS,
  UNSEEN,
} from "./demand-profile.ts";
import { fractionsOf, relativeSpacing } from "./demand-spacing.ts";

/** A slot that began or ended with more difference between the clocks was not observed as a whole: a start, a set clock, a suspend. */
const TOLERATED_MS = 60_000;
/** A count in one octet: 4 % apart, up to 60 000. */
const STEPS_AN_OCTAVE = 16;
/** The first Monday of the epoch, in slots. */
const MONDAY = 4 * 48;

/** Counts what the cashier app asks for, and learns from each whole half-hour of a clock that is confirmed. */
export class DemandMeter {
  readonly #refresh: RefreshConfig;
  #profile: DemandProfile;
  #count = 0;
  /** The half-hour under way, counted from the epoch, and when it was first seen. */
  #open: { readonly number: number; readonly bootMs: number } | undefined;

  constructor(refresh: RefreshConfig, stored: StoredDemand | undefined) {
    this.#refresh = refresh;
    this.#profile = stored === undefined ? emptyProfile : readDemand(stored);
  }

  get profile(): DemandProfile {
    return this.#profile;
  }

  /** A read of the authinfo or a call of the SDK. */
  used(): void {
    this.#count++;
  }

  /** To be called every few seconds. */
  observe({ wall, boot, wallTrusted }: Instant): void {
    const number = Math.floor(wall / SLOT_MS);
    const open = this.#open;
    if (!wallTrusted) this.#open = undefined;
    else if (open === undefined || open.number !== number) {
      const lastedMs = boot - (open?.bootMs ?? boot);
      if (open?.number === number - 1 && Math.abs(lastedMs - SLOT_MS) <= TOLERATED_MS) this.#learn(open.number);
      this.#open = { number, bootMs: boot };
    } else return;
    this.#count = 0;
  }

  #learn(number: number): void {
    const terms = { lifetimeMs: this.#refresh.lifetimeS * 1_000, ...fractionsOf(this.#refresh) };
    const slot = number % SLOTS;
    this.#profile = learn(this.#profile, slot, this.#count, relativeSpacing(this.#profile, terms, slot));
  }
}

/** For the state: bounded, whatever has been learned. */
export function storedDemand({ trades, weight, spaced }: DemandProfile): StoredDemand {
  const octets = trades.map((each) =>
    each === UNSEEN ? 0 : Math.min(1 + Math.round(Math.log2(1 + each) * STEPS_AN_OCTAVE), 255),
  );
  return { trades: Buffer.from(octets).toString("base64"), weight, spaced };
}

/** Total: any octets are some profile, and what is wrong about it is found out as it is judged. */
function readDemand({ trades, weight, spaced }: StoredDemand): DemandProfile {
  const octets = [...Buffer.from(trades, "base64")];
  return {
    trades: octets.map((each) => (each === 0 ? UNSEEN : 2 ** ((each - 1) / STEPS_AN_OCTAVE) - 1)),
    weight,
    spaced,
  };
}

export interface DemandStatus {
  readonly followed: boolean;
  /** A row for each day from Monday on, a character for each half-hour, UTC: tenths of the busiest, `.` where nothing is known. */
  readonly weekUtc: readonly string[];
}

const told = new WeakMap<DemandProfile, DemandStatus>();

/** Computed once for what has been learned: the status is looked at every few seconds. */
export function demandStatus(profile: DemandProfile): DemandStatus {
  const known = told.get(profile) ?? statusOf(profile);
  told.set(profile, known);
  return known;
}

function statusOf(profile: DemandProfile): DemandStatus {
  const demand = demandOf(profile.trades);
  const busiest = Math.max(...demand, 1);
  const text = demand.map((each) => (each === UNSEEN ? "." : String(Math.floor((each / busiest) * 9)))).join("");
  const fromMonday = text.slice(MONDAY) + text.slice(0, MONDAY);
  return {
    followed: isFollowed(profile),
    weekUtc: Array.from({ length: 7 }, (_, day) => fromMonday.slice(day * 48, (day + 1) * 48)),
  };
}
