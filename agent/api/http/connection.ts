import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import { Duplex } from "node:stream";

/** How long, and how many, octets are read away after the last answer, so that the caller gets to read that. */
const LINGER_MS = 1_000;
const LINGER_BYTES = 1024 * 1024;
/** An empty line ends every head (RFC 9112 section 2.1). */
const HEAD_END = "\r\n\r\n";

/**
 * Stands between a socket and Node's HTTP server, which takes it for the socket. It does what that server has no setting for:
 * - One exchange at a time. Node parses everything that has arrived, so a pipeline becomes thousands of requests and answers at once,
 *   and over TLS its pausing breaks the connection (HPE_PAUSED). Here octets go on up to the next empty line, and no further while an
 *   answer is unsent: two exchanges are the most there can be. RFC 9112 section 9.3.2 leaves that to the server.
 * - A lingering close (RFC 9112 section 9.6) after the last answer, whatever that was about.
 */
export class Connection extends Duplex {
  readonly socket: Socket;
  /** Requests whose head has arrived. */
  requests = 0;
  readonly #lingers: () => void;
  /** Those not yet handed to the kernel, in order: one, or two for a moment when a body and the next head came in one piece. */
  #answers: ServerResponse[] = [];
  /** Octets that wait for their turn; then the socket is paused. */
  #rest: Buffer | undefined;
  #wanted = false;
  /** The caller has sent its last octet. */
  #ended = false;
  /** Octets read away since the last answer. */
  #lingered: number | undefined;
  #awaited: ServerResponse | undefined;

  /** @param lingers is called when the last answer has been written and all that is left is to be read by the caller */
  constructor(socket: Socket, lingers: () => void) {
    super({ decodeStrings: false });
    this.socket = socket;
    this.#lingers = lingers;
    socket.on("data", (octets: Buffer) => this.#take(octets));
    socket.once("end", () => this.#end());
    // "close" follows, and says all that is to be said.
    socket.on("error", () => undefined);
    socket.once("close", () => this.destroy());
    socket.on("timeout", () => (this.lingering ? this.destroy() : this.emit("timeout")));
  }

  /** A request has arrived, which `answer` is to answer. */
  begin(answer: ServerResponse): void {
    this.requests++;
    if (this.#first === undefined) this.#answers = [answer];
    else this.#answers.push(answer);
  }

  get lingering(): boolean {
    return this.#lingered !== undefined;
  }

  /** A whole request has arrived that has no answer yet, and the caller has read all there was to read. */
  get waitsForUs(): boolean {
    const first = this.#first;
    return first?.req.complete === true && !first.writableEnded && this.writableLength === 0;
  }

  /** Part of an answer is out. */
  get answering(): boolean {
    return this.#first?.headersSent === true;
  }

  /** What Node calls after an answer with `Connection: close`, and we after one to octets that were no request. */
  destroySoon(): void {
    if (this.lingering || this.destroyed) return;
    this.#lingered = 0;
    this.#rest = undefined;
    this.end(() => {
      if (this.#ended) this.destroy();
    });
    this.socket.setTimeout(LINGER_MS);
    this.socket.resume();
    this.#lingers();
  }

  /** Node's time-out of an idle connection. */
  readonly setTimeout = (ms: number): this => {
    if (!this.lingering) this.socket.setTimeout(ms);
    return this;
  };

  get #first(): ServerResponse | undefined {
    const first = this.#answers[0];
    if (first === undefined || !isOver(first)) return first;
    this.#answers = this.#answers.filter((answer) => !isOver(answer));
    return this.#answers[0];
  }

  /** The answer to a whole request: until it is out, nothing more is handed on. The request behind it may still want its body. */
  get #owed(): ServerResponse | undefined {
    const first = this.#first;
    return first?.req.complete ? first : undefined;
  }

  #take(octets: Buffer): void {
    if (this.#lingered !== undefined) {
      this.#lingered += octets.length;
      if (this.#lingered > LINGER_BYTES) this.destroy();
      return;
    }
    if (this.#rest === undefined && this.#wanted && this.#owed === undefined) {
      this.#handOn(octets);
      return;
    }
    this.#rest = this.#rest === undefined ? octets : Buffer.concat([this.#rest, octets]);
    this.socket.pause();
    this.#goOn();
  }

  #handOn(octets: Buffer): void {
    const at = octets.indexOf(HEAD_END);
    const length = at === -1 ? octets.length : at + HEAD_END.length;
    this.#wanted = false;
    if (length === octets.length) {
      this.push(octets);
      return;
    }
    this.#rest = octets.subarray(length);
    this.socket.pause();
    this.push(octets.subarray(0, length));
  }

  /** Hands on what has been waiting, if it is its turn; else it comes back when the answer is out. */
  readonly #goOn = (): void => {
    const rest = this.#rest;
    if (rest === undefined || this.destroyed) return;
    const owed = this.#owed;
    if (owed !== undefined) {
      if (owed !== this.#awaited) owed.once("close", this.#takeTurns);
      this.#awaited = owed;
      return;
    }
    if (!this.#wanted) return;
    this.#rest = undefined;
    this.#handOn(rest);
    if (this.#rest !== undefined) return;
    this.socket.resume();
    if (this.#ended) this.push(null);
  };

  readonly #takeTurns = (): void => queue(this.#goOn);

  #end(): void {
    this.#ended = true;
    if (this.#lingered === undefined) {
      if (this.#rest === undefined) this.push(null);
    } else if (this.writableFinished) this.destroy();
  }

  override _read(): void {
    this.#wanted = true;
    if (this.#rest !== undefined) this.#takeTurns();
  }

  override _write(chunk: string | Buffer, encoding: BufferEncoding, done: () => void): void {
    this.socket.write(chunk, encoding, () => done());
  }

  override _writev(chunks: { chunk: string | Buffer; encoding: BufferEncoding }[], done: () => void): void {
    const last = chunks.length - 1;
    this.socket.cork();
    chunks.forEach(({ chunk, encoding }, at) => {
      this.socket.write(chunk, encoding, at === last ? () => done() : undefined);
    });
    this.socket.uncork();
  }

  override _final(done: () => void): void {
    this.socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#rest = undefined;
    this.socket.destroy();
    done(error);
  }
}

/**
 * What has been waiting goes on one by one, whoever's it is, and the event loop turns in between: it accepts a single connection in a
 * turn, so that turns have to stay short for newcomers to be heard.
 */
const waiting: (() => void)[] = [];

function queue(act: () => void): void {
  if (waiting.push(act) === 1) setImmediate(next);
}

function next(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(next);
}

/** Handed to the kernel to its last octet, or given up. */
const isOver = (answer: ServerResponse) => answer.writableFinished || answer.destroyed;

/** Has the HTTP server serve on connections instead of the sockets that `event` brings. */
export function interpose(
  server: Server,
  event: "connection" | "secureConnection",
  wrap: (socket: Socket) => Connection,
): void {
  const served = server.listeners(event);
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    const connection = wrap(socket);
    for (const serve of served) serve.call(server, connection);
  });
}

/** Node's types know no other streams than sockets there. */
export function connectionOf({ socket }: Pick<IncomingMessage, "socket">): Connection {
  return socket as unknown as Connection;
}
