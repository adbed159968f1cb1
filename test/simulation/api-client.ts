import { type Duplex, duplexPair } from "node:stream";
import type { SocketServer } from "../../agent/api/sockets.ts";
import { settle } from "./virtual-time.ts";

export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** What the HTTP server of the agent takes for a socket. */
function socketPair(): readonly [near: Duplex, far: Duplex] {
  const [near, far] = duplexPair();
  const same = () => far;
  const destroySoon = () => {
    if (far.writableFinished) far.destroy();
    else far.once("finish", () => far.destroy()).end();
  };
  return [near, Object.assign(far, { setTimeout: same, ref: same, unref: same, setNoDelay: same, destroySoon })];
}

/** A program of the terminal that talks to one of the agent's sockets: HTTP/1.1 by hand, so that the agent's own client cannot hide what its server does. */
export class ApiClient {
  readonly #server: SocketServer;
  #kept: { readonly stream: Duplex; read: string } | undefined;
  #sent = 0;

  constructor(server: SocketServer) {
    this.#server = server;
  }

  /** One request whose answer needs no time to pass. Undefined when none comes. */
  async ask(method: "GET" | "POST", path: string, body?: object): Promise<Reply | undefined> {
    const connection = this.#connection();
    connection.read = "";
    connection.stream.write(requestText(method, path, body));
    for (let turns = 0; turns < 50; turns++) {
      await settle();
      const reply = replyIn(connection.read);
      if (reply !== undefined) return reply;
    }
    this.#kept?.stream.destroy();
    this.#kept = undefined;
    return undefined;
  }

  /** A request whose answer may take its time. */
  send(method: "GET" | "POST", path: string, body: object | undefined, onReply: (reply: Reply) => void): void {
    const connection = this.#connect();
    let told = false;
    connection.stream.on("data", () => {
      const reply = told ? undefined : replyIn(connection.read);
      if (reply === undefined) return;
      told = true;
      onReply(reply);
      connection.stream.destroy();
    });
    connection.stream.write(requestText(method, path, body));
  }

  /** Subscribes to the event stream. Returns the function that leaves it. */
  watch(path: string, onEvent: (event: string, data: string) => void): () => void {
    const connection = this.#connect();
    let headEnded = false;
    let text = "";
    connection.stream.on("data", () => {
      if (!headEnded) {
        const end = connection.read.indexOf("\r\n\r\n");
        if (end === -1) return;
        headEnded = true;
        connection.read = connection.read.slice(end + 4);
      }
      const { whole, rest } = unchunked(connection.read);
      connection.read = rest;
      text += whole;
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const each of events) {
        const event = /^event: (.*)$/m.exec(each)?.[1];
        if (event !== undefined) onEvent(event, /^data: (.*)$/m.exec(each)?.[1] ?? "");
      }
    });
    connection.stream.write(requestText("GET", path));
    return () => connection.stream.destroy();
  }

  #connection() {
    // The server ends a connection after ten thousand requests.
    if (this.#kept === undefined || this.#kept.stream.destroyed || ++this.#sent % 5_000 === 0)
      this.#kept = this.#connect();
    return this.#kept;
  }

  #connect(): { readonly stream: Duplex; read: string } {
    const [near, far] = socketPair();
    const connection = { stream: near, read: "" };
    near.on("data", (chunk: Buffer) => {
      connection.read += chunk.toString("latin1");
    });
    near.on("end", () => near.destroy());
    near.on("error", () => undefined);
    this.#server.listener.emit("connection", far);
    return connection;
  }
}

function requestText(method: string, path: string, body?: object): string {
  const content = body === undefined ? "" : JSON.stringify(body);
  const type = body === undefined ? "" : `Content-Type: application/json\r\nContent-Length: ${content.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${type}\r\n${content}`;
}

function replyIn(text: string): Reply | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const length = Number(/^content-length: *(\d+)$/im.exec(head)?.[1] ?? Number.NaN);
  const body = text.slice(end + 4);
  if (!(body.length >= length)) return undefined;
  return { status: Number(head.slice(9, 12)), text: Buffer.from(body.slice(0, length), "latin1").toString() };
}

/** The chunks that are there as a whole (RFC 9112 section 7.1), and what is not. */
function unchunked(text: string): { readonly whole: string; readonly rest: string } {
  let whole = "";
  for (let rest = text; ; ) {
    const start = rest.indexOf("\r\n") + 2;
    const end = start + Number.parseInt(rest, 16);
    if (start < 2 || !(rest.length >= end + 2)) return { whole, rest };
    whole += rest.slice(start, end);
    rest = rest.slice(end + 2);
  }
}
