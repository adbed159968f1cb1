/**
 * Terminals: each connection has one request under way. Its own process, and no HTTP library, so that the server and not the
 * client is what is measured. A message is one round.
 */
import { randomBytes } from "node:crypto";
import tls from "node:tls";
import { quantile } from "../bench/statistics.ts";

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly ms: number;
  /** A connection for each request, as real terminals do it: they ask twice an hour. */
  readonly fresh: boolean;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The request's body; "RAW" stands for the raw_data. */
  readonly body: string;
}

export interface LoadReport {
  readonly requests: number;
  readonly ms: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const HEAD = "POST /v3/offlineface/authinfo HTTP/1.1\r\nHost: gateway\r\nAccept: application/json\r\n";

async function round(order: LoadOrder): Promise<LoadReport> {
  const { port, ca, cert, key, fresh, connections, ms } = order;
  const secureContext = tls.createSecureContext({ ca, cert, key });
  const latencies: number[] = [];
  const sockets = new Set<tls.TLSSocket>();
  let stopped = false;

  const requestText = () => {
    const body = order.body.replace("RAW", randomBytes(503).toString("base64"));
    const close = fresh ? "Connection: close\r\n" : "";
    return `${HEAD}${close}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };

  const connect = () => {
    let sentAt = performance.now();
    let text = "";
    const socket = tls.connect({ host: "127.0.0.1", port, secureContext, servername: "localhost" });
    sockets.add(socket);
    socket.setEncoding("latin1").setNoDelay(true);
    const send = () => {
      text = "";
      if (!fresh) sentAt = performance.now();
      socket.write(requestText());
    };
    socket.once("secureConnect", send);
    socket.on("data", (chunk: string) => {
      text += chunk;
      const head = text.indexOf("\r\n\r\n");
      const length = /^content-length: (\d+)/im.exec(text)?.[1];
      if (head === -1 || text.length < head + 4 + Number(length)) return;
      if (!text.startsWith("HTTP/1.1 200 ")) throw new Error(text.slice(0, 300) + text.slice(head, head + 300));
      latencies.push(performance.now() - sentAt);
      if (!fresh && !stopped) send();
      else socket.destroy();
    });
    socket.on("close", () => {
      sockets.delete(socket);
      if (!stopped) connect();
    });
    socket.on("error", (error) => {
      if (!stopped) throw error;
    });
  };

  const startedAt = performance.now();
  for (let i = 0; i < connections; i++) connect();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const took = performance.now() - startedAt;
  stopped = true;
  for (const socket of sockets) socket.destroy();
  return { requests: latencies.length, ms: took, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}

process.on("message", async (order: LoadOrder) => {
  process.send?.(await round(order));
});
