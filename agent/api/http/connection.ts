import type { IncomingMessage as NodeRequest, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { IncomingMessage, STATUS_CODES } from "./node-http.ts";
import type { Reply } from "./problem.ts";
import { rawReply, send } from "./reply.ts";

/**
 * Which connection is closed first when the limit is reached. One that waits only for its caller goes before one that waits for us, and a stranger before one
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

/** What leaks with a connection ends with it; at 1 000, opening the next one cost a sixth of all readings (measured). */
const MOST_REQUESTS = 10_000;
/** So many answers of one connection may be unsent, while its requests go on coming (a pipeline, RFC 9112 section 9.3.2). */
const MOST_UNSENT = 4;
/** How many octets are read away after the last answer, so that the caller gets to read that. */
const LINGER_BYTES = 1024 * 1024;

const bySocket = new WeakMap<object, Connection>();

/** The connection on which HTTP is spoken over this socket; undefined while TLS is being agreed. */
export function findConnection(socket: object): Connection | undefined {
  return bySocket.get(socket);
}

/** Of a socket from which a request has come. */
export function connectionOf({ socket }: Pick<NodeRequest, "socket">): Connection {
  const connection = bySocket.get(socket);
  if (connection === undefined) throw new Error("a socket that has not been given a place");
  return connection;
}

/**
 * A request as Node makes it, but the first one behind the last answer of its connection counts as an upgrade of the protocol: Node then
 * takes its parser off the socket at once and hands the socket over. It has no other way to end the parsing of a pipeline: what has come
 * in one piece, up to 3 600 requests, would all be taken up.
 */
export class Request extends IncomingMessage {
  declare isUpgrade: boolean | null;

  get upgrade(): boolean | null {
    return this.isUpgrade;
  }

  /** By Node, as soon as it has read the head. */
  set upgrade(asked: boolean | null) {
    this.isUpgrade = asked || isOver(this);
  }
}

/** For `shouldUpgradeCallback`: an `Upgrade` that a client offers by itself is ignored (RFC 9110 section 7.8). */
export const isOver = ({ socket }: Pick<NodeRequest, "socket">): boolean => bySocket.get(socket)?.isOver === true;

/** A socket that has been accepted, and the exchanges on it. */
export class Connection {
  /** As it was accepted: with TLS, what that runs on. */
  readonly socket: Socket;
  readonly address: string;
  /** Its credential has been accepted; on a unix socket, the file's mode has done that. */
  admitted: boolean;
  /** Grows with every request of anybody; the smallest has waited longest. */
  usedAt: number;
  lingering = false;
  readonly #lingers: () => void;
  /** What HTTP is spoken on: undefined while TLS is being agreed. */
  #http: Socket | undefined;
  /** Answers not yet handed to the kernel, in order. */
  #unsent: ServerResponse[] = [];
  #last: ServerResponse | undefined;
  #requests = 0;
  #refused = false;
  /** Octets that may still be read away; undefined while Node's parser has them. */
  #octetsLeft: number | undefined;

  /** @param lingers is called when the last answer has been written and all that is left is to be read by the caller */
  constructor(socket: Socket, admitted: boolean, usedAt: number, lingers: () => void) {
    this.socket = socket;
    // A unix socket has none.
    this.address = socket.remoteAddress ?? "";
    this.admitted = admitted;
    this.usedAt = usedAt;
    this.#lingers = lingers;
  }

  /** HTTP is to be spoken over `socket`: its own, or the TLS upon it. */
  carry(socket: Socket): void {
    this.#http = socket;
    bySocket.set(socket, this);
    const destroySoon = socket.destroySoon.bind(socket);
    // What Node calls when an answer with `Connection: close` has been written.
    socket.destroySoon = () => {
      if (this.#mayGetMore()) this.#linger();
      else destroySoon();
    };
  }

  /** A request has arrived, which `answer` is to answer. False when too many answers before it are unsent. */
  begin(answer: ServerResponse): boolean {
    if (++this.#requests >= MOST_REQUESTS) answer.shouldKeepAlive = false;
    this.#last = answer;
    if (this.#first === undefined) this.#unsent.length = 0;
    return this.#unsent.push(answer) <= MOST_UNSENT;
  }

  /** Whoever has just come is about to ask: what it sends is on its way. A stranger is promised nothing. */
  get isNew(): boolean {
    return this.admitted && this.#requests === 0;
  }

  /** No more requests are taken: the latest one gets the last answer, or what came behind it was none. */
  get isOver(): boolean {
    return this.#refused || this.#last?.shouldKeepAlive === false;
  }

  get standing(): (typeof Standing)[keyof typeof Standing] {
    if (this.#http === undefined) return Standing.handshake;
    if (this.lingering) return Standing.lingering;
    if (!this.admitted) return Standing.stranger;
    const first = this.#first;
    const waitsForUs = first?.req.complete === true && !first.writableEnded && this.#http.writableLength === 0;
    return waitsForUs ? Standing.working : Standing.waiting;
  }

  /** Octets have come that are no request: says so when the answers before are out, and closes. */
  refuse(reply: Reply): void {
    const http = this.#http;
    const last = this.#last;
    this.#refused = true;
    if (last?.req.complete === false) {
      // They belong to the body of this one.
      if (last.headersSent) this.socket.destroy();
      else send(last, { ...reply, close: true });
      return;
    }
    const close = () => {
      if (http?.writable !== true) return;
      http.write(rawReply(reply, STATUS_CODES[reply.status] ?? ""));
      http.destroySoon();
    };
    if (last === undefined || isSent(last)) close();
    else last.once("finish", close);
  }

  /** Node has taken its parser off the socket: what still comes is read away. */
  detach(): void {
    const http = this.#http;
    // What Node does while it has its parser there.
    http?.on("error", () => undefined);
    http?.once("end", () => http.end());
    http?.once("close", () => {
      for (const answer of this.#unsent) answer.destroy();
    });
    this.#readAway();
  }

  get #first(): ServerResponse | undefined {
    const unsent = this.#unsent;
    while (unsent[0] !== undefined && isSent(unsent[0])) unsent.shift();
    return unsent[0];
  }

  /** A close with octets unread would make the kernel reset the connection, and the caller might never read the answer. */
  #mayGetMore(): boolean {
    return this.#refused || this.#octetsLeft !== undefined || this.#last?.req.complete === false;
  }

  /** A lingering close (RFC 9112 section 9.6). */
  #linger(): void {
    const http = this.#http;
    if (http === undefined || this.lingering || http.destroyed) return;
    this.lingering = true;
    this.#readAway();
    http.end();
    this.#lingers();
  }

  #readAway(): void {
    if (this.#octetsLeft !== undefined) return;
    this.#octetsLeft = LINGER_BYTES;
    const http = this.#http;
    // Node's parser is one of them.
    http?.removeAllListeners("data");
    http?.on("data", (octets: Buffer) => {
      this.#octetsLeft = (this.#octetsLeft ?? 0) - octets.length;
      if (this.#octetsLeft < 0) this.socket.destroy();
    });
    http?.resume();
  }
}

/** Handed to the kernel to its last octet, or given up. */
const isSent = (answer: ServerResponse) => answer.writableFinished || answer.destroyed;
