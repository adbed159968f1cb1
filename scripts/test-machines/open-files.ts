/**
 * Runs inside a test machine in the place of a unit's own program, bundled into one file: whoever asks `GET <path>` on the
 * socket is told what came of opening that file for reading and writing, with the unit's user, groups and devices.
 */
import fs from "node:fs/promises";
import http from "node:http";

const [, , socket = ""] = process.argv;
await fs.rm(socket, { force: true });
http
  .createServer(async (request, response) => {
    const { O_RDWR, O_NONBLOCK, O_NOCTTY } = fs.constants;
    let opened = "ok";
    try {
      await (await fs.open(request.url ?? "", O_RDWR | O_NONBLOCK | O_NOCTTY)).close();
    } catch (error) {
      opened = (error as NodeJS.ErrnoException).code ?? String(error);
    }
    response.end(JSON.stringify({ opened }));
  })
  .listen(socket);
