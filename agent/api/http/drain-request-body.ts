import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../common/clock.ts";

/** How long a refused body may still flow before the connection is cut, so that the sender gets to read the answer. */
const LINGER_MS = 1_000;
const LINGER_BYTES = 1024 * 1024;

/**
 * Reads a refused body away for a moment and ends the exchange, whose answer has been written: closing a socket with unread
 * octets would reset it, and the sender might see the reset before the answer. `leaves`: nobody is left to read for.
 */
export async function drainRequestBody(
  req: IncomingMessage,
  res: ServerResponse,
  clock: Clock,
  leaves: AbortSignal,
): Promise<void> {
  const enough = new AbortController();
  let drained = 0;
  req.on("data", (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > LINGER_BYTES) enough.abort();
  });
  req.on("end", () => enough.abort());
  req.on("error", () => enough.abort());
  res.on("error", () => enough.abort());
  try {
    await clock.sleep(LINGER_MS, AbortSignal.any([leaves, enough.signal]));
  } catch {
    // Woken early: all read, too much of it, or nobody left to read for. Each way the exchange ends now.
  }
  res.end();
}
