import type { SecretSearch } from "./redact.ts";

/** A run this long may be a token, a key, a signature, an authinfo, or a part of one. */
const OPAQUE = /[\w+/=-]{24,}/g;
/** What moves a terminal's cursor, breaks a line of a log, or hides. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]+/gu;
/** No more of a longer text is searched or shown. */
const MOST_SEARCHED = 1_000;

/**
 * What a peer (WeChat Pay, the bridge, the cashier app) says, as it may stand in a log, a status or an error. A peer may repeat a
 * secret that it was given (specification 9): no piece of `secrets` is left, no long run, and at most `longest` characters.
 */
export function sanitizeUntrusted(text: string, longest = 160, secrets?: SecretSearch): string {
  const head = text.slice(0, MOST_SEARCHED);
  const redacted = secrets === undefined ? head : secrets.redact(head);
  const clean = printable(redacted.replace(OPAQUE, "…")).trim();
  return clean.length <= longest ? clean : `${clean.slice(0, longest - 1)}…`;
}

/** A name that a peer gives itself, without control characters. Otherwise unchanged: it may be long and random. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, " ");
}

/** How many secrets of a peer are remembered: what it was given, or gave, in its last two turns. */
const REMEMBERED = 4;

/** The secrets that a peer has met and might repeat: the last ones, and those that it may know from long ago. */
export class SeenSecrets {
  readonly #standing: () => readonly (string | undefined)[];
  #last: readonly string[] = [];

  /** @param standing for a bridge: the password of init and the authinfo that is held */
  constructor(standing: () => readonly (string | undefined)[] = () => []) {
    this.#standing = standing;
  }

  get all(): readonly string[] {
    const standing = this.#standing().filter((secret) => secret !== undefined && secret !== "") as string[];
    return [...this.#last, ...standing];
  }

  /** The last one that was added. */
  get newest(): string | undefined {
    return this.#last[0];
  }

  /**
   * Anything that may be a text or missing. A known one becomes the newest again: an authinfo that is held must
   * outlast the rawdata of a long outage.
   */
  add(...secrets: readonly unknown[]): void {
    const texts = secrets.filter((secret): secret is string => typeof secret === "string" && secret !== "");
    if (texts.every((text, index) => text === this.#last[index])) return;
    const others = this.#last.filter((known) => !texts.includes(known));
    this.#last = [...texts, ...others].slice(0, REMEMBERED);
  }
}
