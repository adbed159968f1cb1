// The same floor as bare-server.js, as CommonJS. An `import` of node:http reads every export, and one of those (WebSocket)
// loads a whole HTTP client; `require` does not. So this one starts faster and is smaller. Usage: as bare-server.js.
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");

const [, , socket, file] = process.argv;
const body = file === undefined ? "{}" : readFileSync(file, "latin1");
const headers = ["Content-Type", "application/json", "Cache-Control", "no-store", "X-Content-Type-Options", "nosniff"];
headers.push("Content-Length", String(body.length));

createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end(body, "latin1");
}).listen(socket);
