/**
 * An agent that breaks its promises, for the soak to find out: `run --config FILE` serves an authinfo nobody has issued, under
 * generations that fall, writes to stdout, and ends with a code of its own.
 */
import { mkdirSync } from "node:fs";
import http from "node:http";
import path from "node:path";

const directory = path.dirname(process.argv.at(-1) ?? "");
let generation = 1_000;

const document = () => {
  generation--;
  const expiresAt = new Date().toISOString();
  return JSON.stringify({
    ...{ authinfo: "never issued".repeat(40), state: "fresh", generation, expires_at: expiresAt },
    ...{ remaining_s: 60, persisted: true },
  });
};

mkdirSync(path.join(directory, "run"), { recursive: true });
http
  .createServer((request, response) => {
    if (request.url?.startsWith("/v1/authinfo/events")) {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(`event: authinfo\ndata: ${document()}\n\n`);
      return;
    }
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(document());
  })
  .listen(path.join(directory, "run/api.sock"));
process.stdout.write("something on stdout\n");
process.on("SIGTERM", () => process.exit(3));
