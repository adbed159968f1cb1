import type { PayRequest } from "../../agent/simulator/pay-service.ts";
import type { Report } from "./violations.ts";

/** Specification 4: `max(1 s, ...)` between attempts, whatever asks for them. */
const SPACING_MS = 1_000;
const WINDOW_MS = 60_000;
/**
 * Attempts in a minute without anybody asking for more: a refresh every 6 s at the earliest (a tenth of the life), and after a
 * fault the short pauses of a back-off that begins anew.
 */
const MOST_IN_WINDOW = 20;

/** The requests of one agent process as the simulators saw them. */
export class Wire {
  readonly #report: Report;
  /** Of each attempt (one raw_data, one or two base URLs): its first request. */
  #attempts: { readonly digest: string; readonly atMs: number }[] = [];
  readonly #seen = new Map<string, Set<string>>();
  requests = 0;
  attempts = 0;
  closestMs = Number.POSITIVE_INFINITY;

  constructor(report: Report) {
    this.#report = report;
  }

  /** A new process: it knows nothing of the attempts before it. */
  restarted(): void {
    this.#attempts = [];
  }

  /**
   * @param server which base URL
   * @param lateMs how late this process may have been in seeing it or the one before
   * @param asked attempts somebody has asked for within the last minute
   */
  request(request: PayRequest, server: string, lateMs: number, asked: number): void {
    this.requests++;
    const { at: atMs, verified, reason, rawDataDigest: digest = "" } = request;
    if (!verified) this.#report("bad_request", `${server}: ${reason}`);
    const servers = this.#seen.get(digest) ?? new Set();
    if (servers.has(server)) this.#report("bad_request", `${server}: one raw_data twice`);
    this.#seen.set(digest, servers.add(server));
    if (servers.size > 1) return;
    this.attempts++;
    const last = this.#attempts.at(-1);
    if (last) {
      const apart = atMs - last.atMs;
      this.closestMs = Math.min(this.closestMs, apart + lateMs);
      if (apart + lateMs < SPACING_MS) {
        this.#report("spacing", `${apart} ms apart (seen at most ${lateMs.toFixed(0)} ms late)`);
      }
    }
    this.#attempts = [...this.#attempts.filter((one) => atMs - one.atMs < WINDOW_MS), { digest, atMs }];
    if (this.#attempts.length > MOST_IN_WINDOW + asked) {
      this.#report("many_calls", `${this.#attempts.length} attempts in a minute, ${asked} of them asked for`);
    }
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= 1_000) break;
      this.#seen.delete(oldest);
    }
  }
}

/** What somebody has asked for out of turn: a restart, a reload, a refresh, rejections. */
export class Asks {
  readonly #asks: { readonly atMs: number; readonly attempts: number }[] = [];

  note(attempts: number, nowMs: number): void {
    this.#asks.push({ atMs: nowMs, attempts });
  }

  /** Attempts asked for within the last minute. */
  lately(nowMs: number): number {
    while (this.#asks[0] && nowMs - this.#asks[0].atMs > WINDOW_MS) this.#asks.shift();
    return this.#asks.reduce((sum, { attempts }) => sum + attempts, 0);
  }
}
