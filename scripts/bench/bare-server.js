// The floor: node:http on a unix socket and nothing else. Usage: bare-server.js SOCKET [FILE WITH THE BODY]
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [, , socket, file] = process.argv;
const body = file === undefined ? "{}" : readFileSync(file, "latin1");
// The same head as the agent's answer.
const headers = ["Content-Type", "application/json", "Cache-Control", "no-store", "X-Content-Type-Options", "nosniff"];
headers.push("Content-Length", String(body.length));

createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end(body, "latin1");
}).listen(socket);
