import type { Socket } from "node:net";
import type { Clock } from "../../common/clock.ts";
import { Connection } from "./connection.ts";

/**
 * Who goes first when places are needed. Whoever waits only for himself goes before one who waits for us, and a stranger before one
 * whose credential may still come or has been accepted: nothing that anybody can send changes that.
 */
export const Standing = {
  /** Has had its last answer. */
  lingering: 0,
  /** Could have shown a credential and has not shown one that is accepted. */
  stranger: 1,
  handshake: 2,
  /** Has sent no whole request, or has not read its answer. */
  waiting: 3,
  /** Waits for our answer: never closed to make room. */
  working: 4,
} as const;

export interface Limits {
  readonly connections: number;
  /** Those without an accepted credential, in all and from one address; none of them can be told from the others. */
  readonly strangers: number;
  readonly strangersPerAddress: number;
}

/** One who holds a place. */
export interface Occupant {
  readonly standing: (typeof Standing)[keyof typeof Standing];
  /** Its credential has been accepted; on a unix socket, the file's mode has done that. */
  readonly admitted: boolean;
  readonly address: string;
  /** When it came, on the boot clock, ms. */
  readonly cameAt: number;
  /** Grows with every request of anybody; the smallest has waited longest. */
  readonly usedAt: number;
}

/** Those who have to go so that the limits hold; of one standing, who has waited longest. Nobody who came after `cameBefore`. */
export function surplus<T extends Occupant>(occupants: Iterable<T>, limits: Limits, cameBefore: number): T[] {
  let all = 0;
  let strangers = 0;
  const byAddress = new Map<string, number>();
  const candidates: { readonly occupant: T; readonly standing: number }[] = [];
  for (const occupant of occupants) {
    const { standing, admitted, address, cameAt } = occupant;
    all++;
    if (!admitted) {
      strangers++;
      byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    }
    if (standing !== Standing.working && cameAt <= cameBefore) candidates.push({ occupant, standing });
  }
  candidates.sort((a, b) => a.standing - b.standing || a.occupant.usedAt - b.occupant.usedAt);
  const leaving: T[] = [];
  for (const { occupant } of candidates) {
    const here = byAddress.get(occupant.address) ?? 0;
    const tooMany = strangers > limits.strangers || here > limits.strangersPerAddress;
    if (all <= limits.connections && (occupant.admitted || !tooMany)) continue;
    all--;
    if (!occupant.admitted) {
      strangers--;
      byAddress.set(occupant.address, here - 1);
    }
    leaving.push(occupant);
  }
  return leaving;
}

/** So long a newcomer is left alone: its process may be waiting for a core before it can write what it wants. */
export const HEARING_MS = 100;
/** Beyond the limit, and so many are there, nobody is left alone any more. */
const MOST_NEWCOMERS = 512;
/** A small fixed number: a lingering close is a courtesy. */
const MOST_LINGERING = 8;

/** A place, from the first octet on. */
export class Seat implements Occupant {
  readonly socket: Socket;
  readonly address: string;
  readonly cameAt: number;
  admitted: boolean;
  usedAt: number;
  #connection: Connection | undefined;

  constructor(socket: Socket, cameAt: number, usedAt: number, admitted: boolean) {
    this.socket = socket;
    // A unix socket has none.
    this.address = socket.remoteAddress ?? "";
    this.cameAt = cameAt;
    this.usedAt = usedAt;
    this.admitted = admitted;
  }

  /** What HTTP is spoken on: undefined while TLS is being agreed. */
  set connection(connection: Connection) {
    this.#connection = connection;
  }

  get standing(): Occupant["standing"] {
    const connection = this.#connection;
    if (connection === undefined) return Standing.handshake;
    if (connection.lingering) return Standing.lingering;
    if (!this.admitted) return Standing.stranger;
    return connection.waitsForUs ? Standing.working : Standing.waiting;
  }
}

/** Keeps the number of connections within limits. */
export class ConnectionLimiter {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #closed: () => void;
  readonly #seats = new Set<Seat>();
  readonly #bySocket = new WeakMap<object, Seat>();
  #lingering: Seat[] = [];
  #uses = 0;
  #callOff: (() => void) | undefined;

  /** @param closed is called for each one that has had to go */
  constructor(limits: Limits, clock: Clock, closed: () => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#closed = closed;
  }

  get size(): number {
    return this.#seats.size;
  }

  /** For the server's `maxConnections`, beyond which the kernel's newcomers are turned away unheard. */
  get most(): number {
    return this.#limits.connections + MOST_NEWCOMERS;
  }

  /** Gives a socket that has just been accepted its place. */
  enter(socket: Socket, admitted: boolean): Seat {
    const seat = new Seat(socket, this.#clock.boot(), ++this.#uses, admitted);
    this.#seats.add(seat);
    socket.once("close", () => {
      this.#seats.delete(seat);
      if (this.#lingering.includes(seat)) this.#lingering = this.#lingering.filter((one) => one !== seat);
    });
    if (this.#seats.size > this.most) this.#thin(Number.POSITIVE_INFINITY);
    else this.#thinSoon();
    return seat;
  }

  /** HTTP is to be spoken in this place, over `socket` (its own, or the TLS upon it). */
  carry(seat: Seat, socket: Socket): Connection {
    const connection = new Connection(socket, () => {
      this.#lingering.push(seat);
      if (this.#lingering.length > MOST_LINGERING) this.#lingering.shift()?.socket.destroy();
    });
    seat.connection = connection;
    this.#bySocket.set(connection, seat);
    return connection;
  }

  /** Notes that a request has arrived. */
  use(connection: Connection): Seat | undefined {
    const seat = this.#bySocket.get(connection);
    if (seat !== undefined) seat.usedAt = ++this.#uses;
    return seat;
  }

  /** Closes all that nothing is being worked for. */
  closeIdle(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    for (const { standing, socket } of this.#seats) if (standing !== Standing.working) socket.destroy();
  }

  #thin(cameBefore: number): void {
    for (const seat of surplus(this.#seats, this.#limits, cameBefore)) {
      this.#closed();
      // Now: the socket itself tells of its end only after all that are being accepted.
      this.#seats.delete(seat);
      seat.socket.destroy();
    }
  }

  /** Newcomers are left alone for a moment; who has to go by then does so together. */
  #thinSoon(): void {
    const { connections, strangersPerAddress } = this.#limits;
    if (this.#callOff !== undefined || this.#seats.size <= Math.min(connections, strangersPerAddress)) return;
    this.#callOff = this.#clock.timer(HEARING_MS, () => {
      this.#callOff = undefined;
      this.#thin(this.#clock.boot() - HEARING_MS);
      if (surplus(this.#seats, this.#limits, Number.POSITIVE_INFINITY).length > 0) this.#thinSoon();
    });
  }
}
