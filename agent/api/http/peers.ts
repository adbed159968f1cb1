import type { Socket } from "node:net";

/** One connection, as far as it matters for the question who has to go when the house is full. */
export interface Peer {
  readonly socket: Socket;
  /** Requests whose head has arrived. */
  requests: number;
  /** Exchanges that are being worked on, or streams that are open: such a connection is not cut. */
  busy: number;
  /** Grows with every sign of use; the smallest has been silent longest. */
  usedAt: number;
  /** When it came, on the boot clock, ms. */
  readonly cameAt: number;
  /** Since when octets of an answer have been seen to wait for this reader, on the boot clock, ms. */
  unreadSince: number | undefined;
}

/** So long a newcomer may take to say what it wants before it counts as idle: its process may be waiting for a core. */
export const HEARING_MS = 100;
/** Nobody is heard out any more when so many times the limit are there. */
const FULL = 4;

/**
 * Everyone who is connected. When the limit is reached, the one that has kept its place longest without using it goes:
 * first those that never finished a request (slowloris), then idle keep-alive connections. So a crowd of idlers cannot
 * lock a fresh reader out, and a reader at work is never cut off.
 */
export class Peers {
  readonly #limit: number;
  readonly #present = new Set<Peer>();
  readonly #bySocket = new WeakMap<Socket, Peer>();
  #uses = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  [Symbol.iterator](): Iterator<Peer> {
    return this.#present.values();
  }

  get size(): number {
    return this.#present.size;
  }

  /** There are never more than this. */
  get most(): number {
    return this.#limit * FULL;
  }

  admit(socket: Socket, nowMs: number): void {
    const peer: Peer = { socket, requests: 0, busy: 0, usedAt: ++this.#uses, cameAt: nowMs, unreadSince: undefined };
    this.#present.add(peer);
    this.#bySocket.set(socket, peer);
    socket.once("close", () => this.#present.delete(peer));
  }

  /** Takes out the one that has to make room; undefined when there is room for one more, or all are at work or just here. */
  surplus(nowMs: number): Peer | undefined {
    if (this.#present.size < this.#limit) return undefined;
    const leaver = this.#idlest(this.#present.size < this.most ? nowMs - HEARING_MS : nowMs);
    if (leaver !== undefined) this.#present.delete(leaver);
    return leaver;
  }

  /** Notes that a request has arrived. */
  touch(socket: Socket): Peer | undefined {
    const peer = this.#bySocket.get(socket);
    if (peer !== undefined) {
      peer.requests++;
      peer.usedAt = ++this.#uses;
    }
    return peer;
  }

  /** `upper` (TLS) is carried by `lower` (TCP): what is used there is used here. */
  stack(upper: Socket, lower: Socket): void {
    const peer = this.#bySocket.get(lower);
    if (peer !== undefined) this.#bySocket.set(upper, peer);
  }

  /** Connections on which nothing is under way. */
  idle(): Socket[] {
    return [...this.#present].filter(({ busy }) => busy === 0).map(({ socket }) => socket);
  }

  find(socket: object): Peer | undefined {
    return this.#bySocket.get(socket as Socket);
  }

  #idlest(cameBefore: number): Peer | undefined {
    let found: Peer | undefined;
    for (const peer of this.#present) {
      if (peer.busy > 0 || peer.cameAt > cameBefore || peer.socket.destroyed) continue;
      if (
        found === undefined ||
        rank(peer) < rank(found) ||
        (rank(peer) === rank(found) && peer.usedAt < found.usedAt)
      ) {
        found = peer;
      }
    }
    return found;
  }
}

const rank = (peer: Peer) => (peer.requests === 0 ? 0 : 1);
