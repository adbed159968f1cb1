import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import { judgeClientError } from "./client-error.ts";
import { type Connection, connectionOf, findConnection, isOver, Request } from "./connection.ts";
import type { ConnectionLimiter } from "./connection-limiter.ts";
import { setMaxIdleHTTPParsers } from "./node-http.ts";
import type { ProblemCode, Reply } from "./problem.ts";
import type { RejectionReason } from "./rejection-reasons.ts";
import { send } from "./reply.ts";

/** Of the process: Node keeps a thousand parsers after a flood, with all that hangs on them, some 4 MB. */
setMaxIdleHTTPParsers(32);

/** Of every HTTP server here. */
export const SERVER_OPTIONS = {
  maxHeaderSize: 8 * 1024,
  // How often Node looks for overdue requests; its 30 s would let a slowloris live for 35 s.
  connectionsCheckingInterval: 500,
  // The guard answers a missing Host itself.
  requireHostHeader: false,
  // Whatever NODE_OPTIONS says: lenient parsing is request smuggling.
  insecureHTTPParser: false,
  // A seventh of what a request without a body costs Node goes into the events of that body (measured).
  optimizeEmptyRequests: true,
  IncomingMessage: Request,
  shouldUpgradeCallback: isOver,
} satisfies ServerOptions<typeof Request>;

export interface RequestHandling {
  readonly limiter: ConnectionLimiter;
  readonly refused: (reason: RejectionReason) => void;
  /** What to say to a caller that has not got as far as `handle`. */
  readonly replyFor: (code: ProblemCode) => Reply;
  readonly handle: (req: IncomingMessage, res: ServerResponse, connection: Connection, awaitsContinue: boolean) => void;
}

/** Has a server take requests from connections that have their place, and end those that go wrong. */
export function serveRequests(server: Server<typeof Request>, handling: RequestHandling): void {
  const { limiter, refused, replyFor } = handling;
  // A cap would hide headers from the guard; 8 KB bound their number well enough.
  server.maxHeadersCount = 0;

  const handle = (req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean) => {
    const connection = connectionOf(req);
    limiter.use(connection);
    if (connection.begin(res)) {
      handling.handle(req, res, connection, awaitsContinue);
      return;
    }
    refused("pipeline");
    send(res, { ...replyFor("PIPELINE_TOO_LONG"), close: true });
  };
  server.on("request", (req, res) => handle(req, res, false));
  server.on("checkContinue", (req, res) => handle(req, res, true));
  server.on("checkExpectation", (req, res) => handle(req, res, false));

  server.on("clientError", (error: Error, socket) => {
    const verdict = judgeClientError(error);
    if (verdict === undefined) {
      socket.destroy();
      return;
    }
    const connection = findConnection(socket);
    // A failed handshake is another event. Each further packet on a broken connection is another error; it was counted and answered at the first.
    if (connection === undefined || connection.isOver) return;
    refused(verdict.reason);
    connection.refuse(replyFor(verdict.code));
  });
  server.on("upgrade", (req) => connectionOf(req).detach());
  server.on("connect", (req) => {
    const connection = connectionOf(req);
    connection.detach();
    if (connection.isOver) return;
    refused("method");
    connection.refuse(replyFor("METHOD_NOT_ALLOWED"));
  });
}
