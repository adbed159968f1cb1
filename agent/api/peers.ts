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
  /** Since when octets of an answer have been seen to wait for this reader, ms of the boot clock. */
  unreadSince: number | undefined;
}

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

  /** Registers a new connection and returns the one that has to make room for it, if any. */
  admit(socket: Socket): Peer | undefined {
    const peer: Peer = { socket, requests: 0, busy: 0, usedAt: ++this.#uses, unreadSince: undefined };
    const leaver = this.#present.size + 1 >= this.#limit ? this.#idlest() : undefined;
    this.#present.add(peer);
    this.#bySocket.set(socket, peer);
    socket.once("close", () => this.#present.delete(peer));
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

  find(socket: object): Peer | undefined {
    return this.#bySocket.get(socket as Socket);
  }

  #idlest(): Peer | undefined {
    let found: Peer | undefined;
    for (const peer of this.#present) {
      if (peer.busy > 0 || peer.socket.destroyed) continue;
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
