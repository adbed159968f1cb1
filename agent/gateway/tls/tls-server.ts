import { constants } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, type Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { answerAndClose, judgeClientError } from "../../api/http/client-error.ts";
import { connectionOf, interpose } from "../../api/http/connection.ts";
import { ConnectionLimiter, type Seat } from "../../api/http/connection-limiter.ts";
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
/**
 * Connections whose credential has not been accepted, in all and from one address. Each costs TLS some 50 KB; shops behind one
 * carrier's address share the second number, and a terminal needs its place for two round trips at most.
 */
const MOST_STRANGERS = 512;
const MOST_STRANGERS_PER_ADDRESS = 256;

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
  /** Whether the certificate alone lets this terminal in. */
  readonly admits: (socket: TLSSocket) => boolean;
  readonly handle: (req: IncomingMessage, res: ServerResponse, seat: Seat | undefined, awaits: boolean) => void;
  readonly refused: (reason: string) => void;
}

/**
 * HTTPS with every limit set. Sessions are not resumed: each connection has its certificate looked at, also after an
 * authority was taken out. Rejects with an AgentError when the place cannot be had.
 */
export async function openTlsServer(options: TlsServerOptions): Promise<TlsServer> {
  const { place, connections, clock, refused } = options;
  let { terminalCa } = options.tls;
  const limits = { connections, strangers: MOST_STRANGERS, strangersPerAddress: MOST_STRANGERS_PER_ADDRESS };
  const limiter = new ConnectionLimiter(limits, clock, () => refused("crowded"));
  const byName = new Map<string, Seat>();
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
  server.maxConnections = limiter.most;
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
  server.maxHeadersCount = 0;

  server.on("connection", (socket: Socket) => {
    const name = nameOf(socket);
    const seat = limiter.enter(socket, false);
    byName.set(name, seat);
    socket.once("close", () => {
      if (byName.get(name) === seat) byName.delete(name);
    });
  });
  server.on("drop", () => refused("crowded"));
  interpose(server, "secureConnection", (plain) => {
    const socket = plain as TLSSocket;
    // A handshake once more on a connection that stands is a way to keep a server busy.
    socket.disableRenegotiation();
    current.add(socket);
    const seat = byName.get(nameOf(socket)) ?? limiter.enter(socket, false);
    seat.admitted = options.admits(socket);
    return limiter.carry(seat, socket);
  });
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    refused(systemCode(error) === "ERR_TLS_HANDSHAKE_TIMEOUT" ? "handshake_timeout" : "handshake");
    socket.destroy();
  });
  server.on("clientError", (error: Error, socket) => {
    const connection = connectionOf({ socket: socket as Socket });
    const verdict = judgeClientError(error);
    if (verdict === undefined || !connection.writable) {
      connection.destroy();
      return;
    }
    refused(verdict.reason);
    answerAndClose(connection, refusal(verdict.code));
  });
  server.on("connect", (req) => {
    refused("method");
    answerAndClose(connectionOf(req), refusal("METHOD_NOT_ALLOWED"));
  });
  const handle = (req: IncomingMessage, res: ServerResponse, awaits: boolean) => {
    const connection = connectionOf(req);
    connection.begin(res);
    // Made before the authority was changed: this answer is its last.
    if (!current.has(connection.socket) || connection.requests >= REQUESTS_PER_CONNECTION) res.shouldKeepAlive = false;
    options.handle(req, res, limiter.use(connection), awaits);
  };
  server.on("request", (req, res) => handle(req, res, false));
  server.on("checkContinue", (req, res) => handle(req, res, true));
  server.on("checkExpectation", (req, res) => handle(req, res, false));
  await listen(server, place);

  return {
    get connections() {
      return limiter.size;
    },
    renew(tls) {
      server.setSecureContext(contextOf(tls));
      if (tls.terminalCa === terminalCa) return;
      ({ terminalCa } = tls);
      current = new WeakSet();
      server.closeIdleConnections();
    },
    async close(grace) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Node leaves those alone that have not finished their handshake or their first request.
      limiter.closeIdle();
      await Promise.race([closed, grace]);
      server.closeAllConnections();
      await closed;
    },
  };
}

function contextOf({ cert, key, terminalCa }: TlsMaterial): SecureContextOptions {
  const noTickets = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;
  // Without an authority an empty list: never Node's own roots, whose certificates anyone can buy.
  return { cert, key, ca: terminalCa ?? [], minVersion: "TLSv1.2", secureOptions: noTickets };
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
