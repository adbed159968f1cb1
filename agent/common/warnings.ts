/** A condition that stands until it is fixed (specification 5). */
export interface Warning {
  readonly code: string;
  /** Unix milliseconds. */
  readonly sinceWallMs: number;
  /** Seconds it had to last before it was shown, so that a flap does not alarm. */
  readonly shownAfterS: number;
  readonly detail?: string;
}

/** Every standing warning, with the seconds it must last before it shows. */
const SHOWN_AFTER_S = {
  DIRECT_MODE: 0,
  CONFIG_REMEMBERED: 0,
  CONFIG_RELOAD_REFUSED: 0,
  CONFIG_WARNING: 0,
  SECRETS_REFUSED: 0,
  SECRETS_UNUSABLE: 0,
  CLIENT_CERT_EXPIRING: 0,
  BRIDGE_DOWN: 10,
  REFRESH_FAILING: 60,
  AUTHINFO_NOT_PERSISTED: 5,
  STATE_RECOVERED: 0,
  STATE_COPY_DAMAGED: 0,
  STATE_OF_OTHER_IDENTITY: 0,
  FILE_COPY_FAILED: 0,
  METRICS_TEXTFILE_FAILED: 0,
  TELEMETRY_DOWN: 300,
  API_SOCKET_REPLACED: 0,
  API_CROWDED: 0,
  CLOCK_UNCONFIRMED: 30,
  CLOCK_BEHIND: 0,
  CLOCK_SKEWED: 0,
  NETWORK_UNSTEADY: 0,
  STARTS_UNSTEADY: 0,
  REJECTIONS_LIMITED: 0,
  DEVICE_UNSTEADY: 0,
  NETWORK_CARD_UNSTEADY: 0,
  BRIDGE_UNSTEADY: 0,
  KEYS_UNSTEADY: 0,
  CLOCK_UNSTEADY: 0,
  LINK_UNSTEADY: 0,
} as const satisfies Record<string, number>;

export type WarningCode = keyof typeof SHOWN_AFTER_S;
export const warningCodes = Object.keys(SHOWN_AFTER_S) as readonly WarningCode[];

/** Remembers since when each condition holds. */
export class Warnings {
  readonly #since = new Map<WarningCode, { bootMs: number; wallMs: number; detail: string | undefined }>();

  /** Says whether a condition holds at this moment; `detail` explains it. */
  set(code: WarningCode, holds: boolean, now: { boot: number; wall: number }, detail?: string): void {
    if (!holds) this.#since.delete(code);
    else {
      const before = this.#since.get(code);
      this.#since.set(code, { bootMs: before?.bootMs ?? now.boot, wallMs: before?.wallMs ?? now.wall, detail });
    }
  }

  /** Those that have lasted long enough to be shown. */
  shown(bootMs: number): Warning[] {
    const shown: Warning[] = [];
    for (const [code, since] of this.#since) {
      const shownAfterS = SHOWN_AFTER_S[code];
      if (bootMs - since.bootMs < shownAfterS * 1_000) continue;
      const { wallMs: sinceWallMs, detail } = since;
      shown.push({ code, sinceWallMs, shownAfterS, ...(detail === undefined ? {} : { detail }) });
    }
    return shown;
  }
}
