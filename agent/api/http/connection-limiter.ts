import type { Socket } from "node:net";
import type { Clock } from "../../common/clock.ts";
import { Connection, Standing } from "./connection.ts";

export interface Limits {
  readonly connections: number;
  /** Those without an accepted credential, in all and from one address; none of them can be told from the others. */
  readonly strangers: number;
  readonly strangersPerAddress: number;
}

/** One who holds a place. */
export type Occupant = Pick<Connection, "standing" | "admitted" | "address" | "usedAt">;

/** Who has to go when somebody has come from `address`: of the lowest standing, who has waited longest. Each newcomer costs one at most. */
export function whoGoes<T extends Occupant>(occupants: Iterable<T>, limits: Limits, address: string): T | undefined {
  let all = 0;
  let strangers = 0;
  let here = 0;
  let least: Candidate<T> | undefined;
  let leastStranger: Candidate<T> | undefined;
  let leastHere: Candidate<T> | undefined;
  for (const occupant of occupants) {
    const { standing, admitted } = occupant;
    const candidate = { occupant, standing };
    all++;
    least = lesser(least, candidate);
    if (admitted) continue;
    strangers++;
    leastStranger = lesser(leastStranger, candidate);
    if (occupant.address !== address) continue;
    here++;
    leastHere = lesser(leastHere, candidate);
  }
  if (here > limits.strangersPerAddress) return leastHere?.occupant;
  if (strangers > limits.strangers) return leastStranger?.occupant;
  return all > limits.connections ? least?.occupant : undefined;
}

interface Candidate<T> {
  readonly occupant: T;
  readonly standing: Occupant["standing"];
}

function lesser<T extends Occupant>(least: Candidate<T> | undefined, one: Candidate<T>): Candidate<T> | undefined {
  if (one.standing === Standing.working) return least;
  if (least === undefined || one.standing < least.standing) return one;
  return one.standing === least.standing && one.occupant.usedAt < least.occupant.usedAt ? one : least;
}

/** A lingering close is a courtesy: for so many at a time, and for so long. */
const MOST_LINGERING = 8;
const LINGER_MS = 1_000;

/** Keeps the number of connections within limits. */
export class ConnectionLimiter {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #closed: () => void;
  readonly #connections = new Set<Connection>();
  #lingering: Connection[] = [];
  #uses = 0;

  /** @param closed is called for each one that has had to go */
  constructor(limits: Limits, clock: Clock, closed: () => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#closed = closed;
  }

  get size(): number {
    return this.#connections.size;
  }

  /**
   * Gives a socket that has just been accepted its place; whoever has to go for it does so at once.
   * @param admitted and HTTP is spoken without more ado; else TLS comes first
   */
  enter(socket: Socket, admitted: boolean): Connection {
    const connection = new Connection(socket, admitted, ++this.#uses, () => this.#linger(connection));
    if (admitted) connection.carry(socket);
    this.#connections.add(connection);
    socket.once("close", () => this.#connections.delete(connection));
    const { connections, strangersPerAddress } = this.#limits;
    if (this.#connections.size > Math.min(connections, strangersPerAddress)) {
      const leaving = whoGoes(this.#connections, this.#limits, connection.address);
      if (leaving !== undefined) {
        this.#closed();
        this.#connections.delete(leaving);
        leaving.socket.destroy();
      }
    }
    return connection;
  }

  /** A request has arrived. */
  use(connection: Connection): void {
    connection.usedAt = ++this.#uses;
  }

  /** Closes all that nothing is being worked for. Who has just been accepted gets to ask: in an update no reader is refused. */
  closeIdle(): void {
    for (const { standing, isNew, socket } of this.#connections)
      if (standing !== Standing.working && !isNew) socket.destroy();
  }

  closeAll(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }

  #linger(connection: Connection): void {
    const { socket } = connection;
    const callOff = this.#clock.timer(LINGER_MS, () => socket.destroy());
    socket.once("close", () => {
      callOff();
      this.#lingering = this.#lingering.filter((one) => one !== connection);
    });
    this.#lingering.push(connection);
    if (this.#lingering.length > MOST_LINGERING) this.#lingering.shift()?.socket.destroy();
  }
}
