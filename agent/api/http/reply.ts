import type { ServerResponse } from "node:http";
import type { Reply } from "./problem.ts";

/** On every answer: a credential belongs in no cache, and a JSON document is never to be taken for a script. */
const COMMON = ["Cache-Control", "no-store", "X-Content-Type-Options", "nosniff"] as const;

/** Sends a whole answer. Does nothing when the caller has gone or has been answered. */
export function send(res: ServerResponse, reply: Reply): void {
  if (res.destroyed || res.headersSent) return;
  if (reply.close) res.shouldKeepAlive = false;
  res.writeHead(reply.status, replyHeaders(reply));
  end(res, reply.body, "utf8");
}

/**
 * A write to a caller that has left is an error, and Node formats its stack, which nobody reads: a fifth of what each connection of a
 * flood costs (measured).
 */
function end(res: ServerResponse, text: string, encoding: BufferEncoding): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    res.end(text, encoding);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function replyHeaders(reply: Reply): string[] {
  const headers = ["Content-Type", reply.contentType, ...COMMON];
  if (reply.allow !== undefined) headers.push("Allow", reply.allow);
  if (reply.retryAfterS !== undefined) headers.push("Retry-After", String(reply.retryAfterS));
  if (reply.headers !== undefined) headers.push(...reply.headers);
  headers.push("Content-Length", String(Buffer.byteLength(reply.body)));
  return headers;
}

const jsonHeaders = ["Content-Type", "application/json", ...COMMON, "Content-Length", "0"];
const LENGTH_AT = jsonHeaders.length - 1;

/**
 * The fast way for the one document that is read all the time. `text` must be pure ASCII. Node copies the headers into
 * its own text at once, so one array serves every answer.
 */
export function sendAsciiJson(res: ServerResponse, text: string): void {
  jsonHeaders[LENGTH_AT] = String(text.length);
  res.writeHead(200, jsonHeaders);
  end(res, text, "latin1");
}

/** Starts a stream of Server-Sent Events. */
export function beginEventStream(res: ServerResponse): void {
  res.shouldKeepAlive = false;
  res.writeHead(200, ["Content-Type", "text/event-stream", ...COMMON]);
}

/** A whole answer as octets, for a connection on which Node's parser has given up. */
export function rawReply(reply: Reply, reasonPhrase: string): string {
  const headers = replyHeaders(reply);
  let text = `HTTP/1.1 ${reply.status} ${reasonPhrase}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}Connection: close\r\n\r\n${reply.body}`;
}
