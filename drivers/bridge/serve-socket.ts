import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** The agent has one connection, a second one while it reconnects; the kit and a technician's look add theirs. */
const MOST_CONNECTIONS = 8;

export interface SocketListener {
  /** Not listening yet. */
  readonly listener: Server;
  /** Stops listening at once and ends every connection. */
  close(): Promise<void>;
}

/** A listener that serves each connection as a line of its own. */
export function createSocketListener(
  serve: (stream: Duplex, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): SocketListener {
  const connections = new Set<Socket>();
  const listener = createServer((socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    void serve(socket, signal).then(() => socket.destroy());
  });
  listener.maxConnections = MOST_CONNECTIONS;
  return {
    listener,
    close: () =>
      new Promise((resolve) => {
        // "not running" is as good as closed.
        listener.close(() => resolve());
        for (const socket of connections) socket.destroy();
      }),
  };
}
