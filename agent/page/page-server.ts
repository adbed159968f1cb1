import type { AddressInfo, Socket } from "node:net";
import { ConnectionLimiter } from "../api/http/connection-limiter.ts";
import { createServer } from "../api/http/node-http.ts";
import { SERVER_OPTIONS, serveRequests } from "../api/http/serve-requests.ts";
import type { Clock } from "../common/clock.ts";
import type { Random } from "../common/random.ts";
import { Access } from "./access.ts";
import { PageHandler, type PageSources } from "./page-handler.ts";
import { refusalOf } from "./page-replies.ts";

export interface PageLimits {
  /** From the first octet, or from the opening of a connection on which none comes. */
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
  /** From a whole request to its answer's last octet. */
  readonly answerMs: number;
  readonly connections: number;
  /** Those without the cookie: other users of this machine can connect, too. */
  readonly strangers: number;
  /** Specification 11: after the last request of the one who has opened the link. */
  readonly idleMs: number;
}

const usualLimits: PageLimits = {
  ...{ requestTimeoutMs: 10_000, keepAliveMs: 5_000, answerMs: 60_000 },
  ...{ connections: 32, strangers: 16, idleMs: 600_000 },
};

export interface PageDeps extends PageSources {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<PageLimits>;
}

export interface PageServer {
  /** To be opened once. */
  readonly link: string;
  readonly port: number;
  /** Resolves when nobody has used it for long, or the link has been guessed at. */
  readonly ended: Promise<"idle" | "void">;
  close(): Promise<void>;
}

/** Opens the listener. Rejects with the system's error. */
export async function openPage(
  place: { readonly host: string; readonly port: number },
  deps: PageDeps,
): Promise<PageServer> {
  const { clock } = deps;
  const limits = { ...usualLimits, ...deps.limits };
  const access = new Access(deps.random);
  const ended = Promise.withResolvers<"idle" | "void">();
  let callOff = () => {};
  const used = () => {
    callOff();
    callOff = clock.timer(limits.idleMs, () => ended.resolve("idle"));
  };
  const { connections, strangers } = limits;
  const limiter = new ConnectionLimiter({ connections, strangers, strangersPerAddress: strangers }, clock, () => {});
  const server = createServer({
    ...SERVER_OPTIONS,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
  });
  const handling = new PageHandler(deps, access, { used, isVoid: () => ended.resolve("void") });
  server.on("connection", (socket: Socket) => {
    // Whoever it is has yet to show the cookie.
    limiter.enter(socket, true).admitted = false;
  });
  serveRequests(server, {
    limiter,
    refused: () => {},
    replyFor: (code) => refusalOf(code, deps.language ?? "zh"),
    handle(req, res, connection, awaitsContinue) {
      const late = clock.timer(limits.answerMs, () => req.socket.destroy());
      res.once("close", late);
      handling.handle(req, res, connection, awaitsContinue);
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(place.port, place.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // An unused link is as good a reason to end as an unused page.
  used();
  const { port, family, address } = server.address() as AddressInfo;
  handling.authority = authorityOf(family === "IPv6" ? `[${address}]` : address, port);
  return {
    link: `http://${handling.authority}${access.link}`,
    port,
    ended: ended.promise,
    async close() {
      callOff();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      limiter.closeAll();
      await closed;
    },
  };
}

/** As a browser writes it in `Host` and `Origin`: without the port that is usual. */
export function authorityOf(host: string, port: number): string {
  return new URL(`http://${host}:${port}`).host;
}
