/**
 * What the servers need of node:http. An `import` of it would read every export, and one of those, WebSocket, loads a
 * whole HTTP client when it is read: 30 ms and 14 MB of Node 24, for nothing.
 */
export const { createServer, IncomingMessage, setMaxIdleHTTPParsers, STATUS_CODES } =
  process.getBuiltinModule("node:http");
