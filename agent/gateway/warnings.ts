import type { Log } from "../common/log/log.ts";

export type GatewayWarning =
  | "CONFIG_REFUSED"
  | "SECRETS_REFUSED"
  | "REGISTER_REFUSED"
  | "TRUST_REFUSED"
  | "RESTART_NEEDED"
  | "CRL_OUTDATED"
  | "CRL_EXPIRING"
  | "CERTIFICATE_EXPIRING";

export interface StandingWarning {
  readonly code: GatewayWarning;
  readonly since: string;
  readonly detail?: string;
}

const LONGEST_DETAIL = 500;

/** What is wrong though all goes on: told once in the log, and shown in health and metrics until it is fixed. */
export class Warnings {
  readonly #log: Log;
  readonly #standing = new Map<GatewayWarning, StandingWarning>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** `detail` undefined: fixed. */
  set(code: GatewayWarning, detail: string | undefined, wallMs: number): void {
    const before = this.#standing.get(code);
    if (detail === undefined) {
      if (this.#standing.delete(code)) this.#log.info(`${code}_OVER`);
      return;
    }
    const short = detail.slice(0, LONGEST_DETAIL);
    if (before?.detail === short) return;
    this.#standing.set(code, { code, since: before?.since ?? new Date(wallMs).toISOString(), detail: short });
    this.#log.warn(code, { detail: short });
  }

  list(): StandingWarning[] {
    return [...this.#standing.values()];
  }
}
