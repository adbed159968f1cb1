import { type Language, say } from "../../common/language.ts";
import type { AuthinfoView } from "../../credential/credential-types.ts";
import { type Catalogue, catalogues } from "../../messages/catalogue.ts";

/** Where the service manager listens, and how patient its watchdog is (sd_notify(3), sd_watchdog_enabled(3)). */
export interface NotifyPlace {
  /** A path, or "@" and a name in the abstract namespace. */
  readonly address: string;
  /** Undefined when no watchdog waits for us. */
  readonly watchdogMs?: number;
}

/** What a beat of the heart has found out. */
export interface Findings {
  /** The loop that watches time turns. */
  readonly scheduler: boolean;
  readonly server: ServerSign;
}

/**
 * How our own socket answered: `answered`; `silent` until the time-out; `refused`, so no process listens; `unknown` when
 * the question could not be put (the file is gone, no right to it, too many callers), which says nothing about a loop.
 */
export type ServerSign = "answered" | "silent" | "refused" | "unknown";

const STATUS_EVERY_MS = 30_000;
const SHORTEST_BEAT_MS = 250;
/** sun_path (unix(7)). */
const MAX_ADDRESS_OCTETS = 107;
const MINUTE_MS = 60_000;

/** Undefined without NOTIFY_SOCKET, or with an address of a kind that is none of a unix socket. */
export function notifyPlace(env: Readonly<Record<string, string | undefined>>, pid: number): NotifyPlace | undefined {
  const { NOTIFY_SOCKET: address = "", WATCHDOG_USEC: microseconds = "", WATCHDOG_PID: forPid } = env;
  if (!/^[/@]./.test(address) || Buffer.byteLength(address) > MAX_ADDRESS_OCTETS) return undefined;
  const forUs = forPid === undefined || forPid === String(pid);
  const watchdogMs = /^\d+$/.test(microseconds) ? Number(microseconds) / 1_000 : 0;
  return { address, ...(forUs && watchdogMs > 0 ? { watchdogMs } : {}) };
}

/** Four beats within the watchdog's time: three may fail or come late before a restart. */
export function beatEveryMs({ watchdogMs }: NotifyPlace): number {
  return watchdogMs === undefined ? STATUS_EVERY_MS : Math.max(SHORTEST_BEAT_MS, watchdogMs / 4);
}

/** The watchdog judges our own loops. Network, WeChat Pay and line are no argument here, so none of them can restart us. */
export function mayFeed({ scheduler, server }: Findings): boolean {
  return scheduler && (server === "answered" || server === "unknown");
}

/** One line for `systemctl status`. Changes at most once a minute while nothing happens. */
export function statusText(view: AuthinfoView, language: Language): string {
  const { state, credential, cause } = view;
  const why = cause === undefined ? "" : ` (${cause.code})`;
  const minutes = Math.floor(Math.max(0, view.remainingMs) / MINUTE_MS);
  const text = ({ states }: Catalogue) => {
    const word = states[`state.${state}`];
    return credential === undefined
      ? `${word}${why}`
      : `${states["state.held"]({ word, generation: credential.generation, minutes })}${why}`;
  };
  return say({ zh: text(catalogues.zh), en: text(catalogues.en) }, language);
}

/** RELOADING=1 is complete only with its instant on CLOCK_MONOTONIC (systemd 253 and later). */
export function reloadingText(monotonicUs: bigint): string {
  return `RELOADING=1\nMONOTONIC_USEC=${monotonicUs}`;
}
