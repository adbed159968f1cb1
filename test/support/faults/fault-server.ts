import { once } from "node:events";
import net, { type AddressInfo, type Server, type Socket } from "node:net";
import tls, { type TlsOptions } from "node:tls";
import { FrozenPort } from "../fakes/frozen-port.ts";

/** What becomes of one connection. `forward` leads it on to the true server behind. */
export type Treatment = (client: Socket, forward: () => Socket) => void;

/** How long a server has to be still before it counts as having said what it wanted to say. */
const STILL_MS = 150;

/**
 * The way to WeChat Pay as a bad network makes it: one port, behind it the true server while nothing is wrong. It knows
 * nothing of HTTP and, but for certificates, nothing of TLS: it deals in connections and octets.
 */
export class FaultServer implements AsyncDisposable {
  /** `performance.now()` of every connection that has come, oldest first. */
  readonly arrivals: number[] = [];
  readonly host: string;
  readonly #upstreamPort: number;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;
  #frozen: FrozenPort | undefined;
  #treatment: Treatment | undefined;
  #port = 0;

  private constructor(upstreamPort: number, host: string) {
    this.#upstreamPort = upstreamPort;
    this.host = host;
  }

  static async open(upstreamPort: number, host = "127.0.0.1"): Promise<FaultServer> {
    const server = new FaultServer(upstreamPort, host);
    await server.#listen();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that stand are cut, so that the next request meets the fault and not a kept connection. */
  treat(treatment: Treatment): void {
    this.#treatment = treatment;
    this.cut();
  }

  /** Nobody listens any more. */
  async vanish(): Promise<void> {
    const closed = this.#server && once(this.#server, "close");
    this.#server?.close();
    this.cut();
    await closed;
    this.#server = undefined;
  }

  /** Whoever calls gets no answer at all, not even a refusal. */
  async freeze(): Promise<void> {
    await this.vanish();
    this.#frozen = await FrozenPort.open(this.host, this.#port);
  }

  /** Everything is as it should be. */
  async fix(): Promise<void> {
    this.#treatment = undefined;
    this.cut();
    await this.#frozen?.[Symbol.asyncDispose]();
    this.#frozen = undefined;
    if (this.#server === undefined) await this.#listen();
  }

  /** Ends the connections that stand, a kept one included. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#frozen?.[Symbol.asyncDispose]();
    await this.vanish();
  }

  async #listen(): Promise<void> {
    const server = net.createServer((client) => this.#receive(client));
    this.#server = server;
    server.listen(this.#port, this.host);
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
  }

  #receive(client: Socket): void {
    this.arrivals.push(performance.now());
    this.#track(client);
    const forward = () => {
      const upstream = net.connect(this.#upstreamPort, "127.0.0.1");
      this.#track(upstream);
      client.pipe(upstream).pipe(client);
      client.once("close", () => upstream.destroy());
      upstream.once("close", () => client.end());
      return upstream;
    };
    if (this.#treatment === undefined) forward();
    else this.#treatment(client, forward);
  }

  #track(socket: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#open.delete(socket));
  }
}

/** Faults of the way, each the treatment of a connection. */
export const connectionFaults = {
  resetAtOnce: (client) => client.resetAndDestroy(),
  /** TCP stands, and that is all: no octet of a handshake ever comes. */
  mute: (client) => client.resume(),
  resetInHandshake: (client) => client.once("data", () => client.resetAndDestroy()),
  /** The peer has gone without a word as soon as the handshake was through, as behind a router that lost its table. */
  halfOpen: (client, forward) => {
    const upstream = forward();
    afterHandshake(client, upstream, () => {
      client.unpipe().resume();
      upstream.unpipe().resume();
    });
  },
  /** The connection is closed properly, but before any answer. */
  closedEarly: (client, forward) => afterHandshake(client, forward(), () => client.end()),
  /** For an answer that stops half-way: what has come so far ends in a reset. */
  resetInBody: (client, forward) => {
    const upstream = forward();
    let still: NodeJS.Timeout | undefined;
    upstream.on("data", () => {
      clearTimeout(still);
      still = setTimeout(() => client.resetAndDestroy(), STILL_MS);
    });
    client.once("close", () => clearTimeout(still));
  },
} as const satisfies Record<string, Treatment>;

/** TLS by its own rules, and no word of HTTP: the client is expected to go away before it would need one. */
export function tlsFault(options: TlsOptions): Treatment {
  const server = tls.createServer(options, (socket) => socket.on("error", () => socket.destroy()).resume());
  server.on("tlsClientError", () => {
    // What the client does not like is its own affair.
  });
  return (client) => server.emit("connection", client);
}

/** The client's flight after the server's first one carries its Finished: from then on the connection stands. */
function afterHandshake(client: Socket, upstream: Socket, act: () => void): void {
  upstream.once("data", () => client.once("data", act));
}
