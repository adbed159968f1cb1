import net from "node:net";
import tls from "node:tls";
import { Aedes, type AedesPublishPacket } from "aedes";

export interface Heard {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly qos: number;
}

const PATIENCE_MS = 60_000;

/** An operator's broker on loopback: a real one, which remembers what it was told. */
export class MqttBroker {
  readonly heard: Heard[] = [];
  readonly #tls: tls.TlsOptions | undefined;
  #aedes: Aedes;
  #server: net.Server | undefined;
  readonly #sockets = new Set<net.Socket>();
  #port = 0;
  readonly #waiting = new Set<() => void>();
  connections = 0;

  private constructor(aedes: Aedes, options: tls.TlsOptions | undefined) {
    this.#aedes = aedes;
    this.#tls = options;
  }

  static async start(options?: tls.TlsOptions): Promise<MqttBroker> {
    const broker = new MqttBroker(await Aedes.createBroker(), options);
    await broker.open();
    return broker;
  }

  get port(): number {
    return this.#port;
  }

  async open(): Promise<void> {
    const aedes = this.#aedes;
    aedes.removeAllListeners("publish");
    aedes.on("publish", (packet: AedesPublishPacket) => {
      if (packet.topic.startsWith("$SYS")) return;
      const { topic, retain, qos } = packet;
      this.heard.push({ topic, retain, qos, payload: packet.payload.toString() });
      for (const look of this.#waiting) look();
    });
    const handle = (socket: net.Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
      aedes.handle(socket);
    };
    const server = this.#tls ? tls.createServer(this.#tls, handle) : net.createServer(handle);
    server.on("tlsClientError", () => undefined);
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as net.AddressInfo).port;
  }

  /** Every connection breaks; nobody listens until `open`. What is retained stays. */
  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server?.close(() => resolve()) ?? resolve());
  }

  /** As an operator, or somebody who has got at the broker, publishes. */
  async publish(topic: string, payload: string | Buffer, retain = true): Promise<void> {
    const packet = {
      cmd: "publish" as const,
      topic,
      payload: Buffer.from(payload),
      retain,
      qos: 1 as const,
      dup: false,
    };
    await new Promise<void>((resolve, reject) =>
      this.#aedes.publish(packet, (error) => (error ? reject(error) : resolve())),
    );
  }

  on(topic: string): Heard[] {
    return this.heard.filter((one) => one.topic === topic);
  }

  /** Resolves with the first `count` messages that fit, as soon as there are so many. */
  async until(fits: (message: Heard) => boolean, count = 1): Promise<Heard[]> {
    const found = Promise.withResolvers<Heard[]>();
    const look = () => {
      const all = this.heard.filter(fits);
      if (all.length >= count) found.resolve(all);
    };
    const late = setTimeout(() => {
      found.reject(new Error(`not heard; heard: ${JSON.stringify(this.heard.slice(-10))}`));
    }, PATIENCE_MS);
    this.#waiting.add(look);
    look();
    try {
      return await found.promise;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(look);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
  }
}
