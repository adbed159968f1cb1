import { constants } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, type Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import type { Connection } from "../../api/http/connection.ts";
import { ConnectionLimiter } from "../../api/http/connection-limiter.ts";
import { SERVER_OPTIONS, serveRequests } from "../../api/http/serve-requests.ts";
import type { Clock } from "../../common/clock.ts";
import { AgentError, systemCode } from "../../common/errors.ts";
import type { Place } from "../config.ts";
import { refusal } from "../error-responses.ts";

/** A terminal itself gives a connection up after 6 s: what takes longer is not one, or not one that waits. */
const HANDSHAKE_MS = 7_000;
const HEADERS_MS = 7_000;
/** The whole request, body included. */
const REQUEST_MS = 10_000;
/** Longer than the pause between a terminal's two attempts, shorter than what a NAT forgets. */
const KEEP_ALIVE_MS = 20_000;
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
  readonly handle: (req: IncomingMessage, res: ServerResponse, connection: Connection, awaits: boolean) => void;
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
  const byName = new Map<string, Connection>();
  let current = new WeakSet<Connection>();

  const server: HttpsServer = createServer({
    ...contextOf(options.tls),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
    ...SERVER_OPTIONS,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  });

  const enter = (socket: Socket) => {
    const name = nameOf(socket);
    const connection = limiter.enter(socket, false);
    byName.set(name, connection);
    socket.once("close", () => {
      if (byName.get(name) === connection) byName.delete(name);
    });
    return connection;
  };
  server.on("connection", enter);
  server.on("secureConnection", (socket: TLSSocket) => {
    // A handshake once more on a connection that stands is a way to keep a server busy.
    socket.disableRenegotiation();
    const connection = byName.get(nameOf(socket)) ?? enter(socket);
    current.add(connection);
    connection.admitted = options.admits(socket);
    connection.carry(socket);
  });
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    refused(systemCode(error) === "ERR_TLS_HANDSHAKE_TIMEOUT" ? "handshake_timeout" : "handshake");
    socket.destroy();
  });
  serveRequests(server, {
    limiter,
    refused,
    replyFor: (code) => refusal(code),
    handle(req, res, connection, awaits) {
      // Made before the authority was changed: this answer is its last.
      if (!current.has(connection)) res.shouldKeepAlive = false;
      options.handle(req, res, connection, awaits);
    },
  });
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
      limiter.closeAll();
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
