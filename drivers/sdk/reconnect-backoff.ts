import { AgentError } from "../../agent/common/errors.ts";
import { backoffMs } from "./rules.ts";

/** What keeps the bridge from being ready, and for how many tries in a row: the pause before the next one grows with it. */
export class ReconnectBackoff {
  #problem: AgentError | undefined;
  /** Openings that have not led to a ready bridge. */
  #openings = 0;
  /** Attempts at hello or init that have failed. */
  #failures = 0;

  get problem(): AgentError | undefined {
    return this.#problem;
  }

  /** Returns whether it is news. The same failure again is none: an unplugged bridge fails every few seconds. */
  note(problem: AgentError): boolean {
    const isNews = this.#problem?.code !== problem.code;
    this.#problem = problem;
    return isNews;
  }

  /** The bridge is ready. */
  clear(): void {
    this.#problem = undefined;
    this.#openings = 0;
    this.#failures = 0;
  }

  /** An opening has ended without a ready bridge, or the line is lost again: ms until the next. @param unit in [0, 1) */
  openAgainInMs(unit: number): number {
    return backoffMs(this.#openings++, unit);
  }

  /** A hello or init on an open line has failed: ms until the next. @param unit in [0, 1) */
  tryAgainInMs(unit: number): number {
    return backoffMs(this.#failures++, unit);
  }

  /** For callers in the meantime. */
  notReady(): AgentError {
    return this.#problem?.with({}, this.#problem) ?? new AgentError("BRIDGE_NOT_READY", {});
  }
}
