import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";

export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  /** Beneath TLS, for a fault that resets the connection. */
  readonly tcp: Socket | undefined;
  /** Ends when the peer has gone or the server stops. */
  readonly signal: AbortSignal;
}

export interface HttpsHost {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Ends every connection at once and frees the port. May be repeated. */
  stop(): Promise<void>;
}

export interface HttpsHostOptions {
  readonly tls: TlsMaterial;
  readonly host?: string;
  /** 0, the default: any free one. */
  readonly port?: number;
  /** Clients have to show a certificate of this authority; others are refused by TLS. */
  readonly clientCa?: string;
  readonly handle: (exchange: Exchange) => Promise<void>;
}

const LONGEST_BODY = 64 * 1024;
/** As WeChat Pay says in its answers: `Keep-Alive: timeout=8`. */
const KEEP_ALIVE_MS = 8000;

/** An HTTPS server whose connections can all be cut at any moment. Rejects when the port is taken. */
export async function startHttpsHost(options: HttpsHostOptions): Promise<HttpsHost> {
  const sockets = new Set<Socket>();
  const tcpByPeer = new Map<string, Socket>();
  const mutual = options.clientCa === undefined ? {} : { ca: options.clientCa, requestCert: true };
  const server = https.createServer(
    { ...options.tls, ...mutual, minVersion: "TLSv1.2", keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      void exchange(request, response, tcpByPeer.get(peerOf(request.socket)), options.handle);
    },
  );
  server.on("connection", (socket: Socket) => {
    track(sockets, socket);
    const peer = peerOf(socket);
    tcpByPeer.set(peer, socket);
    socket.once("close", () => {
      if (tcpByPeer.get(peer) === socket) tcpByPeer.delete(peer);
    });
  });
  server.on("secureConnection", (socket: Socket) => track(sockets, socket));
  // A peer that does not like our certificate: its own affair, and its log tells it.
  server.on("tlsClientError", (_error, socket: Socket) => socket.destroy());
  await listen(server, options.port ?? 0, options.host ?? "127.0.0.1");
  const { address, port, family } = server.address() as AddressInfo;
  const name = family === "IPv6" ? `[${address}]` : address;
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of [...sockets]) socket.destroy();
    });
    return stopped;
  };
  return { host: address, port, url: `https://${name}:${port}`, stop };
}

async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  tcp: Socket | undefined,
  handle: HttpsHostOptions["handle"],
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("connection closed")));
  try {
    const body = await readBody(request);
    if (body === undefined) {
      response.writeHead(413, { Connection: "close" }).end();
      return;
    }
    await handle({ request, response, body, tcp, signal: gone.signal });
  } catch (error) {
    // The peer went away in the middle, which is for the peer to report; any other error must not look like an answer.
    if (!gone.signal.aborted) request.socket.destroy(error instanceof Error ? error : undefined);
  }
}

/** Undefined when there is more than any request of this API can hold. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Left open on return, so that the refusal can still be sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function listen(server: https.Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  // A connection that breaks is what many tests are about.
  socket.on("error", () => sockets.delete(socket));
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
