import type { IncomingMessage } from "node:http";
import { MOST_BODY_BYTES } from "./guard.ts";

/**
 * The fields of a form, at most 1 KiB; undefined when there is more, or when the caller has left. The server's own deadline for a whole request
 * ends a body that does not come.
 */
export function readForm(req: IncomingMessage): Promise<URLSearchParams | undefined> {
  // The head has announced no body: then the server has ended the stream without a word (`optimizeEmptyRequests`).
  if (req.readableEnded) return Promise.resolve(new URLSearchParams());
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BODY_BYTES) resolve(undefined);
      else chunks.push(chunk);
    });
    req.on("end", () => resolve(new URLSearchParams(Buffer.concat(chunks).toString("latin1"))));
    req.on("error", () => resolve(undefined));
    req.on("close", () => resolve(undefined));
  });
}
