import type { AuthinfoView } from "./credential-types.ts";

export interface StateChange {
  readonly atWallMs: number;
  readonly from: string;
  readonly to: string;
  readonly generation: number;
  readonly code?: string;
}

const KEPT = 20;

/** The last 20 state changes, and the judge of what is a change worth telling readers. */
export class History {
  readonly #entries: StateChange[] = [];
  #last: string;
  #lastReason: string | undefined;
  #lastState: string;

  constructor(view: AuthinfoView) {
    this.#last = signature(view);
    this.#lastReason = view.cause?.code;
    this.#lastState = view.state;
  }

  entries(): readonly StateChange[] {
    return this.#entries;
  }

  /**
   * How `view` differs, in what a reader sees besides the passing of time, from the one noted before. `reason`: a renewal fails, or no
   * longer does, or for another reason. In a long outage that may be so at every attempt: readers are told, but it is no entry.
   */
  note(view: AuthinfoView, atWallMs: number): "state" | "reason" | undefined {
    const now = signature(view);
    const reason = view.cause?.code;
    const changed = reason === this.#lastReason ? undefined : "reason";
    this.#lastReason = reason;
    if (now === this.#last) return changed;
    this.#last = now;
    this.#entries.push({
      atWallMs,
      from: this.#lastState,
      to: view.state,
      generation: view.credential?.generation ?? 0,
      ...(view.cause === undefined ? {} : { code: view.cause.code }),
    });
    this.#lastState = view.state;
    if (this.#entries.length > KEPT) this.#entries.shift();
    return "state";
  }
}

function signature({ state, credential, persisted, clockTrusted, cause }: AuthinfoView): string {
  // Without an authinfo to hand out, the reason is what the reader shows.
  const reason = state === "absent" || state === "expired" ? cause?.code : undefined;
  const life = credential && `${credential.generation}@${credential.obtainedWallMs}+${credential.lifetimeMs}`;
  return [state, life, persisted, clockTrusted, reason].join("|");
}
