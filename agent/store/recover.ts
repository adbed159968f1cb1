import { isDeepStrictEqual } from "node:util";
import type { SmallFile } from "../common/files/file-system.ts";
import { emptyState, type State } from "./credential.ts";
import { open, type SealHeader, type SealKey } from "./envelope.ts";
import { HIGHEST_GENERATION, parseState } from "./state-format.ts";
import type { StoreStatus } from "./store-types.ts";

/** Whom a kept state has to belong to. Without a device id any device of that identity will do. */
export interface Owner {
  readonly identity: string;
  readonly deviceId?: string;
}

export type Found =
  | { readonly kind: "good"; readonly header: SealHeader; readonly state: State }
  | { readonly kind: "missing" }
  /** `passing`: not the file's fault, so it stays where it is. The header is not authenticated. */
  | { readonly kind: "bad"; readonly reason: string; readonly passing: boolean; readonly header?: SealHeader };

export interface Recovered {
  readonly loaded: StoreStatus["loaded"];
  readonly state: State;
  /** The state differs from what the disk would yield next time, and should be written soon. */
  readonly settle: boolean;
}

/**
 * How far ahead the numbers go on when nothing says how far a lost file had come: a day's announcements and more that a disk may have
 * refused. Numbers cost nothing, a durable write for each of them would.
 */
const LEAP = 100;

/** What a file is worth under this key. */
export function judge(file: SmallFile, key: SealKey): Found {
  if (file.kind === "missing") return file;
  if (file.kind === "refused") return { kind: "bad", reason: file.reason, passing: file.passing };
  const opened = open(file.bytes, key);
  const header = opened.header === undefined ? {} : { header: opened.header };
  if (!opened.ok) return { kind: "bad", reason: opened.reason, passing: false, ...header };
  const state = parseState(opened.content);
  if (state === undefined) return { kind: "bad", reason: "state_format", passing: false, ...header };
  return { kind: "good", header: opened.header, state };
}

/** What the header of a state says in the clear. */
export function describe(state: State): Pick<SealHeader, "device_id" | "generation"> {
  const { credential } = state;
  return {
    device_id: credential?.deviceId ?? "",
    generation: Math.max(state.generation, credential?.generation ?? 0),
  };
}

/**
 * Chooses the state to start with. `quarantined`: what was moved aside now or earlier; its headers count, so that the
 * generation does not fall even when nothing can be opened any more.
 */
export function recover(current: Found, previous: Found, quarantined: readonly Found[], owner: Owner): Recovered {
  if (current.kind === "good" && belongs(current.header, owner)) {
    // Nothing of ours puts the newer one in the older one's place: a restored copy, or a disk that has lost a name.
    if (previous.kind === "good" && belongs(previous.header, owner) && generationOf(previous) > generationOf(current)) {
      return { loaded: "previous", state: previous.state, settle: true };
    }
    return { loaded: "current", state: current.state, settle: false };
  }
  const highest = Math.max(0, ...[current, previous, ...quarantined].map(generationOf));
  const source = current.kind === "good" ? current : previous;
  if (source.kind !== "good") {
    const loaded = current.kind === "bad" || source.kind === "bad" ? "quarantined" : "empty";
    return { loaded, state: { ...emptyState, generation: highest }, settle: highest > 0 };
  }
  // What the lost file announced is unknown, but it was newer. The older authinfo gets a generation of its own, or a
  // reader who has seen the newer one would be told that the generation has fallen.
  const generation = source === current ? highest : highest + (highest > generationOf(source) ? 1 : LEAP);
  if (!belongs(source.header, owner)) {
    return { loaded: "other_identity", state: withoutOwner(source, generation, owner), settle: source !== current };
  }
  const { credential } = source.state;
  const renumbered = credential === undefined ? {} : { credential: { ...credential, generation } };
  return { loaded: "previous", state: { ...source.state, generation, ...renumbered }, settle: true };
}

/** The state that this process held before it opened another store, or the same one anew. */
export interface Former {
  readonly identity: string;
  readonly state: State;
}

/**
 * What a process that has been at work goes on with. Its memory is ahead of a disk that refuses writes, and of any other
 * directory; of another merchant or shop only what is true of the terminal is taken over. The generation never falls for those who read.
 */
export function migrate(read: State, { identity, state }: Former, owner: Owner): State {
  const { credential, generation } = state;
  const device = owner.deviceId === undefined || credential === undefined || credential.deviceId === owner.deviceId;
  if (identity === owner.identity && device && generation >= read.generation) {
    return isDeepStrictEqual(read, state) ? read : state;
  }
  if (generation <= read.generation) return read;
  const wallFloorMs = Math.max(read.wallFloorMs, state.wallFloorMs);
  if (read.credential === undefined) return { ...read, generation, wallFloorMs };
  const renumbered = { ...read.credential, generation: generation + 1 };
  return { ...read, generation: generation + 1, credential: renumbered, wallFloorMs };
}

function belongs(header: SealHeader, owner: Owner): boolean {
  if (header.identity !== owner.identity) return false;
  return owner.deviceId === undefined || header.device_id === "" || header.device_id === owner.deviceId;
}

/** What is true of the terminal stays; what is true of the merchant stays with the merchant. */
function withoutOwner(source: Found & { kind: "good" }, generation: number, owner: Owner): State {
  const { newestSignedAtS, wallFloorMs, unsteadyUntilWallMs } = source.state;
  const sameMerchant = source.header.identity === owner.identity;
  return {
    ...emptyState,
    generation,
    wallFloorMs,
    unsteadyUntilWallMs,
    newestSignedAtS: sameMerchant ? newestSignedAtS : 0,
  };
}

function generationOf(found: Found): number {
  if (found.kind === "good") return describe(found.state).generation;
  const claimed = found.kind === "bad" ? (found.header?.generation ?? 0) : 0;
  // A damaged header may claim any number.
  return claimed <= HIGHEST_GENERATION ? claimed : 0;
}
