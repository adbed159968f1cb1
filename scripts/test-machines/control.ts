/**
 * Runs inside a virtual machine, bundled into one file, so that a test outside can act there without a network: `control.mjs
 * DEVICE` answers lines of JSON on a virtio port, `{id, run: [program, ...]}` with `{id, code, stdout, stderr}` and `{id,
 * get: {socket, target, patienceMs}}` with `{id, status, body}` or `{id, error}`. Several may be under way at once.
 */
import { execFile } from "node:child_process";
import fs from "node:fs";
import http from "node:http";

interface Asked {
  readonly id: number;
  readonly run?: readonly string[];
  readonly get?: { readonly socket: string; readonly target: string; readonly patienceMs: number };
}

const COMMAND_MS = 600_000;
const [, , device = ""] = process.argv;
// Such a port can be opened but once.
const port = fs.openSync(device, "r+");
const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" };

let writing = Promise.resolve();
function say(answer: object): void {
  const text = Buffer.from(`${JSON.stringify(answer)}\n`);
  writing = writing.then(async () => {
    for (let at = 0; at < text.length; ) {
      at += await new Promise<number>((resolve, reject) =>
        fs.write(port, text, at, (error, written) => (error ? reject(error) : resolve(written))),
      );
    }
  });
}

function run(id: number, [program = "", ...args]: readonly string[]): void {
  execFile(program, args, { env, timeout: COMMAND_MS, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
    say({ id, code: error === null ? 0 : (error.code ?? error.signal ?? error.message), stdout, stderr });
  });
}

function get(id: number, { socket, target, patienceMs }: NonNullable<Asked["get"]>): void {
  const options = { socketPath: socket, path: target, agent: false, timeout: patienceMs };
  const fail = (error: Error) => say({ id, error: error.message });
  const request = http.get(options, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    response.on("end", () => say({ id, status: response.statusCode, body: JSON.parse(text) }));
    response.on("error", fail);
  });
  request.on("timeout", () => request.destroy(new Error(`no answer in ${patienceMs} ms`)));
  request.on("error", fail);
}

let rest = "";
fs.createReadStream("", { fd: port })
  .setEncoding("utf8")
  .on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const asked = JSON.parse(line) as Asked;
      if (asked.run) run(asked.id, asked.run);
      if (asked.get) get(asked.id, asked.get);
    }
  });
say({ id: 0 });
