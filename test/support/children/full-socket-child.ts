/** A server whose queue of connections is full, and which stops itself then. After SIGCONT it answers everyone. */
import { writeSync } from "node:fs";
import http from "node:http";
import net from "node:net";

const [socket = ""] = process.argv.slice(2);
const body = '{"authinfo":"abc","state":"fresh","generation":3}';
const server = http.createServer((_req, res) => res.setHeader("Content-Length", body.length).end(body));
server.listen({ path: socket, backlog: 1 }, () => {
  // In one go, before the loop can accept anybody.
  for (let n = 0; n < 8; n++) net.connect(socket).on("error", () => {});
  writeSync(1, "full\n");
  process.kill(process.pid, "SIGSTOP");
});
