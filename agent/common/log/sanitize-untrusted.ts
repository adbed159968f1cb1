/** Where a run of these is this long it may be a token, a key, a signature, an authinfo, or a part of one. */
const OPAQUE = /[\w+/=-]{24,}/g;
/** What moves a terminal's cursor, breaks a line of a log, or hides. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]+/gu;

/**
 * Words of a peer (WeChat Pay, the bridge, the cashier app) as they may stand in a log, a status or an error: a peer may well
 * repeat the very secret it was given (specification 9), so no long run is left, and at most `longest` characters.
 */
export function sanitizeUntrusted(text: string, longest = 160): string {
  const clean = printable(text.replace(OPAQUE, "…")).trim();
  return clean.length <= longest ? clean : `${clean.slice(0, longest - 1)}…`;
}

/** A name that a peer gives itself, without what would steer a technician's terminal. Otherwise as it is: it may be long and random. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, " ");
}

/** So many secrets of a peer are remembered: what it was given, or gave, in its last two turns. */
const REMEMBERED = 4;

/** The secrets that a peer has met last and might repeat. */
export class SeenSecrets {
  #all: readonly string[] = [];

  /** The newest first. */
  get all(): readonly string[] {
    return this.#all;
  }

  /**
   * Of anything that may be a text or missing. What is known already comes to the front again: an authinfo that is held must
   * outlast the rawdata of a long outage.
   */
  add(...secrets: readonly unknown[]): void {
    const texts = secrets.filter((secret): secret is string => typeof secret === "string" && secret !== "");
    if (texts.every((text, at) => text === this.#all[at])) return;
    // They are few and long: a Set would read each to its end.
    const others = this.#all.filter((known) => !texts.includes(known));
    this.#all = [...texts, ...others].slice(0, REMEMBERED);
  }
}
