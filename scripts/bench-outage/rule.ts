import type { ErrorCode } from "../../agent/common/errors.ts";

/** When a refresh loop asks for a new authinfo. Times on the trace, ms. */
export interface Rule {
  /** The terminal has got power at `atMs`, for the first time or again. */
  boot(atMs: number): void;
  /** The instant of the next attempt, `nowMs` or later, while nothing else happens. */
  nextAt(nowMs: number): number;
  started(nowMs: number): void;
  succeeded(sentMs: number, nowMs: number): void;
  failed(code: ErrorCode, nowMs: number): void;
  /** The link watch has seen an interface change. */
  linkChanged(nowMs: number): void;
  /** A failed refresh takes away what was still good. */
  readonly dropsOnFailure?: true;
}
