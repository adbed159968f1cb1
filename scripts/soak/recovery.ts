import type { Reading } from "./judge.ts";
import type { Report } from "./violations.ts";

interface Owed {
  readonly what: string;
  readonly sinceMs: number;
  readonly byMs: number;
}

/** What is wrong with the world right now, and by when a fresh authinfo has to be there once it is not. */
export class Recovery {
  readonly #report: Report;
  readonly #active = new Set<string>();
  #owed: Owed | undefined;
  /** Whether the fault could be felt: something other than a fresh authinfo was read. */
  #felt = false;
  /** Of the faults that were felt, ms from their end to a fresh authinfo. */
  readonly felt: number[] = [];
  unfelt = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Nothing is wrong and nothing is owed: every read has to succeed. */
  get calm(): boolean {
    return this.#active.size === 0 && this.#owed === undefined;
  }

  /** What is wrong right now, in words. */
  get active(): string {
    return [...this.#active].join(", ");
  }

  get settled(): boolean {
    return this.#owed === undefined;
  }

  begin(what: string): void {
    this.#active.add(what);
  }

  /** `promiseMs`: a fresh authinfo has to follow within so long, unless something else is still wrong. */
  end(what: string, promiseMs: number, nowMs: number): void {
    this.#active.delete(what);
    this.disturb(what, promiseMs, nowMs);
  }

  /** Something that is over as soon as it has happened, like a restart. */
  disturb(what: string, promiseMs: number, nowMs: number): void {
    const byMs = Math.max(nowMs + promiseMs, this.#owed?.byMs ?? 0);
    this.#owed = { what: this.#owed ? `${this.#owed.what}, ${what}` : what, sinceMs: nowMs, byMs };
  }

  reading({ sentMs, gotMs, status, served, stale, error }: Reading, up: boolean): void {
    const fresh = served?.state === "fresh";
    if (!fresh && up) {
      if (this.calm && status !== 200 && !stale) this.#report("unavailable", `${status} ${error}`);
      this.#felt ||= !this.calm;
    }
    if (!fresh || this.#owed === undefined || this.#active.size > 0 || sentMs < this.#owed.sinceMs) return;
    if (this.#felt) this.felt.push(gotMs - this.#owed.sinceMs);
    else this.unfelt++;
    this.#owed = undefined;
    this.#felt = false;
  }

  /** @param up whether the agent runs: one that is stopped or dead owes nothing */
  tick(nowMs: number, up: boolean): void {
    if (this.#owed === undefined) return;
    // Something else is wrong meanwhile: the time counts from its end.
    if (this.#active.size > 0 || !up) {
      const left = this.#owed.byMs - this.#owed.sinceMs;
      this.#owed = { ...this.#owed, sinceMs: nowMs, byMs: nowMs + left };
      return;
    }
    if (nowMs <= this.#owed.byMs) return;
    const promised = ((this.#owed.byMs - this.#owed.sinceMs) / 1_000).toFixed(0);
    this.#report("not_fresh", `${promised} s after ${this.#owed.what}`);
    this.#owed = undefined;
  }
}
