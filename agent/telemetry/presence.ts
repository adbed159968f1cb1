/** What the broker keeps of a terminal: whether it is there, and by whose word (specification 10). */
export interface Presence {
  readonly online: boolean;
  /** Of this run of the agent. */
  readonly session: string;
  /** When this connection was begun; grows from one connection of a session to the next, whatever the clock does. */
  readonly at: string;
  readonly version: string;
  readonly boot_id: string;
}

/** Birth and will of one connection: the same but for `online`. */
export interface PresencePair {
  readonly birth: string;
  readonly will: string;
}

/** Makes the pair of each connection of one session. */
export class Presences {
  readonly #who: Pick<Presence, "session" | "version" | "boot_id">;
  #lastAtMs = 0;

  constructor(who: Pick<Presence, "session" | "version" | "boot_id">) {
    this.#who = who;
  }

  next(wallMs: number): PresencePair {
    this.#lastAtMs = Math.max(this.#lastAtMs + 1, wallMs);
    const { session, version, boot_id } = this.#who;
    const at = new Date(this.#lastAtMs).toISOString();
    const told = (online: boolean): string => JSON.stringify({ online, session, at, version, boot_id });
    return { birth: told(true), will: told(false) };
  }
}

/**
 * Whether the terminal, being connected, has to publish its birth again: whatever else stands on its topic is a will that came late or
 * the word of a stranger, and would show it as somebody it is not.
 */
export function contradicts(birth: string, seen: Uint8Array): boolean {
  return !Buffer.from(birth).equals(seen);
}
