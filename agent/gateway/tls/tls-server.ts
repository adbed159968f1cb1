import { constants } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, type Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { judgeClientError } from "../../api/http/client-error.ts";
import { createThinner } from "../../api/http/connection-limiter.ts";
import { STATUS_CODES } from "../../api/http/node-http.ts";
import { type Peer, Peers } from "../../api/http/peers.ts";
import { rawReply } from "../../api/http/reply.ts";
import type { Clock } from "../../common/clock.ts";
import { AgentError, systemCode } from "../../common/errors.ts";
import type { Place } from "../config.ts";
import { refusal } from "../error-responses.ts";

const MAX_HEADER_BYTES = 8 * 1024;
/** A terminal itself gives a connection up after 6 s: what takes longer is not one, or not one that waits. */
const HANDSHAKE_MS = 7_000;
const HEADERS_MS = 7_000;
/** The whole request, body included. */
const REQUEST_MS = 10_000;
/** Longer than the pause between a terminal's two attempts, shorter than what a NAT forgets. */
const KEEP_ALIVE_MS = 20_000;
/** How often Node looks for overdue requests. */
const CHECK_EVERY_MS = 500;
const REQUESTS_PER_CONNECTION = 10_000;

export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** Terminals are asked for a certificate; whose it is, is judged by request, so that the terminal gets to read why. */
  readonly terminalCa?: string;
}

export interface TlsServer {
  /** Connections now open. */
  readonly connections: number;
  /** Takes up renewed certificates. With another authority every connection is made anew. */
  renew(tls: TlsMaterial): void;
  /** Stops listening at once, gives requests under way `graceMs`. */
  close(grace: Promise<void>): Promise<void>;
}

export interface TlsServerOptions {
  readonly place: Place;
  readonly tls: TlsMaterial;
  readonly connections: number;
  readonly clock: Clock;
  readonly handle: (req: IncomingMessage, res: ServerResponse, peer: Peer | undefined, awaits: boolean) => void;
  readonly refused: (reason: string) => void;
}

/**
 * HTTPS with every limit set. Sessions are not resumed: each connection has its certificate looked at, also after an
 * authority was taken out. Rejects with an AgentError when the place cannot be had.
 */
export async function openTlsServer(options: TlsServerOptions): Promise<TlsServer> {
  const { place, connections, clock, refused } = options;
  let { terminalCa } = options.tls;
  const peers = new Peers(connections);
  const closing = new AbortController();
  const thin = createThinner(peers, connections, clock, closing.signal, () => refused("crowded"));
  const byName = new Map<string, Socket>();
  let current = new WeakSet<Socket>();

  const server: HttpsServer = createServer({
    ...contextOf(options.tls),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
  });
  server.maxConnections = peers.most;
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
  server.maxHeadersCount = 0;

  server.on("connection", (socket: Socket) => {
    const name = nameOf(socket);
    byName.set(name, socket);
    socket.once("close", () => {
      if (byName.get(name) === socket) byName.delete(name);
    });
    peers.admit(socket, clock.boot());
    thin();
  });
  server.on("drop", () => refused("crowded"));
  server.on("secureConnection", (socket: TLSSocket) => {
    // A handshake once more on a connection that stands is a way to keep a server busy.
    socket.disableRenegotiation();
    current.add(socket);
    const lower = byName.get(nameOf(socket));
    if (lower !== undefined) peers.stack(socket, lower);
  });
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    refused(systemCode(error) === "ERR_TLS_HANDSHAKE_TIMEOUT" ? "handshake_timeout" : "handshake");
    socket.destroy();
  });
  server.on("clientError", (error: Error, socket) => {
    const verdict = judgeClientError(error);
    if (verdict === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    refused(verdict.reason);
    answerAndClose(socket as Socket, verdict.code, (peers.find(socket)?.busy ?? 0) > 0);
  });
  server.on("connect", (_req, socket) => {
    refused("method");
    answerAndClose(socket as Socket, "METHOD_NOT_ALLOWED", false);
  });
  const handle = (req: IncomingMessage, res: ServerResponse, awaits: boolean) => {
    // Made before the authority was changed: this answer is its last.
    if (!current.has(req.socket)) res.shouldKeepAlive = false;
    options.handle(req, res, peers.touch(req.socket), awaits);
  };
  server.on("request", (req, res) => handle(req, res, false));
  server.on("checkContinue", (req, res) => handle(req, res, true));
  server.on("checkExpectation", (req, res) => handle(req, res, false));
  await listen(server, place);

  return {
    get connections() {
      return peers.size;
    },
    renew(tls) {
      server.setSecureContext(contextOf(tls));
      if (tls.terminalCa === terminalCa) return;
      ({ terminalCa } = tls);
      current = new WeakSet();
      server.closeIdleConnections();
    },
    async close(grace) {
      closing.abort("the gateway is stopping");
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Node leaves those alone that have not finished their handshake or their first request.
      for (const socket of peers.idle()) socket.destroy();
      await Promise.race([closed, grace]);
      server.closeAllConnections();
      for (const socket of byName.values()) socket.destroy();
      await closed;
    },
  };
}

function contextOf({ cert, key, terminalCa }: TlsMaterial): SecureContextOptions {
  const noTickets = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;
  // Without an authority an empty list: never Node's own roots, whose certificates anyone can buy.
  return { cert, key, ca: terminalCa ?? [], minVersion: "TLSv1.2", secureOptions: noTickets };
}

/** Octets that are no request, or none for us. Nothing when an answer of ours is on its way: two in one would be smuggling. */
function answerAndClose(socket: Socket, code: Parameters<typeof refusal>[0], answering: boolean): void {
  if (answering || !socket.writable) {
    socket.destroy();
    return;
  }
  const reply = refusal(code);
  socket.write(rawReply(reply, STATUS_CODES[reply.status] ?? ""));
  socket.destroySoon();
}

/** TLS hides the socket it runs on; the two have the same peer. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

export function listen(server: Server | HttpsServer, { host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      const errno = systemCode(error) ?? error.message;
      reject(new AgentError("API_SOCKET.port", { host, port, errno }, { cause: error }));
    };
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      resolve();
    });
  });
}
