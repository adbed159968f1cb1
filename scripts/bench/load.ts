/**
 * The load: keep-alive connections over one unix socket, each with one request under way. Its own process, and no HTTP
 * library, so that the server and not the client is what is measured. A message starts one round.
 */
import net from "node:net";
import { quantile } from "./statistics.ts";

export interface LoadOrder {
  readonly socket: string;
  readonly connections: number;
  readonly ms: number;
}

export interface LoadReport {
  readonly requests: number;
  readonly ms: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const REQUEST = "GET /v1/authinfo HTTP/1.1\r\nHost: localhost\r\n\r\n";

class Connection {
  readonly #path: string;
  readonly #latencies: number[];
  #socket: net.Socket | undefined;
  #sentAt = 0;
  #text = "";
  #stopped = false;

  constructor(socketPath: string, latencies: number[]) {
    this.#path = socketPath;
    this.#latencies = latencies;
    this.#connect();
  }

  #connect(): void {
    const socket = net.connect(this.#path);
    this.#socket = socket;
    this.#text = "";
    socket.setEncoding("latin1");
    socket.on("connect", () => this.#send());
    socket.on("data", (text: string) => this.#take(text));
    // A server may close a connection that has carried many requests: another one takes its place.
    socket.on("close", () => !this.#stopped && this.#connect());
    socket.on("error", (error) => {
      if (!this.#stopped) throw error;
    });
  }

  #send(): void {
    this.#sentAt = performance.now();
    this.#socket?.write(REQUEST);
  }

  #take(text: string): void {
    this.#text += text;
    const head = this.#text.indexOf("\r\n\r\n");
    if (head === -1) return;
    const at = this.#text.indexOf("Content-Length: ") + 16;
    const length = Number.parseInt(this.#text.slice(at, at + 8), 10);
    if (this.#text.length < head + 4 + length) return;
    if (!this.#text.startsWith("HTTP/1.1 200 ")) throw new Error(this.#text.slice(0, 200));
    this.#latencies.push(performance.now() - this.#sentAt);
    const last = this.#text.slice(0, head).includes("Connection: close");
    this.#text = "";
    if (!last && !this.#stopped) this.#send();
  }

  stop(): void {
    this.#stopped = true;
    this.#socket?.destroy();
  }
}

async function round({ socket, connections, ms }: LoadOrder): Promise<LoadReport> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const all = Array.from({ length: connections }, () => new Connection(socket, latencies));
  await new Promise((resolve) => setTimeout(resolve, ms));
  const took = performance.now() - startedAt;
  for (const connection of all) connection.stop();
  return { requests: latencies.length, ms: took, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}

process.on("message", async (order: LoadOrder) => {
  process.send?.(await round(order));
});
